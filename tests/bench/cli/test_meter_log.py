"""`perwatt meter log` writes what a meter showed and what it is, until it is stopped, and nothing else."""

import json
import signal
import subprocess
import sys
import time

import pytest
from doubles.plug import FakePlug

from bench.measure.joining.recorded import read_recorded
from hardware_profiles.errors import InputError


@pytest.fixture
def plug():
    plug = FakePlug(time, curve=lambda t: 200.0 + t % 7.0)
    yield plug
    plug.close()


def test_a_log_has_the_readings_and_the_description_of_its_meter(perwatt, plug, tmp_path):
    target = tmp_path / "rack.csv"
    spec = f"{plug.spec},period=0.05,accuracy=1%"
    out = perwatt("meter", "log", spec, "--out", str(target), "--seconds", "0.5", "--json")
    described = read_recorded(target)
    assert json.loads(out.stdout) == described.model_dump(mode="json")
    assert (described.meter.tier, described.meter.accuracy_frac, described.missing) == ("B", 0.01, 0)
    assert described.samples >= 3
    head, *rows = target.read_text().splitlines()
    assert head == "time,power_w"
    times_s = [float(row.partition(",")[0]) for row in rows]
    assert times_s == sorted(times_s)
    assert abs(times_s[-1] - time.time()) < 30.0


def test_sigterm_ends_a_log_well(plug, tmp_path):
    target = tmp_path / "rack.csv"
    command = [sys.executable, "-m", "bench", "meter", "log", f"{plug.spec},period=0.05", "--out", str(target)]
    child = subprocess.Popen(command)
    while plug.asked < 60:  # it asks some dozen times before it begins
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 0
    assert read_recorded(target).samples >= 3


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("declared,watts=5", "expected a meter that gives watts now, got 'declared'"),
        ("trace:a.csv", "got 'trace:a.csv'"),
        ("shelly:127.0.0.1:1", "Connection refused"),
    ],
)
def test_what_is_no_power_meter_is_refused_and_nothing_is_written(perwatt, tmp_path, spec, words):
    refused = perwatt("meter", "log", spec, "--out", str(tmp_path / "a.csv"))
    assert refused.returncode == 2
    assert words in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_log_is_not_overwritten(perwatt, plug, tmp_path):
    target = tmp_path / "rack.csv"
    target.write_text("mine")
    refused = perwatt("meter", "log", plug.spec, "--out", str(target), "--seconds", "1")
    assert refused.returncode == 2
    assert "rack.csv" in refused.stderr
    assert target.read_text() == "mine"


def test_a_log_that_was_changed_is_not_the_one_that_was_described(perwatt, plug, tmp_path):
    target = tmp_path / "rack.csv"
    perwatt("meter", "log", f"{plug.spec},period=0.05", "--out", str(target), "--seconds", "0.2")
    target.write_text(target.read_text() + "1780000000.0,1\n")
    with pytest.raises(InputError, match="key sha256"):
        read_recorded(target)
