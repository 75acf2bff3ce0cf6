"""The update period that a meter's readings show: a slow meter has it, a quick one and a steady load do not."""

import random

import pytest

from bench.meters.pace import learned_period_s
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier

INFO = MeterInfo("m", MeterKind.POWER, "wall", Tier.C, None, "none stated", 1.0, 1.0, poll_s=1.0)
SEEDS = 200


def readings(rng, value, seconds=60.0, late_frac=0.0):
    t, found = 0.0, []
    while t < seconds:
        t += rng.uniform(0.8, 1.2) + (rng.uniform(0.5, 6.0) if rng.random() < late_frac else 0.0)
        found.append(Reading(t, t, value(t), (t,)))
    return found


def learned(seed, value_of, **habits):
    rng = random.Random(seed)
    return learned_period_s(INFO, readings(rng, value_of(rng), **habits))


def slow(period_s, repeats_frac=0.0):
    """Return a meter that updates every `period_s`, and now and then to the value that it had."""

    def value_of(rng):
        phase_s, watts = rng.uniform(0.0, period_s), [rng.gauss(400.0, 5.0)]
        for _ in range(100):
            watts.append(watts[-1] if rng.random() < repeats_frac else rng.gauss(400.0, 5.0))
        return lambda t: watts[int((t + phase_s) / period_s)]

    return value_of


@pytest.mark.parametrize("period_s", [3.0, 4.0, 5.0, 8.0])
def test_a_slow_meter_shows_its_period(period_s):
    found = [learned(seed, slow(period_s)) for seed in range(SEEDS)]
    assert None not in found
    assert all(one == pytest.approx(period_s, rel=0.15) for one in found)


@pytest.mark.parametrize("period_s", [3.0, 4.0, 5.0])
def test_a_slow_meter_shows_its_period_to_a_machine_that_reads_late_now_and_then(period_s):
    found = [learned(seed, slow(period_s), late_frac=0.15, seconds=200.0) for seed in range(SEEDS)]
    assert sum(one is None for one in found) <= 0.05 * SEEDS
    assert all(one == pytest.approx(period_s, rel=0.15) for one in found if one is not None)


def test_a_slow_meter_that_repeats_a_value_shows_its_period():
    found = [learned(seed, slow(5.0, repeats_frac=0.3)) for seed in range(SEEDS)]
    seen = [one for one in found if one is not None]
    assert len(seen) > 0.8 * SEEDS
    assert sum(one == pytest.approx(5.0, rel=0.15) for one in seen) > 0.95 * len(seen)


def test_a_meter_as_quick_as_stated_is_left_as_it_is():
    assert {learned(seed, slow(1.0)) for seed in range(SEEDS)} == {None}


@pytest.mark.parametrize("share", [0.3, 0.2, 0.1, 0.05])
def test_a_steady_load_is_rarely_taken_for_a_slow_meter(share):
    """The value changes by chance at a share of the updates, as that of a steady load does in whole watts."""

    def value_of(rng):
        watts = [400.0]
        for _ in range(100):
            watts.append(watts[-1] + rng.choice([-1.0, 1.0]) * (rng.random() < share))
        return lambda t: watts[int(t)]

    found = [learned(seed, value_of) for seed in range(SEEDS)]
    assert sum(one is not None for one in found) <= 0.05 * SEEDS
