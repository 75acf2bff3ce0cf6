"""How long a cycle over 10,000 devices takes: `pytest tests/bench/control/days --benchmark-only`, on a calm machine."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from bench.twin.servers.antminer import PASSWORD

ROOT = Path(__file__).resolve().parents[4]
DEVICES, CYCLES = 10_000, 6
MOST_S, MOST_MB = 10.0, 300.0


def cycles(folder):
    """Return what each cycle of an armed controller took; twin and controller are a process each."""
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "XDG_STATE_HOME": str(folder / "state"),
        "PERWATT_TWIN_PASSWORD": PASSWORD,
    }  # fmt: skip
    twin = subprocess.Popen(
        [sys.executable, "-m", "bench", "twin", "--units", str(DEVICES), "--speed", "0", "--out", str(folder)],
        stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    with twin:
        pages = next(match[0] for line in twin.stdout if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
        command = [sys.executable, "-m", "doubles.twin.controller", str(folder), pages, str(CYCLES), "armed"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
        twin.send_signal(signal.SIGINT)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ten_thousand_devices_are_observed_and_commanded_in_a_cycle(benchmark, tmp_path):
    rows = benchmark.pedantic(cycles, args=(tmp_path,), rounds=1)
    benchmark.extra_info["cycles"] = rows
    later = rows[1:]  # the first one asks every device what it is
    assert sum(row["commands"] for row in later) > 0
    assert max(row["cycle_s"] for row in later) < MOST_S
    assert max(row["peak_mb"] for row in rows) < MOST_MB
