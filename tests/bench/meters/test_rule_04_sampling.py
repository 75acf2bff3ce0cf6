"""Rule 4, the sampling of power meters, broken on purpose."""

import math

import pytest

from bench.meters.integrate import power_energy
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier


def info(kind=MeterKind.POWER, period_s=0.1, **more):
    return MeterInfo("m", kind, "wall", Tier.C, None, "none", period_s, poll_s=period_s, **more)


def stream(watts, period_s=0.1, seconds=12.0, start=0.0):
    """Readings of a power over time, as a function of t."""
    count = round(seconds / period_s)
    times = [start + i * period_s for i in range(count + 1)]
    return [Reading(t, 1e9 + t, watts(t)) for t in times]


def wave(t):
    return 100.0 + 20.0 * math.sin(t)


def true_wave_j(t0, t1):
    return 100.0 * (t1 - t0) - 20.0 * (math.cos(t1) - math.cos(t0))


def test_rule_04_a_power_curve_integrates_to_its_energy_with_both_edges_interpolated():
    found = power_energy(info(), stream(wave), 1.234, 11.111)
    assert found.joules == pytest.approx(true_wave_j(1.234, 11.111), rel=1e-4)
    assert found.half_energies_j is not None
    assert sum(found.half_energies_j) == pytest.approx(found.joules)
    assert found.largest_gap_s == pytest.approx(0.1)


def test_rule_04_fewer_than_fifty_distinct_samples_give_no_joules():
    readings = stream(wave, period_s=0.25)
    assert power_energy(info(period_s=0.25), readings, 0.5, 11.5).reasons == ("too_few_samples",)
    assert power_energy(info(period_s=0.2), stream(wave, period_s=0.2), 0.5, 11.5).valid


def test_rule_04_repeated_samples_are_one_sample():
    slow = stream(lambda t: wave(math.floor(t)))  # asked at 10 Hz, but measured once a second
    found = power_energy(info(), slow, 0.5, 11.5)
    assert found.joules is None
    assert {"too_few_samples", "sample_gap"} <= set(found.reasons)


def test_rule_04_a_gap_of_more_than_three_periods_gives_no_joules():
    readings = [r for r in stream(wave) if not 5.0 < r.t_s < 5.6]
    assert power_energy(info(), readings, 1.0, 11.0).reasons == ("sample_gap",)
    shorter = [r for r in stream(wave) if not 5.0 < r.t_s < 5.4]
    assert power_energy(info(), shorter, 1.0, 11.0).valid


@pytest.mark.parametrize(("t0", "t1"), [(-0.5, 8.0), (5.0, 12.5)])
def test_rule_04_an_edge_without_a_sample_beyond_it_gives_no_joules(t0, t1):
    assert "edge_missing" in power_energy(info(), stream(wave), t0, t1).reasons


def test_rule_04_a_source_slower_than_five_seconds_is_context_not_a_headline():
    readings = stream(wave, period_s=6.0, seconds=600.0)
    assert "meter_too_slow" in power_energy(info(period_s=6.0), readings, 6.0, 594.0).reasons


def test_rule_04_a_meter_that_freezes_is_stale_and_one_that_never_moved_is_warned():
    froze = stream(lambda t: wave(min(t, 5.0)), seconds=30.0)
    assert "samples_stale" in power_energy(info(), froze, 6.0, 28.0).reasons
    assert "samples_stale" in power_energy(info(), froze, 1.0, 28.0).reasons
    constant = power_energy(info(), stream(lambda _: 100.0), 1.0, 11.0)
    assert constant.joules == pytest.approx(1000.0)
    assert constant.warnings == ("samples_repeated",)


def test_rule_04_a_step_of_the_wall_clock_leaves_durations_alone_and_is_told():
    readings = [Reading(r.t_s, r.utc_s + (3600.0 if r.t_s > 6.0 else 0.0), r.value) for r in stream(wave)]
    found = power_energy(info(), readings, 1.0, 11.0)
    assert found.joules == pytest.approx(true_wave_j(1.0, 11.0), rel=1e-3)
    assert "clock_step" in found.warnings


def test_rule_04_missing_samples_are_not_zero():
    readings = [Reading(r.t_s, r.utc_s, None, codes=("read_failed",)) if 50 <= i <= 52 else r
                for i, r in enumerate(stream(wave))]  # fmt: skip
    found = power_energy(info(), readings, 1.0, 11.0)
    assert found.joules == pytest.approx(true_wave_j(1.0, 11.0), rel=1e-3)
    assert found.warnings == ("read_failed",)
