"""The simulated server as the queues whose waiting times are known, and the law of Little."""

import math

import numpy as np
import pytest
from doubles.inference.step_costs import constant, per_token, step_cost

from bench.inference.batching import Limits
from bench.inference.simulation.arrivals import draw
from bench.inference.simulation.serve import Requests, serve

SEEDS = 40
COUNT, WARM_UP = 40_000, 4_000
MOST_ERRORS = 4.0  # standard errors by which a mean over the seeds may be off


def waits_s(requests_of, cost, limits):
    """The mean wait of each seed, after the warm-up."""
    means = []
    for seed in range(SEEDS):
        served = serve(requests_of(seed), cost, limits)
        means.append((served.start_s - served.requests.arrival_s)[WARM_UP:].mean())
    return np.array(means)


def assert_mean(values, expected):
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert error < 0.02 * expected
    assert abs(values.mean() - expected) < MOST_ERRORS * error


@pytest.mark.parametrize("load", [0.3, 0.7, 0.85])
@pytest.mark.parametrize("output_len", [1, 5])
def test_one_slot_and_equal_requests_wait_as_in_m_d_1(load, output_len):
    step_s = 0.02
    service_s = step_s * output_len
    waits = waits_s(
        lambda seed: draw(COUNT, (30, output_len), seed).at(load / service_s), constant(step_s, 40), Limits(1, 40)
    )
    assert_mean(waits, load * service_s / (2.0 * (1.0 - load)))


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_slot_and_exponential_prompts_wait_as_in_m_m_1(load):
    mean_len, token_s = 2000, 1e-5

    def requests(seed):
        drawn = draw(COUNT, (mean_len, 1), seed).at(load / (mean_len * token_s))
        lengths = np.random.default_rng([seed, 1]).geometric(1.0 / mean_len, COUNT)
        return Requests(drawn.arrival_s, lengths, drawn.output_len)

    waits = waits_s(requests, per_token(token_s, 40 * mean_len), Limits(1, 40 * mean_len))
    assert_mean(waits, load * mean_len * token_s / (1.0 - load))


def test_prompts_read_in_parts_wait_as_in_the_formula_of_pollaczek_and_khinchine():
    budget, step_s, load = 50, 0.01, 0.6  # a prompt takes one step for each 50 tokens or part of them
    lengths = np.array([20, 90, 240, 480])
    service_s = step_s * np.ceil(lengths / budget)
    rate_per_s = load / service_s.mean()

    def requests(seed):
        drawn = draw(COUNT, (1, 1), seed).at(rate_per_s)
        return Requests(drawn.arrival_s, np.random.default_rng([seed, 2]).choice(lengths, COUNT), drawn.output_len)

    waits = waits_s(requests, constant(step_s, budget), Limits(1, budget))
    assert_mean(waits, rate_per_s * np.mean(service_s**2) / (2.0 * (1.0 - load)))


@pytest.mark.parametrize("burstiness", [0.3, 1.0, 4.0])
def test_requests_in_service_are_their_rate_times_their_time_in_service(burstiness):
    """Little's law: the integral that the loop keeps against the times of the requests."""
    cost = step_cost(0.01 + 1e-4 * np.arange(201), 0.01 + 1e-3 * np.arange(17), context_s=1e-6)
    served = serve(draw(5000, (120, 30), 3, burstiness=burstiness).at(20.0), cost, Limits(16, 200))
    span_s = served.last_s.max()
    in_service = served.in_service_s / span_s
    rate_per_s, time_s = 5000 / span_s, (served.last_s - served.start_s).mean()
    assert in_service == pytest.approx(rate_per_s * time_s, rel=1e-9)
    assert 1.0 < in_service < 16.0
    assert served.busy_s < span_s


def test_no_server_is_faster_than_its_steps_and_no_slot_is_taken_twice():
    cost = step_cost(0.01 + 1e-4 * np.arange(201), 0.01 + 1e-3 * np.arange(9))
    served = serve(draw(3000, (120, 10), 5).at(60.0), cost, Limits(8, 200))
    events = sorted([*((time, 1) for time in served.start_s), *((time, -1) for time in served.last_s)])
    assert np.cumsum([change for _, change in events]).max() == 8
    assert served.tpot_s.min() >= 0.011
    assert np.all(np.diff(served.start_s) >= 0.0)
