"""A sweep that is killed at any moment: `perwatt levers restore` brings back what it found."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.command import WHOLE

DEVICE = Path(__file__).parents[3] / "doubles" / "sweep" / "device.py"
KILLS = 40 if WHOLE else 1
SWEEP = (
    "sweep", "sha256d_scan_cpu", "--levels", "low,high,mid", "--rounds", "1", "--plan", "smoke", "--threads", "1",
    "--variant", "scalar", "--dwell-s", "0.01", "--meter", "none",
)  # fmt: skip


def perwatt(folder, *words, **more):
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PERWATT_LOCKS": str(folder / "locks")}
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *words], cwd=folder, text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, **more,
    )  # fmt: skip


def commands_of(file):
    sent = file.with_suffix(".sent")
    return len(sent.read_text().splitlines()) if sent.exists() else 0


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_sweep_is_brought_back(kill, tmp_path):
    """The kill comes after a number of commands, and a random time later."""
    file = tmp_path / "device"
    file.write_text("mid")
    lever = f"hook:{sys.executable} {DEVICE} {file},levels=off low mid high"
    delay = random.Random(kill).uniform(0.0, 1.0)
    sweep = perwatt(tmp_path, *SWEEP, "--lever", lever, start_new_session=True)
    end_s = time.monotonic() + 120.0
    while sweep.poll() is None and commands_of(file) < 1 + kill % 3 and time.monotonic() < end_s:
        time.sleep(0.002)
    until_s = time.monotonic() + delay
    while sweep.poll() is None and time.monotonic() < until_s:
        time.sleep(0.002)
    was_running = sweep.poll() is None
    if was_running:
        os.killpg(sweep.pid, signal.SIGKILL)
    _, errors = sweep.communicate(timeout=60)
    assert was_running or sweep.returncode == 0, errors
    restore = perwatt(tmp_path, "levers", "restore")
    _, errors = restore.communicate(timeout=60)
    assert restore.returncode == 0, errors
    assert file.read_text() == "mid"
    assert not list((tmp_path / "state" / "perwatt" / "levers").glob("*.json"))
