"""The Ansible playbook: its syntax, a dry run, and a run on this machine under two names of one power domain."""

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from faults.command import of_the_whole_suite

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "examples" / "ansible"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ansible-playbook") is None,
        reason="ansible-playbook is not installed: apt-get install ansible-core",
    ),
]
# Stands for perwatt: it writes a result folder with the times between which it ran.
MEASURE = """\
import json, pathlib, sys, time
start = time.monotonic()
out = sys.argv[-1]
time.sleep(0.2)
folder = pathlib.Path(out) / f"result-{start}"
folder.mkdir(parents=True)
(folder / "result.json").write_text(json.dumps([sys.argv[1:-2], start, time.monotonic()]))
"""


@pytest.fixture
def play(tmp_path):
    """Return a function that runs the playbook on this machine as two hosts of one domain."""
    hosts = {"a": {"domain": "one"}, "b": {"domain": "one"}}
    own = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "inventory.json").write_text(json.dumps({"lab": {"hosts": hosts, "vars": own}}))
    (tmp_path / "measure.py").write_text(MEASURE)
    perwatt = tmp_path / "perwatt"
    perwatt.write_text(f'#!/bin/sh\nexec {sys.executable} -S {tmp_path}/measure.py "$@"\n')
    perwatt.chmod(0o755)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "perwatt-0-py3-none-any.whl").touch()
    variables = {
        "home": str(tmp_path / "{{ inventory_hostname }}"), "wheels": str(tmp_path / "wheels"), "poll_s": 1,
        "perwatt": str(perwatt), "results": str(tmp_path / "results"), "options": ["matmul_f32_cpu", "--plan=smoke"],
    }  # fmt: skip

    def run(*options):
        command = ["ansible-playbook", "-i", "inventory.json", "-e", json.dumps(variables), *options]
        ansible = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*command, FOLDER / "perwatt.yml"], cwd=tmp_path, env={**os.environ, **ansible},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_syntax_of_playbook_and_inventory_is_right(play):
    assert "perwatt.yml" in play("--syntax-check", "-i", str(FOLDER / "inventory.yml"))


def test_a_dry_run_goes_through_every_play_and_measures_nothing(play, tmp_path):
    assert "failed=0" in play("--check", "--limit", "a")
    assert not (tmp_path / "results").exists()


@of_the_whole_suite
def test_two_hosts_of_a_domain_measure_in_turn_and_both_results_come_back(play, tmp_path):
    for host in ("a", "b"):
        (tmp_path / host).mkdir()
    play("--tags", "measure,fetch")
    runs = [json.loads(path.read_text()) for path in (tmp_path / "results").glob("*/result.json")]
    assert [options for options, _, _ in runs] == [["run", "matmul_f32_cpu", "--plan=smoke"]] * 2
    assert all(end < start for (_, _, end), (_, start, _) in pairwise(sorted(runs, key=lambda run: run[1])))
