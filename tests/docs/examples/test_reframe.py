"""The ReFrame test, run by ReFrame itself: a real measurement on this machine, and what a spoilt or empty one says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from faults.command import of_the_whole_suite

pytest.importorskip("reframe", reason="ReFrame is not installed: pip install ReFrame-HPC")

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "examples" / "reframe"
pytestmark = pytest.mark.slow
START = "import sys; from reframe.frontend.cli import main; sys.argv[0] = 'reframe'; main()"
SPOILT = {"status": "invalid", "reasons": [{"code": "throttled", "detail": ""}], "metrics": {}}


@pytest.fixture
def reframe(tmp_path):
    """Return a function that calls ReFrame with a program as perwatt, and returns its status and output."""

    def call(perwatt, *options, settings=FOLDER / "settings.py"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / "perwatt"
        program.write_text(perwatt)
        program.chmod(0o755)
        variables = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        files = ["-C", settings, "-c", FOLDER / "perwatt_check.py", "--prefix", tmp_path / "reframe", "--nocolor"]
        done = subprocess.run(
            [sys.executable, "-c", START, *map(str, files), *options], cwd=tmp_path, env={**os.environ, **variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return call


def storing(record):
    """Return a program that stores a record where perwatt would."""
    return f"#!/bin/sh\nmkdir -p results/one\ncat >results/one/result.json <<'END'\n{json.dumps(record)}\nEND\n"


@of_the_whole_suite
def test_a_measurement_without_a_meter_passes_with_its_rate(reframe, tmp_path):
    home = Path.home()  # with the compiled kernels
    perwatt = f'#!/bin/sh\nHOME={home} PYTHONPATH={ROOT} exec {sys.executable} -m bench "$@"\n'
    status, output = reframe(perwatt, "--system=here", "-S", "plan=smoke", "--run")
    assert (status, "P: rate: " in output) == (0, True), output
    (result,) = (tmp_path / "reframe" / "output").rglob("result.json")
    record = json.loads(result.read_text())
    assert record["meters"] == []
    assert float(re.search(r"P: rate: (\S+) hash/s", output)[1]) == record["metrics"]["rate"]["value"]


def test_a_spoilt_run_fails_with_its_reasons_and_its_files_stay_in_the_stage_folder(reframe, tmp_path):
    status, output = reframe(storing(SPOILT), "--system=here", "--run")
    assert (status, "the run is invalid: throttled" in output) == (1, True), output
    assert not list((tmp_path / "reframe" / "output").rglob("result.json"))
    assert list((tmp_path / "reframe" / "stage").rglob("result.json"))


def test_a_rate_below_the_reference_of_its_system_fails_and_joules_are_recorded(reframe, tmp_path):
    settings = tmp_path / "settings.py"
    text = (FOLDER / "settings.py").read_text(encoding="utf-8")
    settings.write_text(text.replace('"scheduler": "slurm"', '"scheduler": "local"'))
    for rate, expected in ((4.0e7, 0), (3.5e7, 1)):
        metrics = {"rate": (rate, "hash/s"), "energy_per_hash_wall": (2.5e-6, "J/hash"), "clock": (3e9, "Hz")}
        figures = {name: {"value": value, "unit": unit} for name, (value, unit) in metrics.items()}
        program = storing({"status": "ok", "reasons": [], "metrics": figures})
        status, output = reframe(program, "--system=lab", "--run", settings=settings)
        assert (status, "P: energy_per_hash_wall: 2.5e-06 J/hash" in output) == (expected, True), output
        assert ("failed to meet reference(s): rate=" in output) == bool(expected), output


def test_the_script_of_a_slurm_system_is_written_without_slurm(reframe, tmp_path):
    _, output = reframe(storing(SPOILT), "--system=lab", "--dry-run")
    (script,) = (tmp_path / "reframe" / "stage").rglob("rfm_job.sh")
    lines = script.read_text().splitlines()
    assert {"#SBATCH --exclusive", "#SBATCH --no-requeue", "#SBATCH --open-mode=append"} <= set(lines), output
    assert lines[-1] == "perwatt run sha256d_scan_cpu --plan quick --out results"
