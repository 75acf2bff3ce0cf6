"""The simulated server: each time equals that of a plain player, and the means those of the closed-loop model."""

import numpy as np
import pytest
from doubles.inference.step_costs import step_cost
from hypothesis import given
from hypothesis import strategies as st
from oracles.continuous_batching import Request, play

from bench.inference.accelerator import accelerator
from bench.inference.batching import Limits
from bench.inference.engine import engine
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import draw
from bench.inference.simulation.serve import Requests, fixed, serve
from bench.inference.simulation.server import Server
from bench.inference.step_cost import Padding
from bench.inference.timing import step_cost as modelled_cost
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision
from kernels.llm.shapes import load

BATCH, BUDGET = 6, 50


def random_cost(generator, window, *, overlaps, padding):
    mixed, decode, head = (np.cumsum(generator.random(size)) for size in (BUDGET + BATCH + 1, BATCH + 1, BATCH + 1))
    keys = ("context_s", "sequence_s", "pair_s", "host_step_s", "host_sequence_s", "windowed_s", "windowed_pair_s")
    prices = dict(zip(keys, 0.1 * generator.random(7), strict=True))
    if window is None:
        prices |= {"windowed_s": 0.0, "windowed_pair_s": 0.0}
    if overlaps:  # sometimes the host takes longer
        prices |= {"host_step_s": 3.0 * prices["host_step_s"], "host_sequence_s": 8.0 * prices["host_sequence_s"]}
    return step_cost(mixed, decode, head_s=head, window=window, host_overlaps=overlaps, padding=padding, **prices)


@given(
    st.integers(0, 2**32), st.integers(1, 40), st.tuples(st.integers(1, BATCH), st.integers(1, BUDGET)),
    st.tuples(st.none() | st.integers(1, 40), st.booleans(), st.none() | st.integers(2, 8)),
    st.tuples(st.sampled_from([0.0, 0.01, 1.0, 30.0]), st.integers(0, 8), st.sampled_from([1.0, 2.5, 100.0]),
              st.sampled_from([(1.0, 0.0), (1.7, 0.0), (1.0, 0.4), (2.3, 0.9)])),
)  # fmt: skip
def test_each_time_equals_that_of_a_player_who_serves_request_by_request(seed, count, limits, model, load):
    (window, overlaps, copies), (gap_s, clients, memory_factor, (growth, hit_frac)) = model, load
    generator = np.random.default_rng(seed)
    arrival_s = gap_s * np.cumsum(generator.exponential(size=count) * (generator.random(count) < 0.7))
    inputs, outputs = generator.integers(1, 80, count), generator.integers(1, 12, count)
    reserved = inputs + outputs
    memory = int(reserved.max() * memory_factor)
    padding = None if copies is None else Padding(copies, limits[1])
    cost = random_cost(generator, window, overlaps=overlaps, padding=padding)
    cached = (hit_frac * inputs).astype(int)
    played = [Request(*one, growth=growth) for one in zip(arrival_s, inputs, outputs, reserved, cached, strict=True)]
    steps = play(played, cost, limits, memory, clients)
    requests = Requests(arrival_s, inputs, outputs, growth, hit_frac)
    served = serve(requests, cost, Limits(*limits), (reserved, memory), clients=clients)
    assert served.steps == steps
    for index, one in enumerate(played):
        expected = (one.arrival, one.start, one.times[0], one.times[-1])
        times = (served.requests.arrival_s, served.start_s, served.first_s, served.last_s)
        assert [float(part[index]) for part in times] == pytest.approx(expected, rel=1e-11, abs=1e-11)
    waits = sum(one.times[-1] - one.start for one in played)
    assert served.in_service_s == pytest.approx(waits, rel=1e-9)


