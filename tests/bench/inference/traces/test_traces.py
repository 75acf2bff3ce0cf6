"""Traces of unlike requests and of a steady batch, against the trace of equal requests and simple sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.batching import Limits, trace_steps
from bench.inference.traces.steady import SHARES, steady_steps, steady_window
from bench.inference.traces.varied import uniform_lengths, varied_steps

LIMITS = Limits(64, 2048)


def totals(trace):
    columns = trace.columns()
    return (
        float(columns.steps @ columns.decoding),
        float(columns.steps @ columns.context),
        float(columns.steps @ columns.prompt),
        float(columns.steps @ columns.prompt_pairs),
        sum(trace.steps),
    )


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_equal_requests_in_a_list_take_the_steps_of_the_trace_of_equal_requests(prompt, answer, requests, clients):
    varied = varied_steps([(prompt, answer)] * requests, LIMITS, clients)
    equal = trace_steps(prompt, answer, requests, LIMITS, clients)
    assert totals(varied) == pytest.approx(totals(equal))
    assert varied.output_tokens == equal.output_tokens
    assert sum(varied.first) == sum(varied.last) == requests


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 60)), min_size=1, max_size=40), st.integers(1, 12))
def test_every_request_of_a_list_is_read_once_and_gives_all_its_tokens(lengths, clients):
    trace = varied_steps(lengths, LIMITS, clients)
    decoded, _, read, pairs, _ = totals(trace)
    assert read == sum(prompt for prompt, _ in lengths)
    assert pairs == sum(prompt * (prompt + 1) / 2 for prompt, _ in lengths)
    assert decoded + sum(trace.first) == trace.output_tokens == sum(answer for _, answer in lengths)
    assert max(trace.decoding) <= clients


@pytest.mark.parametrize("requests", [1, 10, 500])
def test_uniform_lengths_have_their_means_and_no_order(requests):
    lengths = uniform_lengths(500, 1000, requests)
    assert len(lengths) == requests
    assert sum(prompt for prompt, _ in lengths) / requests == pytest.approx(500, rel=0.01)
    assert sum(answer for _, answer in lengths) / requests == pytest.approx(1000, rel=0.01)
    if requests == 500:
        half = requests // 2
        assert sum(answer for _, answer in lengths[:half]) / half == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize("batch", [1, 8, 64, 700])
@pytest.mark.parametrize(("spread", "context"), [("equal", 0.5), ("uniform", 2 / 3), ("exponential", 1.0)])
def test_a_steady_batch_reads_as_many_prompts_as_end_and_is_always_full(batch, spread, context):
    trace = steady_steps(100, 400, batch, Limits(1024, 8192), steady_window(100, 400, batch, spread))
    _, contexts, read, _, steps = totals(trace)
    assert steps == SHARES
    assert read / steps == pytest.approx(batch / 400 * 100, rel=0.01)
    assert set(trace.outputs) == {batch}
    assert contexts / steps == pytest.approx(batch * (100 + context * 400), rel=0.01)
    assert trace.output_tokens == batch * SHARES


def test_a_steady_batch_reads_no_more_than_its_budget():
    trace = steady_steps(1000, 10, 100, Limits(1024, 4096), steady_window(1000, 10, 100, "equal"))
    assert max(prompt + decoding for prompt, decoding in zip(trace.prompt, trace.decoding, strict=True)) <= 4096
    assert sum(trace.steps) == SHARES


def test_accepted_drafts_save_steps_and_keep_the_contexts():
    plain, drafted = (trace_steps(100, 64, 8, LIMITS, growth=growth) for growth in (1.0, 2.0))
    assert sum(drafted.steps) == pytest.approx(sum(plain.steps) / 2, abs=1)
    assert drafted.output_tokens == plain.output_tokens
    mean = [totals(trace)[1] / totals(trace)[0] for trace in (plain, drafted)]
    assert mean[1] == pytest.approx(mean[0], rel=0.02)


def test_a_cached_part_of_the_prompt_is_seen_and_not_read():
    whole, cached = trace_steps(1000, 10, 4, LIMITS), trace_steps(1000, 10, 4, LIMITS, cached=600)
    assert totals(cached)[2] == 4 * 400 == totals(whole)[2] - 4 * 600
    assert totals(cached)[3] == totals(whole)[3] - 4 * 600 * 601 / 2
    assert totals(cached)[:2] == totals(whole)[:2]
