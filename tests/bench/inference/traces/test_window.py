"""The window of a full batch, against a player of single steps and against limits that are known."""

import numpy as np
import pytest

from bench.inference.batching import Limits
from bench.inference.traces.steady import steady_steps, steady_window
from bench.inference.traces.varied import varied_steps
from bench.inference.traces.window import BLOCK, FullRun, full_window, spread_lengths

AMPLE = 10**9  # tokens of a memory in which everything fits


def run(**changes):
    usual = {
        "input_len": 100, "output_len": 400, "spread": "uniform", "requests": 600, "prompts": 600, "slots": 64,
        "most": 64, "budget": 8192, "caches": 1,
    }  # fmt: skip
    return FullRun(**usual | changes)


def played(one):
    """Return the context of a sequence and the prompts a step, from the steps of a player of unlike requests."""
    answers = spread_lengths(one.output_len, one.spread, one.requests)
    lengths = [(one.input_len, int(answer)) for answer in answers]
    trace = varied_steps(lengths, Limits(one.slots, one.budget), one.slots)
    begun, ended = np.cumsum(trace.first), np.cumsum(trace.last)
    inside = (begun >= one.most) & (ended <= one.requests - one.most - 1)
    inside[np.argmax(inside)] = False  # the step that fills the batch
    columns = trace.columns()
    steps = columns.steps[inside]
    context = columns.context[inside] @ steps / (columns.decoding[inside] @ steps)
    return context, np.sum(np.asarray(trace.first)[inside]) / np.sum(steps)


@pytest.mark.parametrize("spread", ["uniform", "exponential"])
@pytest.mark.parametrize(("slots", "requests"), [(16, 600), (64, 600), (256, 600), (300, 700)])
def test_a_window_has_the_contexts_and_prompts_of_a_player_of_single_steps(spread, slots, requests):
    one = run(spread=spread, slots=slots, most=slots, requests=requests)
    window, (context, starts) = full_window(one, AMPLE), played(one)
    assert window.context == pytest.approx(context, rel=0.05)
    assert window.starts == pytest.approx(starts, rel=0.05, abs=0.02)


@pytest.mark.parametrize("spread", ["uniform", "exponential"])
def test_a_window_of_many_rounds_is_that_of_a_batch_that_stays_full(spread):
    window, steady = full_window(run(requests=20_000, spread=spread), AMPLE), steady_window(100, 400, 64, spread)
    assert window.context == pytest.approx(steady.context, rel=0.03)
    assert window.starts == pytest.approx(steady.starts, rel=0.03)


def test_a_window_of_few_rounds_has_short_contexts():
    assert full_window(run(slots=400, most=400), AMPLE).context < 0.7 * steady_window(100, 400, 400, "uniform").context


def test_prompts_are_read_once_and_then_come_from_the_cache_while_their_blocks_last():
    once, twice = run(requests=1200, prompts=1200), run(requests=1200)
    whole = 100 // BLOCK * BLOCK / 100
    assert full_window(once, AMPLE).cached_frac == 0.0
    assert 0.4 * whole < full_window(twice, AMPLE).cached_frac < 0.6 * whole
    assert full_window(twice, 64 * 400).cached_frac == 0.0
    assert (
        0 < full_window(run(requests=1200, caches=4), AMPLE).cached_frac < 0.4 * full_window(twice, AMPLE).cached_frac
    )


def test_a_prompt_whose_request_before_still_runs_is_in_the_cache_of_a_full_memory():
    beside = run(requests=1200, prompts=100, slots=400, most=400)
    assert full_window(beside, 0).cached_frac > 0.5


def test_cached_parts_of_prompts_are_seen_and_not_read():
    window = steady_window(100, 400, 64, "equal")
    plain = steady_steps(100, 400, 64, Limits(64, 8192), window)
    hit = steady_steps(100, 400, 64, Limits(64, 8192), type(window)(window.context, window.starts, 0.8))
    assert sum(hit.prompt) == sum(plain.prompt) // 5
    assert max(hit.prompt_pairs) > 0.3 * max(plain.prompt_pairs)


@pytest.mark.parametrize("spread", ["equal", "uniform", "exponential"])
def test_lengths_have_their_mean_and_no_order(spread):
    lengths = spread_lengths(400, spread, 1000)
    assert np.mean(lengths) == pytest.approx(400, rel=0.01)
    assert np.mean(lengths[:500]) == pytest.approx(400, rel=0.06)
