"""Intervals of the simulated latencies cover the truth as often as they promise."""

import numpy as np
import pytest
from doubles.inference.step_costs import step_cost

from bench.inference.batching import Limits
from bench.inference.simulation.arrivals import Quantiles, draw
from bench.inference.simulation.serve import serve
from bench.inference.simulation.spread import spread
from hardware_profiles.errors import InputError

FIGURES = ("mean_s", "q50_s", "q90_s", "q99_s")
LIMITS, RATE_PER_S = Limits(16, 400), 10.0  # six tenths of the capacity
COST = step_cost(0.01 + 1e-4 * np.arange(401), 0.01 + 1e-3 * np.arange(17), context_s=1e-6)


def latencies_s(seed, count, warm_up):
    served = serve(draw(count + warm_up, (150, 30), seed).at(RATE_PER_S), COST, LIMITS)
    return served.ttft_s[warm_up:], served.tpot_s[warm_up:]


@pytest.fixture(scope="module")
def truth():
    return [spread(one) for one in latencies_s(12345, 4_000_000, 10_000)]


@pytest.mark.slow
@pytest.mark.parametrize("latency", [0, 1])
def test_the_interval_of_each_figure_covers_the_truth_in_about_95_of_100_seeds(truth, latency):
    seeds = 300
    estimates = [spread(latencies_s(seed, 20_000, 2_000)[latency]) for seed in range(seeds)]
    for figure in FIGURES:
        true = getattr(truth[latency], figure).value
        covered = sum(getattr(one, figure).low <= true <= getattr(one, figure).high for one in estimates) / seeds
        assert 0.91 <= covered <= 0.99, figure  # 0.95 within three standard errors of 300 seeds
        widths = [getattr(one, figure).high - getattr(one, figure).low for one in estimates]
        assert 0.001 < np.mean(widths) / true < 0.5, figure


def test_equal_latencies_have_an_interval_without_width():
    found = spread(np.full(1000, 0.5))
    assert {(one.value, one.low, one.high) for figure in FIGURES for one in [getattr(found, figure)]} == {(0.5,) * 3}


def test_lengths_follow_their_quantiles_and_have_their_mean():
    distribution = Quantiles((0.0, 0.5, 0.9, 1.0), (50.0, 150.0, 500.0, 1000.0))
    mean = 0.5 * 100 + 0.4 * 325 + 0.1 * 750
    lengths = draw(200_000, (255, 10), 1, distributions=(distribution, None)).input_len
    assert lengths.mean() == pytest.approx(255, rel=0.01)
    assert np.quantile(lengths, 0.9) == pytest.approx(500 * 255 / mean, rel=0.02)
    assert lengths.min() >= 50 * 255 // mean
    scaled = draw(200_000, (510, 10), 1, distributions=(distribution, None)).input_len
    assert scaled.mean() == pytest.approx(510, rel=0.01)


@pytest.mark.parametrize("burstiness", [0.5, 1.0, 8.0])
def test_gaps_have_the_mean_and_the_spread_of_their_burstiness(burstiness):
    gaps = draw(200_000, (1, 1), 9, burstiness=burstiness).gaps
    assert gaps.mean() == pytest.approx(1.0, abs=5 * (burstiness * 200_000) ** -0.5)
    assert gaps.var() == pytest.approx(1.0 / burstiness, rel=0.05)


@pytest.mark.parametrize("burstiness", [0.0, -1.0, float("nan"), float("inf")])
def test_a_burstiness_that_is_no_shape_is_refused(burstiness):
    with pytest.raises(InputError, match="burstiness: expected a number above 0"):
        draw(10, (1, 1), 0, burstiness=burstiness)
