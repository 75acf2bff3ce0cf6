"""Predictions for random arrivals: rates, tails, tags and refusals."""

import pytest

from bench.inference.accelerator import accelerator
from bench.inference.engine import engine
from bench.inference.predict import Scale, plan_run, predict
from bench.inference.serving import Setup
from bench.inference.simulation.largest import Target
from bench.inference.simulation.open_loop import Traffic, best_open_loop, open_loop
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision
from kernels.llm.shapes import load

LENGTHS = 1000, 100


@pytest.fixture(scope="module")
def setup():
    return Setup(load("llama-3.1-8b"), precision("fp8"), accelerator("nvidia-h200"), 1, engine())


def test_few_requests_have_the_latencies_of_a_single_user(setup):
    rare, single = open_loop(setup, Traffic(*LENGTHS), 0.001), predict(plan_run(setup, *LENGTHS, clients=1))
    assert rare.ttft.q50_s.value == pytest.approx(single.ttft_s, rel=1e-6)
    assert rare.tpot.mean_s.value == pytest.approx(single.tpot_s, rel=1e-3)
    assert rare.concurrent == pytest.approx(0.001 * (single.ttft_s + 99 * single.tpot_s), rel=0.01)


def test_a_rate_of_requests_gives_as_many_tokens_with_five_tags(setup):
    found = open_loop(setup, Traffic(*LENGTHS), 12.0)
    assert found.prediction.tokens_per_s == 1200.0
    assert found.prediction.tags.latency_limit == "none (open loop, 12 requests/s)"
    assert found.prediction.joules_per_token == pytest.approx(setup.device.power_w / 1200.0)
    assert found.rate_per_s.low == found.rate_per_s.high == 12.0
    assert found.requests == 85_000
    for spread in (found.ttft, found.tpot):
        assert spread.q50_s.value < spread.mean_s.value < spread.q90_s.value < spread.q99_s.value


def test_a_measurement_on_the_device_scales_every_latency_and_the_capacity(setup):
    modelled = open_loop(setup, Traffic(*LENGTHS), 0.001)
    replayed = open_loop(setup, Traffic(*LENGTHS), 0.001, Scale(0.5, "a server"))
    assert (modelled.prediction.basis, replayed.prediction.basis) == ("modelled", "replayed")
    assert replayed.capacity_per_s == pytest.approx(0.5 * modelled.capacity_per_s, rel=0.01)
    assert replayed.ttft.q50_s.value == pytest.approx(2 * modelled.ttft.q50_s.value)
    assert replayed.tpot.q50_s.value == pytest.approx(2 * modelled.tpot.q50_s.value)


def test_bursts_lengthen_the_tail_and_the_same_seed_repeats_the_figures(setup):
    even, burst = (open_loop(setup, Traffic(*LENGTHS, burstiness=shape), 30.0) for shape in (1.0, 0.2))
    assert burst.ttft.q99_s.value > 1.2 * even.ttft.q99_s.value
    assert open_loop(setup, Traffic(*LENGTHS), 30.0).ttft == even.ttft
    other = open_loop(setup, Traffic(*LENGTHS, seed=1), 30.0).ttft
    assert other.q99_s.value != even.ttft.q99_s.value
    assert other.q99_s.value == pytest.approx(even.ttft.q99_s.value, rel=0.05)


def test_the_largest_rate_keeps_the_quantiles_and_becomes_the_fifth_tag(setup):
    found = best_open_loop(setup, Traffic(*LENGTHS), Target(0.99, 0.2, 0.012))
    assert found.prediction.tags.latency_limit == "TTFT q99 <= 200 ms and TPOT q99 <= 12 ms"
    assert found.ttft.q99_s.value <= 0.2
    assert found.tpot.q99_s.value <= 0.012
    assert found.rate_per_s.low < found.rate_per_s.value < found.rate_per_s.high < found.capacity_per_s
    assert found.prediction.tokens_per_s == pytest.approx(100 * found.rate_per_s.value)