@pytest.mark.parametrize(
    "case",
    [
        ("llama-3.1-8b", "fp8", 1, (1000, 200)),
        ("llama-3.3-70b", "fp8", 2, (3000, 20)),
        ("gpt-oss-120b", "mxfp4", 1, (900, 400)),
        ("llama-3.1-8b", "bf16", 1, (100, 1)),
    ],
)
@pytest.mark.parametrize("clients", [1, 24, 700])
@pytest.mark.parametrize("shortcuts", [{}, {"drafted": 3, "accepted": 1.5}, {"hit_frac": 0.6}])
def test_closed_loop_arrivals_give_the_means_of_the_closed_loop_model(case, clients, shortcuts):
    model, dtype, gpus, lengths = case
    setup = Setup(load(model), precision(dtype), accelerator("nvidia-h200"), gpus, engine(), **shortcuts)
    expected = predict(plan_run(setup, *lengths, clients=clients))
    limits, count = setup.engine.online_limits(), 10 * clients
    reserved = np.full(count, setup.kv_bytes_per_sequence(sum(lengths)))
    equal = (fixed(count, length) for length in lengths)
    requests = Requests(np.zeros(count), *equal, 1.0 + setup.accepted, setup.hit_frac)
    cost = modelled_cost(setup, limits, graphs=False)
    served = serve(requests, cost, limits, (reserved, setup.kv_memory_bytes), clients=clients)
    assert served.tokens_per_s == pytest.approx(expected.tokens_per_s, rel=0.01)
    assert served.ttft_s[clients:].mean() == pytest.approx(expected.ttft_s, rel=0.01)
    if expected.tpot_s is not None:
        assert served.tpot_s[clients:].mean() == pytest.approx(expected.tpot_s, rel=0.01)


@pytest.mark.parametrize("name", ["vllm", "vllm-sync", "sglang", "trtllm"])
@pytest.mark.parametrize("clients", [4, 300])
def test_copies_of_attention_give_the_means_of_the_closed_loop_model(name, clients):
    """Padded (vLLM) and not padded."""
    setup = make_setup("qwen3-235b-a22b", "fp8", "nvidia-h200", 8, f"{name}-ep8-dp8")
    expected = predict(plan_run(setup, 3000, 100, clients=clients))
    server, equal = Server.online(setup), (fixed(10 * clients, length) for length in (3000, 100))
    reserved = np.full(10 * clients, setup.kv_bytes_per_sequence(3100))
    requests = Requests(np.zeros(10 * clients), *equal)
    served = serve(requests, server.cost, server.limits, (reserved, setup.kv_memory_bytes), clients=clients)
    assert served.tokens_per_s == pytest.approx(expected.tokens_per_s, rel=0.01)
    assert served.tpot_s[clients:].mean() == pytest.approx(expected.tpot_s, rel=0.01)


def test_the_same_seed_gives_the_same_times_and_another_seed_others():
    cost = step_cost(np.linspace(0.1, 1.0, 101), np.full(9, 0.05))
    times = [serve(draw(500, (60, 8), seed, burstiness=0.5).at(1.5), cost, Limits(8, 100)).last_s for seed in (7, 7, 8)]
    assert np.array_equal(times[0], times[1])
    assert not np.array_equal(times[0], times[2])


def test_a_request_that_does_not_fit_holds_up_those_behind_it():
    cost = step_cost(np.ones(101), np.ones(9))
    requests = Requests(np.zeros(3), np.array([5, 5, 5]), np.array([4, 4, 4]))
    served = serve(requests, cost, Limits(8, 100), (np.array([6, 9, 1]), 10))
    assert served.start_s.tolist() == [0.0, 4.0, 4.0]
    assert served.last_s.tolist() == [4.0, 8.0, 8.0]


@pytest.mark.parametrize(
    ("limits", "memory", "message"),
    [
        (Limits(0, 10), 5, "batch limit: expected at least 1, got 0"),
        (Limits(1, 0), 5, "token budget: expected at least 1, got 0"),
        (Limits(1, 11), 5, "cost: expected tables up to 11, got '10'"),
        (Limits(2, 10), 5, "cost: expected tables up to 2, got '1'"),
        (Limits(1, 10), 4, "memory: expected at least the 5 bytes of one request, got 4"),
    ],
)
def test_limits_that_serve_nobody_are_refused(limits, memory, message):
    with pytest.raises(InputError, match=message):
        serve(Requests(np.zeros(1), fixed(1, 3), fixed(1, 2)), step_cost(np.ones(11), np.ones(2)), limits,
              (np.array([5]), memory))  # fmt: skip
