"""A whole lab run behind a meter that another host reads, over ssh and cables of unequal delays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.namespaces.lab import CONTROLLER, why_not
from doubles.namespaces.operator_machine import ROOT, operator
from faults.command import of_the_whole_suite

pytestmark = [
    pytest.mark.slow,
    of_the_whole_suite,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "namespaces can be made"),
]
MEAN_W = 305.0
PLUG = f"""
import socket, time
from doubles import plug
real = socket.create_server
socket.create_server = lambda _: real(({CONTROLLER!r}, 8099))
plug.FakePlug(time, curve=lambda t: {MEAN_W} + 5.0 * (2.0 * (t % 0.6) / 0.6 - 1.0))
print("ready", flush=True)
time.sleep(3600)
"""
METER = ["[[meter]]", 'name = "pdu-a"', f'spec = "shelly:{CONTROLLER}:8099,period=0.05,accuracy=1%"',
         'read_by = "reader"', 'covers = ["node"]']  # fmt: skip


@pytest.fixture
def one_core():
    """Let everything run on one core: the load of the workload is no part of the test."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.fixture
def machine(tmp_path, one_core):  # noqa: ARG001 (it holds while the machine lives)
    domains = dict.fromkeys(("reader", "node"))
    with operator(tmp_path, domains, delays_s={"node": (0.02, 0.002)}, lines=METER) as machine:
        environment = {**machine.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        plug = machine.lab.start([sys.executable, "-c", PLUG], stdout=subprocess.PIPE, env=environment)
        assert plug.stdout.readline() == "ready\n"
        yield machine
        plug.kill()
        plug.wait()
        plug.stdout.close()


def test_a_lab_run_gets_the_joules_of_a_meter_that_another_host_reads(machine):
    done = machine.perwatt("lab", "run", "lab.toml", "sha256d_scan_cpu", "--plan", "smoke", "--host", "node")
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(Path(path).read_text()) for path in machine.store.glob("[!.]*/result.json")]
    first, joined = sorted(records, key=lambda record: record["supersedes"] is not None)
    assert joined["supersedes"] == first["id"]
    assert f"{joined['id']}: pdu-a joined, supersedes {first['id']}" in done.stdout
    power = joined["metrics"]["power_wall"]
    assert power["meter"] == "lab:pdu-a"
    low, high = power["interval_95"]
    assert low <= MEAN_W <= high
    clocks = joined["audit"]["remote_meter"]["clocks"]
    assert abs(clocks["shift_s"]) <= clocks["bound_s"]  # all hosts share the monotonic clock of this machine
    assert clocks["bound_s"] > 0.01  # of the delays' difference the bound knows at least the half
    again = machine.perwatt("lab", "collect")
    assert again.returncode == 0
    assert "joined" not in again.stdout
