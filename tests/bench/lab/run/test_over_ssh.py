"""`perwatt lab run` over a real sshd: Dask's SSH deployment starts the worker, and a host that fails is a line."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from doubles.lab.sshd import ROOT, Sshd, skip_without_sshd
from faults.command import of_the_whole_suite

pytest.importorskip("asyncssh")
skip_without_sshd()
pytestmark = [pytest.mark.slow, of_the_whole_suite]


@pytest.fixture
def server(tmp_path):
    sshd = Sshd(tmp_path / "sshd")
    yield sshd
    sshd.stop()


@pytest.fixture
def lab(tmp_path, server):
    """A lab of a host, and of one whose address nobody listens at."""
    hosts = (("good", server.address), ("gone", "127.0.1.9"))
    lines = ["[lab]", 'name = "two"', f'ssh_config = "{server.config}"', "[[domain]]", 'name = "rack"']
    for name, address in hosts:
        lines += ["[[host]]", f'name = "{name}"', f'address = "{address}"', f'python = "{server.python}"']
        lines += [f'folder = "{tmp_path / name}"', 'domain = "rack"']
    (tmp_path / "lab.toml").write_text("\n".join(lines))
    return tmp_path


def start(lab, *words):
    variables = {"PYTHONPATH": str(ROOT), "HOME": str(lab), "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "lab", *words], cwd=lab, env={**os.environ, **variables}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process):
    output, errors = process.communicate(timeout=200)
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


def ledgers(lab):
    return [path.read_text() for path in lab.glob("results/labs/*/ledger.jsonl")]


def test_a_run_over_ssh_is_stopped_and_resumed_and_the_host_that_is_gone_has_its_reason(lab):
    running = start(lab, "run", "lab.toml", "--plan", "smoke", "--repeat", "2", "matmul_f32_cpu")
    while not any(lab.glob("good/jobs/*.partial/.started.json")):
        assert running.poll() is None, ended(running)
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    status, output, errors = ended(running)
    assert status == 130
    assert output.splitlines()[-1] == "go on with: perwatt lab resume lab.toml"
    assert "gone  matmul_f32_cpu #1: refused: the host does not answer" in output
    assert "stopped by the operator; no other measurement is begun, and 1 measurement may go on there" in errors

    status, output, _ = ended(start(lab, "resume", "lab.toml"))
    assert status == 1
    document = json.loads(ended(start(lab, "status", "--json"))[1])
    states = {(one["host"], one["workload"]): (one["state"], one["attempt"]) for one in document["measurements"]}
    assert states["good", "matmul_f32_cpu #1"] == ("measured", 1), output
    assert states["good", "matmul_f32_cpu #2"] == ("measured", 1), output
    assert {one["code"] for one in document["measurements"] if one["host"] == "gone"} == {"unreachable"}
    assert len(list(lab.glob("results/*/result.json"))) == 2
    (ledger,) = ledgers(lab)
    assert ledger.count('"kind":"collected"') == 2
