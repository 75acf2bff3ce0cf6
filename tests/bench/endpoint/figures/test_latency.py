"""Latencies by their stated formulas."""

import random

import pytest

from bench.endpoint.figures.latency import latency, quantile
from bench.endpoint.figures.tokens import token_times
from bench.endpoint.stream.reply import Chunk, Reply


def paced(tokens, per_chunk, *, token_s=0.02, first_s=0.3):
    """Return a reply of `tokens` at a steady pace whose chunks carry `per_chunk` each."""
    chunks = [
        Chunk(round((first_s + token_s * (done + per_chunk - 1)) * 1e9), 4 * per_chunk, 0, per_chunk, None)
        for done in range(0, tokens, per_chunk)
    ]
    return Reply(chunks=chunks, output_tokens=tokens)


@pytest.mark.parametrize("per_chunk", [1, 4, 16])
def test_the_time_per_token_does_not_depend_on_the_tokens_per_chunk(per_chunk):
    reply = paced(64, per_chunk)
    got = latency(reply, token_times(reply), 0)
    assert got.tpot_s == pytest.approx(0.02, rel=1e-9)
    assert got.e2e_s == pytest.approx(0.3 + 63 * 0.02, rel=1e-9)
    assert (got.gaps_s is None) == (per_chunk > 1)


def test_the_first_token_counts_from_the_scheduled_start():
    reply = paced(8, 1)
    assert latency(reply, token_times(reply), -2_000_000_000).ttft_s == pytest.approx(2.3)


def test_gaps_and_first_token_add_up_to_the_whole():
    reply = paced(8, 1)
    got = latency(reply, token_times(reply), 0)
    assert got.ttft_s + sum(got.gaps_s) == pytest.approx(got.e2e_s)


@pytest.mark.parametrize("tokens", [0, 1])
def test_no_token_and_one_token_have_no_time_per_token(tokens):
    reply = paced(tokens, 1)
    got = latency(reply, token_times(reply), 0)
    assert got is None if tokens == 0 else got.tpot_s is None


def test_one_large_chunk_has_no_time_per_token():
    reply = paced(64, 64)
    assert latency(reply, token_times(reply), 0).tpot_s is None


def test_without_a_token_count_only_times_remain():
    reply = Reply(chunks=[Chunk(10, 4, 0, None, None), Chunk(20, 4, 0, None, None)])
    got = latency(reply, token_times(reply), 0)
    assert (got.tpot_s, got.gaps_s) == (None, None)
    assert got.e2e_s == pytest.approx(20e-9)


def test_the_answer_after_reasoning_has_its_own_time():
    reply = Reply(chunks=[Chunk(10, 0, 4, 1, None), Chunk(30, 4, 0, 1, None)])
    got = latency(reply, token_times(reply), 0)
    assert (got.ttft_s, got.answer_s) == (pytest.approx(10e-9), pytest.approx(30e-9))


@pytest.mark.parametrize(("level", "needed"), [(0.5, 1), (0.9, 64), (0.99, 662)])
def test_a_quantile_needs_enough_requests(level, needed):
    values = [random.Random(i).random() for i in range(needed)]
    assert quantile(values[:-1], level) is None
    assert min(values) <= quantile(values, level) <= max(values)


def test_quantiles_interpolate():
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.5
