"""What the edges of a window may cost: a load that steps near them, read by meters of each kind, over many seeds."""

import math
import random

import pytest

from bench.measure import stats
from bench.measure.summary import metrics
from bench.meters.integrate import energy_of, power_energy
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier
from bench.results.record import Energy, Window

T0, T1, PERIOD_S = 100.0, 200.0, 1.0
SEEDS = 300


class Steps:
    """A power that steps twice, and its integral."""

    def __init__(self, watts, times_s):
        self.watts, self.times_s = watts, times_s

    def power_w(self, t):
        return self.watts[sum(t >= time_s for time_s in self.times_s)]

    def energy_j(self, t):
        starts, ends = [0.0, *self.times_s], [*self.times_s, math.inf]
        return sum(w * max(0.0, min(t, b) - a) for w, a, b in zip(self.watts, starts, ends, strict=True))

    def mean_w(self, t, averaging_s):
        return (self.energy_j(t) - self.energy_j(t - averaging_s)) / averaging_s


def steps(rng, after_s):
    """Return a load with a step near each edge, which samples of one period do not miss in between."""
    watts = [rng.uniform(100.0, 500.0) for _ in range(3)]
    return Steps(watts, [T0 + rng.uniform(-8.0, after_s), T1 + rng.uniform(-after_s, 8.0)])


def readings(rng, value):
    """Return readings whose distance varies by ±20 %, as that of every live meter does."""
    t, found = 60.0 + rng.random(), []
    while t < 240.0:
        found.append(Reading(t, t, value(t), (t,)))
        t += PERIOD_S * rng.uniform(0.8, 1.2)
    return found


def instant(_rng, load):
    return 0.0, load.power_w


def average(_rng, load):
    return 6.0, lambda t: load.mean_w(t, 6.0)


def late(rng, load):
    """Return the mean of the last period, as it was at the last update of the device."""
    phase_s = rng.random()
    return PERIOD_S, lambda t: load.mean_w(math.floor((t - phase_s) / PERIOD_S) * PERIOD_S + phase_s, PERIOD_S)


def counter(_rng, load):
    return 0.0, load.energy_j


def reading_of(seed, kind):
    """Return what a meter reads over the window, and the true energy [J]."""
    rng = random.Random(seed)
    load = steps(rng, 8.0 if kind is average else 0.0)
    averaging_s, value = kind(rng, load)
    of = MeterKind.COUNTER if kind is counter else MeterKind.POWER
    info = MeterInfo("m", of, "wall", Tier.B, 0.01, "stated", PERIOD_S, averaging_s, poll_s=PERIOD_S)
    return energy_of(info, readings(rng, value), T0, T1), load.energy_j(T1) - load.energy_j(T0)


@pytest.mark.parametrize("kind", [instant, average, late, counter])
def test_rule_13_the_error_of_the_edges_is_within_what_is_said(kind):
    found = [reading_of(seed, kind) for seed in range(SEEDS)]
    errors = [(abs(energy.joules - true_j), energy.edges_j) for energy, true_j in found if energy.joules is not None]
    assert len(errors) == SEEDS
    assert [pair for pair in errors if pair[0] > pair[1] + 1e-6] == []
    assert max(error_j / edges_j for error_j, edges_j in errors if error_j > 1e-6) > 0.3  # and not far from it


@pytest.mark.parametrize("kind", [instant, average, late, counter])
def test_rule_13_a_steady_load_has_no_error_of_edges(kind):
    rng = random.Random(1)
    averaging_s, value = kind(rng, Steps([300.0, 300.0, 300.0], [T0, T1]))
    of = MeterKind.COUNTER if kind is counter else MeterKind.POWER
    info = MeterInfo("m", of, "wall", Tier.B, 0.01, "stated", PERIOD_S, averaging_s, poll_s=PERIOD_S)
    assert energy_of(info, readings(rng, value), T0, T1).edges_j == pytest.approx(0.0, abs=1e-6)


def test_rule_13_the_edges_are_in_the_interval():
    info = MeterInfo("m", MeterKind.POWER, "wall", Tier.B, 0.01, "stated", PERIOD_S)
    windows = [_window(index, edges_j=600.0) for index in range(3)]
    figures = metrics("hash", windows, [info])
    for name in ("power_wall", "energy_per_hash_wall"):
        metric = figures[name]
        assert metric.u_edges_frac == pytest.approx(stats.standard_from_limits(0.02))
        half = metric.interval_95[1] / metric.value - 1.0
        assert half == pytest.approx(1.96 * stats.standard_from_limits(math.hypot(0.01, 0.02)), rel=1e-4)


def _window(index, edges_j):
    energy = Energy(meter="m", boundary="wall", tier="B", joules=30000.0, samples=100, edges_j=edges_j)
    return Window(index=index, start_utc="2026-01-01T00:00:00Z", start_s=100.0 * index, end_s=100.0 * index + 100.0,
                  work=1e6, batches=1, energy=(energy,))  # fmt: skip


def test_rule_04_a_clock_that_may_be_off_widens_the_edges_of_a_power_meter_by_the_step_that_is_near():
    """The window may lie anywhere within the bound: a step that is so near counts, and one that is farther does not."""
    info = MeterInfo("log", MeterKind.POWER, "wall", Tier.B, 0.0, "", PERIOD_S, PERIOD_S, PERIOD_S)
    load = Steps([100.0, 400.0, 400.0], [T0 - 5.0, T1 + 50.0])
    every_second = [Reading(t + 0.5, t + 0.5, load.power_w(t + 0.5), (t,)) for t in range(60, 240)]
    exact, near, wide = (power_energy(info, every_second, T0, T1, clock_s) for clock_s in (0.0, 2.0, 8.0))
    assert exact.joules == near.joules == wide.joules
    assert exact.edges_j == near.edges_j == 0.0
    for shift_s in (-8.0, 8.0):
        error_j = load.energy_j(T1 + shift_s) - load.energy_j(T0 + shift_s) - exact.joules
        assert abs(error_j) <= wide.edges_j
    assert wide.edges_j == pytest.approx((PERIOD_S / 2.0 + PERIOD_S + 8.0) * 300.0)
