"""Token counts: the best source of the server, never the chunks and never the requested length."""

import pytest

from bench.endpoint.figures.tokens import characters, token_times
from bench.endpoint.stream.reply import Chunk, Reply


def reply(*chunks, output_tokens=None):
    return Reply(chunks=[Chunk(10 * i, *chunk) for i, chunk in enumerate(chunks)], output_tokens=output_tokens)


def test_token_ids_are_trusted_most():
    got = token_times(reply((5, 0, 1, 2), (5, 0, 3, 9), output_tokens=9))
    assert (got.tokens, got.source) == ((1.0, 3.0), "token_ids")


def test_a_running_total_gives_the_tokens_of_each_chunk_and_the_end_token_to_the_last():
    got = token_times(reply((1, 0, None, 1), (9, 0, None, 5), (1, 0, None, 6), output_tokens=7))
    assert (got.tokens, got.source) == ((1.0, 4.0, 2.0), "continuous_usage")


def test_a_total_is_spread_over_the_text():
    got = token_times(reply((4, 0, None, None), (0, 4, None, None), (8, 0, None, None), output_tokens=8))
    assert (got.tokens, got.source) == ((2.0, 2.0, 4.0), "final_usage")


def test_without_a_count_there_are_no_tokens():
    got = token_times(reply((4, 0, None, None), (4, 0, 1, None)))
    assert (got.total, got.source) == (0.0, "none")
    assert token_times(reply()).source == "none"


def test_one_chunk_without_ids_is_enough_to_distrust_them():
    assert token_times(reply((4, 0, 1, None), (4, 0, None, None), output_tokens=2)).source == "final_usage"


@pytest.mark.parametrize(("start", "end", "tokens"), [(0, 30, 12), (10, 20, 4), (0, 10, 4), (11, 20, 0), (20, 99, 4)])
def test_the_tokens_of_a_window_are_those_whose_chunk_came_in_it(start, end, tokens):
    got = token_times(reply(*((4, 0, 4, None),) * 3))
    assert got.between(start, end) == tokens


def test_a_reply_that_was_cut_before_its_count_is_counted_by_its_text():
    cut = reply((4, 0, None, None), (8, 0, None, None))
    assert characters(cut) == 12
    assert token_times(cut, 0.25).tokens == (1.0, 2.0)
    assert token_times(cut, 0.25).source == "final_usage"
    counted = reply((4, 0, None, None), (8, 0, None, None), output_tokens=6)
    assert token_times(counted, 0.25).total == 6.0
