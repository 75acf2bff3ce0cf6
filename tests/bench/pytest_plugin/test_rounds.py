"""The measured rounds of a benchmark, from the stamps of its timer."""

import time
from types import SimpleNamespace

import pytest

from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.pytest_plugin import timer as timers
from bench.pytest_plugin.energy import Round, Timed, measured_rounds, needed_codes


def fixture(durations, mode="benchmark.pedantic(...)", precision=None, iterations=1, disabled=False):
    stats = SimpleNamespace(stats=SimpleNamespace(data=durations), iterations=iterations)
    return SimpleNamespace(_mode=mode, _precision=precision, stats=stats, disabled=disabled)


@pytest.mark.parametrize(
    ("made", "stamps", "code"),
    [
        (fixture([1.0]), [0.0, 1.0], None),
        (fixture([1.0]), [0.0, 5.0, 6.0, 7.0], None),  # a warm-up round before it
        (fixture([0.5], iterations=2), [0.0, 1.0], None),
        (fixture([1.0]), [0.0, 1.0, 2.0], "timer_mismatch"),
        (fixture([1.0, 1.0]), [0.0, 1.0], "timer_mismatch"),
        (fixture([0.9]), [0.0, 1.0], "timer_mismatch"),
        (fixture([1.0], precision=0.01), [0.0, 1.0], "precision_with_power"),
        (fixture([1.0], mode="benchmark(...)"), [0.0, 1.0], "not_pedantic"),
        (fixture([], disabled=True), [], "benchmark_disabled"),
    ],
)
def test_the_last_two_stamps_a_round_are_the_measured_ones_or_none_are(made, stamps, code):
    timed = measured_rounds(made, stamps)
    assert timed.reasons == ((code,) if code else ())
    assert len(timed.rounds) == (0 if code else 1)
    if not code:
        assert timed.rounds[0].end_s == stamps[-1]


def test_setup_between_rounds_is_not_work():
    info = MeterInfo("m", MeterKind.COUNTER, "wall", Tier.B, 0.01, "", 0.01)
    close = Timed((Round(0.0, 5.0), Round(5.001, 10.0)), 2.0, 0.0)
    apart = Timed((Round(0.0, 5.0), Round(7.0, 10.0)), 2.0, 0.0)
    assert needed_codes(info, close) == []
    assert needed_codes(info, apart) == ["work_energy_mismatch"]
    assert needed_codes(info, Timed((Round(0.0, 0.5),), 2.0, 0.0)) == ["window_short"]


def test_a_cheap_meter_is_read_outside_of_each_round():
    order = []
    timers.begin([lambda: order.append(time.monotonic())])
    start, end = timers.stamp(), timers.stamp()
    assert order[0] <= start <= end <= order[1]
    assert timers.stamps() == [start, end]
    timers.begin([])
