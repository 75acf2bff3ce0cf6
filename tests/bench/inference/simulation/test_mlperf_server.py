"""The Server scenario of MLPerf: a run of LoadGen, its limits and its lengths."""

import numpy as np
import pytest

from bench.inference.accelerator import accelerator
from bench.inference.columns.mlperf import distributions_of, target_of
from bench.inference.engine import engine
from bench.inference.predict import full_load_limits, plan_run, predict
from bench.inference.serving import Setup
from bench.inference.simulation.largest import Target
from bench.inference.simulation.mlperf_server import DURATION_S, Scenario, largest_run
from kernels.llm.counts import precision
from kernels.llm.shapes import load

LENGTHS = 871, 128
EQUAL = None, None


@pytest.fixture(scope="module")
def setup():
    return Setup(load("llama-3.1-8b"), precision("fp8"), accelerator("nvidia-h200"), 1, engine())


def run(setup, target, copies=8, distributions=EQUAL):
    return largest_run(setup, Scenario(LENGTHS, distributions, target, copies))


@pytest.mark.parametrize(
    ("model", "load_words", "ttft_s", "tpot_s"),
    [
        ("llama-2-70b", "MLPerf Server", 2.0, 0.2),
        ("llama-2-70b", "mlperf-interactive", 0.45, 0.04),
        ("llama-3.1-8b", "MLPerf Server", 2.0, 0.1),
        ("llama-3.1-405b", "mlperf-server", 6.0, 0.175),
    ],
)
def test_the_limits_are_those_of_99_of_100_requests_as_loadgen_has_them(model, load_words, ttft_s, tpot_s):
    assert target_of(model, load_words) == Target(0.99, ttft_s, tpot_s)


def test_other_scenarios_and_models_have_no_limits():
    assert target_of("llama-2-70b", "MLPerf Offline") is None
    assert target_of("llama-3.1-8b", "MLPerf SingleStream") is None
    assert target_of("gpt-oss-120b", "MLPerf Server") is None
    assert target_of(None, "MLPerf Server") is None


def test_the_lengths_of_openorca_have_their_published_spread_around_any_mean():
    inputs, outputs = distributions_of("llama-2-70b")
    assert distributions_of("llama-3.1-8b") == (None, None)
    for distribution, mean in ((inputs, 220), (outputs, 294)):
        lengths = distribution.draw(np.random.default_rng(1), 200_000, mean)
        assert lengths.mean() == pytest.approx(mean, rel=0.01)
        assert 0.6 < lengths.std() / lengths.mean() < 0.9


def test_the_largest_run_keeps_the_limits_and_lasts_as_long_as_loadgen_asks(setup):
    target = Target(0.99, 2.0, 0.1)
    found = run(setup, target)
    served = found.served
    assert target.is_met(served.ttft_s, served.tpot_s)
    assert served.requests.arrival_s[-1] == pytest.approx(DURATION_S, rel=0.02)
    assert found.tokens_per_s == pytest.approx(served.requests.output_len.sum() / served.last_s.max())
    offline = predict(plan_run(setup, *LENGTHS)).tokens_per_s
    assert 0.9 * offline < found.tokens_per_s < 1.05 * offline


@pytest.mark.slow
def test_stricter_limits_have_a_smaller_rate_and_impossible_ones_none(setup):
    rates = [run(setup, target).tokens_per_s for target in (Target(0.99, 2.0, 0.1), Target(0.99, 0.5, 0.03))]
    assert rates[1] < 0.97 * rates[0]
    assert run(setup, Target(0.99, 2.0, 0.003)) is None


def test_a_tight_limit_is_kept_with_a_smaller_token_budget(setup):
    assert run(setup, Target(0.99, 2.0, 0.02)).tokens < full_load_limits(setup, *LENGTHS).tokens


def test_copies_that_take_turns_have_evener_arrivals_and_serve_more(setup):
    strict = Target(0.99, 0.06, 0.03)
    assert run(setup, strict, copies=8).tokens_per_s > 1.02 * run(setup, strict, copies=1).tokens_per_s


def test_unlike_lengths_serve_less_than_equal_ones():
    setup = Setup(load("llama-2-70b"), precision("fp4"), accelerator("nvidia-b200"), 1, engine())
    target = target_of("llama-2-70b", "MLPerf Server")
    rates = [
        largest_run(setup, Scenario((220, 294), distributions, target, 8)).tokens_per_s
        for distributions in (distributions_of("llama-2-70b"), EQUAL)
    ]
    assert 0.85 * rates[1] < rates[0] < rates[1]
