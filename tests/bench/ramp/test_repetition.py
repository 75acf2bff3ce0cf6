"""The figures of a ramp hold the truth in 95 % of sessions, and what cannot be read is refused with its reason."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from doubles.ramp.shapes import Session, Shape, Wall, session

from bench.ramp.repetition import RampError, Source, read
from bench.ramp.rule import Meter, Rule
from bench.ramp.samples import Samples, plateau
from bench.ramp.summary import Figure, figures

RULE = Rule()
SEEDS = 200
SHAPES = {
    "first-order lag": Shape(),
    "stairs": Shape(stairs=6, up_s=60.0),
    "boot plateau": Shape(boot_s=60.0),
    "tuning": Shape(tuning_frac=0.02, rate_lag_s=8.0),
    "overshoot": Shape(overshoot_frac=0.12),
    "fast": Shape(dead_s=0.1, down_s=0.2, boot_s=0.5, boot_after_s=0.1, up_s=0.5),
    "server": Shape(5600.0, 900.0, boot_w=1100.0, boot_s=4.0, boot_after_s=0.5, up_s=2.0),
}
WALLS = (
    Wall(),
    Wall(noise_w=6.0),
    Wall(period_s=5.0, averaging_s=5.0),
    Wall(period_s=10.0, averaging_s=10.0, poll_s=1.0),
    Wall(period_s=2.0, averaging_s=0.0, lag_s=15.0),
    Wall(period_s=0.2, averaging_s=2.0),
)


def _figures(seen: Session) -> dict[str, Figure]:
    def before(source: Source):
        return plateau(source.samples.between(seen.before_s - RULE.plateau_s, seen.before_s))

    full, usual = before(seen.power), before(seen.rate)
    repetitions = [read(switch, seen.power, full, (seen.rate, usual), RULE) for switch in seen.switches]
    return figures(repetitions, full, usual, 0.01)


@pytest.fixture(scope="module")
def hits() -> dict[str, Counter[bool]]:
    """Return for each figure how often its interval holds the truth, over all kinds of ramps and meters."""
    counts: dict[str, Counter[bool]] = {}
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        shape = list(SHAPES.values())[seed % len(SHAPES)]
        seen = session(shape, WALLS[seed % len(WALLS)], random)
        known = _figures(seen)
        for name, truth in seen.truth.items():
            low, high = known[name].interval
            counts.setdefault(name, Counter())[low <= truth <= high] += 1
    return counts


@pytest.mark.parametrize(
    "figure",
    [
        "off_time",
        "on_time",
        "full_power_time",
        "full_rate_time",
        "off_energy",
        "lost_output_time",
        "start_energy",
        "resting_power",
        "full_power",
    ],
)
def test_the_interval_holds_the_truth_in_95_percent_of_200_sessions(hits, figure: str) -> None:
    assert hits[figure][True] >= 0.95 * SEEDS


@pytest.mark.parametrize("name", SHAPES)
def test_a_quick_meter_gives_times_to_a_few_seconds(name: str) -> None:
    known = _figures(session(SHAPES[name], Wall(), np.random.default_rng(1), scatter=0.0))
    for figure in ("off_time", "on_time"):
        low, high = known[figure].interval
        assert high - low < 5.0


def test_a_meter_of_ten_seconds_cannot_give_one_second() -> None:
    known = _figures(session(SHAPES["fast"], Wall(period_s=10.0, averaging_s=10.0), np.random.default_rng(1)))
    low, high = known["on_time"].interval
    assert high - low > 5.0


def test_a_lag_that_nobody_states_shifts_the_times_and_one_that_is_stated_is_held() -> None:
    late = session(SHAPES["fast"], Wall(lag_s=15.0), np.random.default_rng(1))
    assert _figures(late)["off_time"].interval[0] <= late.truth["off_time"]
    unstated = replace(late, power=Source(late.power.samples, Meter(1.0, 1.0)))
    assert _figures(unstated)["off_time"].interval[0] > late.truth["off_time"]


def test_the_rate_lags_behind_the_power() -> None:
    known = _figures(session(Shape(rate_lag_s=40.0), Wall(), np.random.default_rng(1), scatter=0.0))
    low, high = known["rate_lag"].interval
    shape_lag_s = 40.0 - (64.16 - 54.54)  # the rate counts from 90 %, the power from 95 %
    assert low <= shape_lag_s <= high


def test_an_overshoot_is_at_most_that_of_the_device() -> None:
    known = _figures(session(Shape(overshoot_frac=0.12), Wall(noise_w=0.5), np.random.default_rng(1)))
    assert 0.0 < known["overshoot_power"].value <= 0.12 * 3400.0 + 3.0


@pytest.mark.parametrize(
    ("shape", "wall", "watch_s", "off_s", "code"),
    [
        (Shape(resting_w=3300.0, boot_w=3300.0), Wall(), None, None, "ramp_step_small"),
        (Shape(), Wall(noise_w=100.0), None, None, "ramp_step_small"),
        (Shape(dead_s=1e4), Wall(), None, 100.0, "ramp_never_off"),
        (Shape(dead_s=90.0, down_s=30.0), Wall(), None, 130.0, "ramp_never_off"),
        (Shape(boot_s=500.0, boot_after_s=500.0), Wall(), 200.0, None, "ramp_never_on"),
        (Shape(boot_s=500.0), Wall(), 200.0, None, "ramp_never_full"),
    ],
)
def test_a_step_that_is_too_small_or_never_comes_is_refused_with_its_reason(shape, wall, watch_s, off_s, code) -> None:
    with pytest.raises(RampError) as caught:
        _figures(session(shape, wall, np.random.default_rng(1), watch_s=watch_s, off_s=off_s))
    assert caught.value.code == code
    assert caught.value.detail


def test_a_rate_that_stays_low_is_refused_although_the_power_is_back() -> None:
    seen = session(Shape(), Wall(), np.random.default_rng(1))
    last_s = seen.switches[0].on_s
    times, values = seen.rate.samples.times_s, seen.rate.samples.values
    low = Samples(times, tuple(v if t < last_s else 0.7 * v for t, v in zip(times, values, strict=True)))
    with pytest.raises(RampError, match="the rate stays below") as caught:
        _figures(replace(seen, rate=Source(low, seen.rate.meter)))
    assert caught.value.code == "ramp_never_full"