def test_answers_of_one_token_have_no_time_between_tokens(setup):
    found = open_loop(setup, Traffic(1000, 1), 12.0)
    assert found.tpot is None
    assert found.prediction.tpot_s is None
    assert best_open_loop(setup, Traffic(1000, 1), Target(0.9, 0.05, None)).tpot is None


@pytest.mark.parametrize(
    ("lengths", "rate_per_s", "message"),
    [
        (LENGTHS, 0.0, "rate: expected requests/s from 0.0001"),
        (LENGTHS, float("nan"), "rate: expected requests/s from 0.0001"),
        (LENGTHS, 1e9, "rate: expected requests/s from 0.0001 to 1,000,000"),
        (
            LENGTHS,
            5000.0,
            r"rate of llama-3.1-8b on 1 x nvidia-h200: expected less than the [\d.]+ requests/s of 1000:100",
        ),
        ((0, 5), 1.0, "input: expected at least 1 token, got 0"),
        ((200_000, 5), 1.0, "at most 131072 tokens"),
    ],
)
def test_a_rate_or_a_length_that_cannot_be_served_is_refused(setup, lengths, rate_per_s, message):
    with pytest.raises(InputError, match=message):
        open_loop(setup, Traffic(*lengths), rate_per_s)


def test_a_limit_that_a_lone_request_misses_is_refused_with_its_latencies(setup):
    with pytest.raises(InputError, match=r"a lone request \(TTFT 1\d.\d ms, TPOT \d.\d ms\), got .TPOT q99 <= 3 ms"):
        best_open_loop(setup, Traffic(*LENGTHS), Target(0.99, None, 0.003))


def test_a_power_limit_that_is_never_reached_changes_nothing(setup):
    free, capped = open_loop(setup, Traffic(*LENGTHS), 5.0), open_loop(setup, Traffic(*LENGTHS), 5.0, cap_w=690.0)
    assert (capped.ttft, capped.tpot) == (free.ttft, free.tpot)
    assert capped.prediction.watts.gpu_w == free.prediction.watts.gpu_w


def test_a_power_limit_lengthens_the_latencies_and_lessens_watts_and_the_most_requests(setup):
    free, capped = open_loop(setup, Traffic(*LENGTHS), 20.0), open_loop(setup, Traffic(*LENGTHS), 20.0, cap_w=400.0)
    assert capped.prediction.tokens_per_s == free.prediction.tokens_per_s
    assert free.prediction.watts.gpu_w > 400.0 >= capped.prediction.watts.gpu_w
    assert capped.tpot.mean_s.value > free.tpot.mean_s.value / capped.prediction.watts.rate_frac
    assert capped.ttft.q99_s.value > free.ttft.q99_s.value
    assert capped.capacity_per_s < 0.8 * free.capacity_per_s


def test_the_largest_rate_under_a_power_limit_keeps_the_latencies(setup):
    found = best_open_loop(setup, Traffic(*LENGTHS), Target(0.99, 0.2, 0.015), cap_w=350.0)
    assert found.tpot.q99_s.value == pytest.approx(0.015, rel=0.02)
    assert found.prediction.watts.gpu_w <= 350.0
    assert found.capacity_per_s > found.rate_per_s.value


def test_a_gpu_that_hardly_works_draws_what_it_draws_without_work(setup):
    watts = open_loop(setup, Traffic(*LENGTHS), 0.001).prediction.watts
    assert watts.gpu_w == pytest.approx(watts.family.idle_frac * setup.device.limit_w, rel=0.01)


def test_a_power_limit_of_a_device_without_watts_is_refused():
    other = Setup(load("llama-3.1-8b"), precision("fp8"), accelerator("amd-instinct-mi300x"), 1, engine())
    with pytest.raises(InputError, match="power cap: expected a device whose watts are modelled"):
        open_loop(other, Traffic(*LENGTHS), 1.0, cap_w=400.0)
