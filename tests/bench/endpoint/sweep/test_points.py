"""The points of a sweep, and the best of them."""

import random

import pytest

from bench.endpoint.figures.summary import Limits
from bench.endpoint.sweep.choice import Point, best, is_host_bound, pareto
from bench.endpoint.sweep.points import geometric, in_random_order, knee, refined


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


def test_the_knee_is_where_more_load_brings_little_more():
    assert knee({1: 10.0, 2: 20.0, 4: 39.0, 8: 40.0, 16: 40.5}) == 4
    assert knee({1: 10.0, 2: 20.0, 4: 39.0}) is None
    assert refined({1: 10.0, 2: 20.0, 4: 39.0, 8: 40.0, 16: 40.5}) == [3, 6]
    assert refined({1: 10.0, 2: 9.0}) == []
    assert refined({1: 10.0, 2: 20.0}) == []


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
