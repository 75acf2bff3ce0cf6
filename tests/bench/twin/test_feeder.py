"""The feeder and its lagging meter."""

import pytest

from bench.twin.clock import SimulatedClock
from bench.twin.feeder import Feeder, Overhead, WallMeter
from bench.twin.kinds import KINDS
from bench.twin.unit import Unit

KIND = KINDS["luxos-s19"]


def feeder(count=3, **overhead):
    return Feeder([Unit(f"u{index}", KIND) for index in range(count)], Overhead(**overhead))


def test_the_feeder_carries_units_fans_other_load_and_losses():
    assert feeder(other_w=1000.0, fans_frac=0.1, loss_frac=0.02).power_w(0.0) == pytest.approx(
        (3 * KIND.full_w * 1.1 + 1000.0) / 0.98
    )


def test_the_meter_shows_the_past_at_its_own_period_and_scale():
    site = feeder(1)
    meter = WallMeter(site, period_s=10.0, lag_s=25.0, scale=1.03)
    site.units[0].command(0.0, 1000.0)
    assert meter.reading(1021.0) == (990.0, pytest.approx(1.03 * KIND.full_w))
    assert meter.reading(1024.9) == meter.reading(1021.0)
    assert meter.reading(1300.0)[1] == pytest.approx(1.03 * KIND.asleep_w, rel=0.01)


def test_the_meter_counts_energy_without_the_gaps_between_its_readings():
    site = feeder(2, other_w=500.0)
    meter = WallMeter(site)
    meter.reading(0.0)
    first_j = meter.energy_j(0.0)
    site.units[0].command(0.0, 100.0)
    truth_j = sum(unit.energy_j(3600.0) for unit in site.units) + 500.0 * 3600.0
    assert meter.energy_j(3600.0) - first_j == pytest.approx(truth_j, rel=1e-9)


def test_the_highest_power_is_where_the_overshoot_ends():
    site = feeder(1)
    site.units[0].command(0.0, 0.0)
    site.units[0].command(KIND.full_w, 300.0)
    highest_w, at_s = site.highest_w(300.0, 2000.0)
    assert KIND.full_w * 1.01 < highest_w < KIND.full_w * (1.0 + KIND.overshoot_frac)
    assert at_s == pytest.approx(300.0 + KIND.boot_s + KIND.up_s)


def test_the_clock_runs_faster_or_is_stepped():
    real = [50.0]
    clock = SimulatedClock(1_800_000_000.0, 1000.0, lambda: real[0])
    real[0] = 51.5
    assert clock() == 1_800_001_500.0
    stepped = SimulatedClock(100.0, 0.0)
    assert stepped() == 100.0
    assert stepped.step(30.0) == 130.0 == stepped()
    with pytest.raises(ValueError, match="back"):
        stepped.step(-1.0)
