"""The points of a sweep, and the best of them."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.endpoint.figures.summary import Limits
from bench.endpoint.sweep.choice import Point, best, is_host_bound, pareto
from bench.endpoint.sweep.points import deepest_dip_frac, dips, geometric, in_random_order, knee, refined, rising


def test_points_double_up_to_the_last():
    assert geometric(1) == [1]
    assert geometric(64) == [1, 2, 4, 8, 16, 32, 64]
    assert geometric(100) == [1, 2, 4, 8, 16, 32, 64, 100]


def test_the_order_is_random_repeatable_and_ends_with_a_repeated_point():
    order = in_random_order(geometric(64), "seed")
    assert sorted(order[:-1]) == geometric(64)
    assert order[-1] == order[0]
    assert order == in_random_order(geometric(64), "seed")
    assert len({tuple(in_random_order(geometric(64), str(seed))) for seed in range(10)}) == 10
    assert in_random_order([4], "seed") == [4]


def windows(**rates):
    """Three windows of each load, all alike."""
    return {int(at[1:]): (rate,) * 3 for at, rate in rates.items()}


LIMITED = windows(_1=10.0, _2=20.0, _4=39.0, _8=40.0, _16=40.5)


def test_the_knee_is_where_more_load_brings_little_more():
    assert knee(LIMITED) == 4
    assert knee(windows(_1=10.0, _2=20.0, _4=39.0)) is None
    assert knee(windows(_1=10.0, _2=20.0, _4=30.0, _8=20.0)) == 4, "a server that falls behind has its knee before"
    assert refined(LIMITED) == [3, 6]
    assert refined(windows(_1=10.0, _2=9.0)) == []
    assert refined(windows(_1=10.0, _2=20.0)) == []


def test_only_a_load_below_a_smaller_and_a_larger_one_is_a_dip():
    assert deepest_dip_frac(LIMITED) == 0.0
    assert deepest_dip_frac(windows(_1=10.0, _2=20.0, _4=30.0, _8=20.0)) == 0.0
    assert deepest_dip_frac(windows(_1=36.0, _2=22.0, _4=46.0, _8=30.0)) == pytest.approx(1 - 22 / 36)


@given(st.dictionaries(st.integers(1, 99), st.lists(st.floats(1.0, 1e3), min_size=1, max_size=4), min_size=1))
def test_the_curve_of_the_knee_never_falls_and_keeps_the_tokens(throughput):
    curve = rising(throughput)
    assert list(curve) == sorted(throughput)
    assert list(curve.values()) == sorted(curve.values())
    total = sum(sum(rates) for rates in throughput.values())
    assert sum(curve[at] * len(rates) for at, rates in throughput.items()) == pytest.approx(total)


TRUE = {1: 100.0, 2: 190.0, 4: 360.0, 8: 640.0, 16: 700.0, 32: 705.0, 64: 700.0}  # the knee is at 16


def noisy(seed, slowed=None):
    """Three windows of each load that scatter by 3 %; one load may be slowed to half."""
    draw = random.Random(seed)
    return {
        at: tuple(rate * (0.5 if at == slowed else 1.0) * draw.gauss(1.0, 0.03) for _ in range(3))
        for at, rate in TRUE.items()
    }


def test_the_knee_is_the_same_for_windows_that_scatter():
    assert statistics.fmean(knee(noisy(seed)) == 16 for seed in range(200)) >= 0.93


@pytest.mark.parametrize("slowed", [2, 4, 8])
def test_a_load_that_something_slowed_is_no_knee_and_is_measured_again(slowed):
    """A comparison of neighbours would take the load before it for the knee."""
    for seed in range(50):
        measured = noisy(seed, slowed)
        assert knee(measured) in {8, 16, 32}
        assert dips(measured) in ([slowed], [])  # a load slowed to half may be as fast as the one before
        assert dips(noisy(seed)) == []


def test_a_dip_is_below_a_smaller_and_a_larger_load():
    assert dips(windows(_1=10.0, _2=20.0, _4=9.0, _8=40.0)) == [4]
    assert dips(windows(_1=10.0, _2=20.0, _4=19.5, _8=40.0)) == [], "within 5 %"
    assert dips(windows(_1=10.0, _2=40.0, _4=30.0, _8=20.0)) == [], "a server that falls behind"


def point(concurrency, rate, energy=None, tpot=0.02, **more):
    generator = random.Random(concurrency)
    scatter = [1.0 + 0.01 * generator.uniform(-1.0, 1.0) for _ in range(5)]
    joules = None if energy is None else tuple(energy * x for x in scatter)
    return Point(concurrency, f"r{concurrency}", tuple(rate * x for x in scatter), joules,
                 more.pop("power", None), tpot, 0.1, **more)  # fmt: skip


POINTS = [
    point(1, 100.0, 5.0, tpot=0.010),
    point(8, 600.0, 1.00, tpot=0.013),
    point(16, 900.0, 0.70, tpot=0.018),
    point(32, 1000.0, 0.698, tpot=0.032),
    point(64, 950.0, 0.80, tpot=0.064),
]


def test_points_that_cannot_be_told_apart_from_the_best_are_best_too():
    choice = best(POINTS, Limits())
    assert choice.by == "J/token"
    assert [p.concurrency for p in choice.alike] == [16, 32]


def test_a_limit_on_the_latency_excludes_points():
    assert [p.concurrency for p in best(POINTS, Limits(tpot_s=0.020)).alike] == [16]
    assert [p.concurrency for p in best(POINTS, Limits(tpot_s=0.014)).alike] == [8]
    assert best(POINTS, Limits(tpot_s=0.001)) is None
    assert best(POINTS, Limits(ttft_s=0.05)) is None


def test_without_a_meter_the_highest_throughput_is_best():
    choice = best([point(1, 100.0), point(8, 600.0), point(16, 605.0)], Limits())
    assert choice.by == "tokens/s"
    assert [p.concurrency for p in choice.alike] == [8, 16]


def test_a_point_that_another_beats_in_everything_is_not_on_the_front():
    assert [p.concurrency for p in pareto(POINTS)] == [1, 8, 16, 32]


def test_a_point_without_an_energy_is_not_on_the_front_of_metered_ones():
    """A client that was the limit costs the energy; nothing known is not nothing used."""
    unmetered = point(4, 90.0, None, tpot=0.5)
    assert unmetered not in pareto([*POINTS, unmetered])
    assert pareto([unmetered]) == [unmetered]


@pytest.mark.parametrize(("power", "found"), [((500.0, 400.0), [64]), ((500.0, 520.0), [])])
def test_power_that_falls_while_the_load_rises_is_the_host(power, found):
    points = [point(32, 1000.0, power=power[0]), point(64, 900.0, power=power[1])]
    assert [p.concurrency for p in is_host_bound(points)] == found
