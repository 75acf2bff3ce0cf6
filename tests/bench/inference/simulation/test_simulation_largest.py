"""The largest rate within latency limits: that of a queue with a known tail, with an interval that covers it."""

import math

import numpy as np
import pytest
from doubles.inference.step_costs import per_token, step_cost

from bench.inference.batching import Limits
from bench.inference.simulation.arrivals import Drawn, draw
from bench.inference.simulation.bisection import bisected
from bench.inference.simulation.largest import Target, largest_rate, meets
from bench.inference.simulation.server import Server

MEAN_LEN, TOKEN_S = 2000, 1e-5
SERVICE_PER_S = 1.0 / (MEAN_LEN * TOKEN_S)
M_M_1 = Server(per_token(TOKEN_S, 40 * MEAN_LEN), Limits(1, 40 * MEAN_LEN))
BATCHED = Server(step_cost(0.01 + 1e-4 * np.arange(401), 0.01 + 1e-3 * np.arange(17)), Limits(16, 400))


def exponential(seed, count=20_000):
    """Requests of an M/M/1 queue, whose time in the system is exponential with the rate of service less arrivals."""
    drawn = draw(count, (1, 1), seed)
    return Drawn(drawn.gaps, np.random.default_rng([seed, 1]).geometric(1 / MEAN_LEN, count), drawn.output_len)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_the_largest_rate_is_that_of_the_known_tail_and_its_interval_covers_it(level):
    expected = 0.5 * SERVICE_PER_S
    target = Target(level, math.log(1 / (1 - level)) / (SERVICE_PER_S - expected), None)
    seeds = 30
    rates = [largest_rate(M_M_1, exponential(seed), target, SERVICE_PER_S) for seed in range(seeds)]
    error = np.std([rate.value for rate in rates], ddof=1) / math.sqrt(seeds)
    assert error < 0.01 * expected
    assert abs(np.mean([rate.value for rate in rates]) - expected) < 4 * error + 0.005 * expected
    covered = sum(rate.low <= expected <= rate.high for rate in rates) / seeds
    assert covered >= 0.83  # 0.95 within three standard errors of 30 seeds


def test_a_rate_a_twentieth_larger_misses_the_target_and_the_largest_one_meets_it():
    drawn = draw(20_000, (150, 30), 3)
    capacity = BATCHED.capacity_per_s(150, 30)
    target = Target(0.99, 0.2, 0.03)
    rate = largest_rate(BATCHED, drawn, target, capacity)
    assert meets(BATCHED.serve(drawn.at(rate.value)), target)
    assert not meets(BATCHED.serve(drawn.at(rate.value * 1.05)), target)
    assert rate.low < rate.value < rate.high < capacity


def test_a_stricter_limit_or_a_higher_quantile_has_a_smaller_rate():
    drawn, capacity = draw(20_000, (150, 30), 3), BATCHED.capacity_per_s(150, 30)
    rates = [
        largest_rate(BATCHED, drawn, target, capacity).value
        for target in (Target(0.9, 0.3, None), Target(0.9, 0.1, None), Target(0.99, 0.1, None), Target(0.99, 0.1, 0.02))
    ]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4


def test_a_limit_that_no_request_meets_has_no_rate_and_one_that_all_meet_has_the_capacity():
    drawn, capacity = draw(2000, (150, 30), 3), BATCHED.capacity_per_s(150, 30)
    assert largest_rate(BATCHED, drawn, Target(0.99, 0.01, None), capacity) is None
    assert largest_rate(BATCHED, drawn, Target(0.99, 1e6, None), capacity).value == capacity


def test_the_capacity_of_one_slot_is_one_over_the_time_of_a_request():
    assert Server(BATCHED.cost, Limits(1, 400)).capacity_per_s(150, 30) == pytest.approx(
        1 / (0.025 + 29 * 0.011), rel=0.02
    )


def test_below_the_capacity_the_wait_does_not_grow_and_above_it_does():
    capacity = BATCHED.capacity_per_s(150, 30)
    for rate, grows in ((0.95 * capacity, False), (1.05 * capacity, True)):
        ttft_s = BATCHED.serve(draw(50_000, (150, 30), 7).at(rate)).ttft_s
        assert (ttft_s[40_000:].mean() > 2 * ttft_s[10_000:20_000].mean()) == grows


def test_a_bisection_finds_the_edge_from_near_from_afar_and_not_outside():
    for edge in (1.5, 3.0, 77.0):
        for near in (None, 1.0, 2.9, 3.1, 99.0):
            assert bisected(lambda rate, edge=edge: rate <= edge, 1.0, 100.0, near) == pytest.approx(edge, rel=1e-3)
    assert bisected(lambda _: False, 1.0, 100.0, 50.0) is None
    assert bisected(lambda _: True, 1.0, 100.0, 2.0) == 100.0


def test_a_target_says_its_limits_in_words():
    assert Target(0.99, 0.45, 0.04).words == "TTFT q99 <= 450 ms and TPOT q99 <= 40 ms"
    assert Target(0.999, None, 0.0305).words == "TPOT q99.9 <= 30.5 ms"
