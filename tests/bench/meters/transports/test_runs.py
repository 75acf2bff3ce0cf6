"""Runs from the command line: two meters of different transports check each other, and windows suit a slow meter."""

import json
import math
import re

import pytest

from bench.results.folder import read_record
from bench.results.layout import result_folders


@pytest.fixture
def run(perwatt, fake_workload, monkeypatch, tmp_path):
    """Measure a workload with meters, and return how the command ended and the record."""
    fake_workload.name, fake_workload.unit = "matmul_f32_cpu", "flop"
    monkeypatch.setattr("bench.workloads.registry.create", lambda *_: fake_workload)

    def start(*specs):
        meters = [word for spec in specs for word in ("--meter", spec)]
        done = perwatt("run", "matmul_f32_cpu", "--threads", "1", "--plan", "smoke", *meters, "--json")
        folders = list(result_folders(tmp_path / "results"))
        return done, read_record(folders[0]) if folders else None

    return start


@pytest.fixture
def run_with_two(run, peer):
    """Measure with a Modbus meter and a BMC that show these powers."""

    def start(rail_w, bmc_w):
        rail, bmc = peer("eastron-sdm630", rail_w), peer("redfish-power", bmc_w)
        return run(
            f"modbus:{rail.target},table=eastron-sdm630,boundary=node", f"redfish:{bmc.target},table=redfish-power"
        )

    return start


@pytest.fixture
def run_with_bmc(run, peer):
    """Measure with a BMC that shows this power."""
    return lambda power_w: run(f"redfish:{peer('redfish-power', power_w).target},table=redfish-power")


def load(t):
    return 400.0 + 30.0 * math.sin(t / 3.0)


def test_both_are_in_the_record_and_agree(run_with_two):
    done, record = run_with_two(load, load)
    assert done.returncode == 0, done.stderr
    assert {name.partition(":")[0] for name in record.meters} == {"modbus", "redfish"}
    assert "meter_disagreement" not in json.dumps(json.loads(done.stdout))
    powers = [energy.joules / (w.end_s - w.start_s) for w in record.windows for energy in w.energy]
    assert powers == pytest.approx([400.0] * len(powers), rel=0.02)


def test_two_that_differ_are_named(run_with_two):
    _, record = run_with_two(load, lambda t: 1.3 * load(t))
    said = [warning.detail for warning in record.warnings if warning.code == "meter_disagreement"]
    assert len(said) == 2
    for detail in said:
        assert re.search(r"modbus:\S+ gives (39\d|40\d)(\.\d+)? W, redfish:\S+ 5[12]\d(\.\d+)? W", detail)


def test_a_factor_between_two_is_named(run_with_two):
    _, record = run_with_two(load, lambda t: 10.0 * load(t))
    assert any("too large by a factor of 10" in warning.detail for warning in record.warnings)


def updating(period_s):
    """Return the power of a moving load, as a meter shows it that updates every so many seconds."""
    return lambda t: 400.0 + 30.0 * math.sin(math.floor(t / period_s) * period_s / 3.0)


def test_windows_are_long_enough_for_a_slow_meter_and_a_line_says_so(run_with_bmc):
    done, record = run_with_bmc(updating(4.0))
    assert done.returncode == 0, done.stderr
    said = re.search(
        r"windows of (\d+) s instead of 100 s, because redfish:.* updates every ([34].?\d?) s, not every 1 s",
        done.stderr,
    )
    assert said, done.stderr
    assert float(said[1]) == pytest.approx(100.0 * float(said[2]))
    assert record.run.window_s == pytest.approx(float(said[1]))
    assert [len(window.energy) for window in record.windows] == [1, 1]
    assert all(
        window.energy[0].joules == pytest.approx(400.0 * window.duration_s, rel=0.02) for window in record.windows
    )
    assert record.meters_used[0].period_s == pytest.approx(float(said[2]))


def test_a_quick_meter_changes_nothing(run_with_bmc):
    done, record = run_with_bmc(updating(1.0))
    assert "instead of" not in done.stderr
    assert record.run.window_s == 100.0


def test_a_steady_load_changes_nothing(run_with_bmc):
    done, record = run_with_bmc(lambda _: 400.0)
    assert done.stderr.count("repeats its values; it is watched for how often it updates") == 1
    assert record.run.window_s == 100.0


def test_a_meter_that_is_too_slow_is_refused_before_the_windows(run_with_bmc):
    done, record = run_with_bmc(updating(8.0))
    assert (done.returncode, record) == (2, None)
    assert re.search(
        r"expected a new value at least every 5 s, got one every (7\.\d|8|8\.\d) s; set the device", done.stderr
    )
