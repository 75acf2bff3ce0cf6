"""Replies as servers send them, whole, split, damaged."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.endpoint.stream.reply import Read, read_reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(document):
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def text(words, **more):
    return event({"choices": [{"index": 0, "text": words, "finish_reason": None, **more}]})


def delta(finish=None, **fields):
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def usage(output, prompt=10, **more):
    return event({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": output, **more}})


def reply(*events, head=HEAD, gap_ns=10):
    return read_reply(Read(gap_ns * i, data) for i, data in enumerate([head, *events]))


def test_a_completion_has_its_chunks_counts_and_times():
    got = reply(text("a "), text("é b", token_ids=[5, 6]), text("", finish_reason="length"), usage(3), DONE)
    assert [(c.time_ns, c.answer_chars, c.token_ids) for c in got.chunks] == [(10, 2, None), (20, 3, 2)]
    assert (got.output_tokens, got.prompt_tokens, got.finish_reason, got.done) == (3, 10, "length", True)
    assert got.outcome(3) == "ok"


def test_the_chunk_with_only_a_role_is_not_the_first_token():
    got = reply(delta(role="assistant", content=""), delta(content="hi"), delta("stop"), DONE)
    assert got.first_text_ns == 20
    got = reply(delta(role="assistant", content=None), delta(content="hi"), delta("stop"), DONE)
    assert got.first_text_ns == 20


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_counts_as_text_and_the_answer_has_a_time_of_its_own(key):
    got = reply(delta(**{key: "hm"}), delta(content="yes"), delta("stop"), DONE)
    assert (got.first_text_ns, got.first_answer_ns) == (10, 20)


def test_tool_calls_count_as_text():
    got = reply(delta(tool_calls=[{"function": {"arguments": "{}"}}]), delta("tool_calls"), DONE)
    assert [chunk.other_chars for chunk in got.chunks] == [2]


def test_usage_in_every_chunk_is_a_total_and_is_not_added_up():
    parts = [event({"choices": [{"text": "x"}], "usage": {"completion_tokens": n}}) for n in (1, 3, 7)]
    got = reply(*parts, text("", finish_reason="length"), DONE)
    assert [chunk.usage_tokens for chunk in got.chunks] == [1, 3, 7]
    assert got.output_tokens == 7


def test_usage_may_stand_in_the_chunk_that_finishes():
    last = event({"choices": [{"text": "", "finish_reason": "length"}], "usage": {"completion_tokens": 2}})
    got = reply(text("a"), text("b"), last, DONE)
    assert (got.output_tokens, got.outcome(2)) == (2, "ok")


def test_cached_prompt_tokens_are_read():
    assert reply(text("a"), usage(1, prompt_tokens_details={"cached_tokens": 8}), DONE).cached_tokens == 8


@pytest.mark.parametrize("at", range(4))
def test_an_error_at_any_place_is_a_failure_whatever_the_status(at):
    events = [text("a"), text("b"), text("", finish_reason="length")]
    events.insert(at, event({"error": {"message": "out of memory", "code": 500}}))
    got = reply(*events, DONE)
    assert (got.outcome(2), got.error) == ("error_stream", "out of memory")


def test_an_error_may_be_text_or_an_event_of_that_name():
    assert reply(event({"error": "overloaded"})).outcome() == "error_stream"
    assert reply(b"event: error\ndata: gone\n\n").outcome() == "error_stream"
    assert reply(b'event: error\ndata: {"detail": 1}\n\n').outcome() == "error_stream"


def test_an_empty_stream_is_a_failure():
    assert reply().outcome() == "empty"
    assert reply(DONE).outcome() == "empty"
    assert reply(b": ping\n\n", usage(0), DONE).outcome() == "empty"


def test_a_stream_without_an_end_is_truncated_and_one_with_a_finish_reason_is_not():
    assert reply(text("a"), text("b")).outcome(2) == "truncated"
    assert reply(text("a"), text("b", finish_reason="length")).outcome(2) == "ok"
    length = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 9999\r\n\r\n")
    assert reply(text("a"), text("b", finish_reason="length"), head=length).outcome(2) == "truncated"


def test_an_answer_that_stops_early_is_short_and_free_lengths_are_ok():
    got = reply(text("a"), text("", finish_reason="stop"), usage(1), DONE)
    assert (got.outcome(16), got.outcome()) == ("short", "ok")


def test_comments_are_counted_and_are_no_tokens():
    got = reply(b": one\n\n", text("a"), b":\n\n", text("", finish_reason="stop"), b": three\n\n", DONE)
    assert (got.comments, len(got.chunks), got.first_text_ns) == (3, 1, 20)


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (b'HTTP/1.1 429 Too Many\r\n\r\n{"error": {"message": "slow down"}}', "error_http", "429: slow down"),
        (b"HTTP/1.1 503 Loading\r\n\r\nLoading model", "error_http", "503: Loading model"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "error_http", "HTTP status 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "malformed", "text/html"),
        (b"<html>", "malformed", "HTTP/1.1 response"),
        (HEAD + b"data: {broken\n\n", "malformed", "{broken"),
        (HEAD + b"data: 5\n\n", "malformed", "5"),
        (JSON_HEAD + b"[]", "malformed", "[]"),
        (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n") + text("a"), "malformed", "length is wrong"),
    ],
)
def test_what_is_not_an_answer_has_its_outcome_and_words(answer, outcome, words):
    got = read_reply([Read(0, answer)])
    assert got.outcome() == outcome
    assert words in got.error


def test_an_answer_in_one_piece_is_read():
    body = json.dumps(
        {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 1}}
    )
    got = reply(body.encode(), head=JSON_HEAD)
    assert (len(got.chunks), got.output_tokens, got.outcome()) == (1, 1, "ok")


@pytest.mark.parametrize("odd", [None, -5, 0.5, True, [], [[]], {"a": 1}])
def test_values_of_odd_types_are_no_crash(odd):
    for document in ({"choices": odd}, {"choices": [odd]}, {"choices": [{"delta": odd}]}, {"usage": odd},
                     {"choices": [{"text": odd}]}, {"usage": {"completion_tokens": odd}},
                     {"choices": [{"delta": {"tool_calls": odd}}]}):  # fmt: skip
        assert reply(event(document), DONE).outcome() == "empty"


def test_a_recorded_stream_gives_the_same_reply_for_every_split():
    stream = HEAD + b"".join([
        b": ping\n\n", delta(role="assistant", content=""), delta(reasoning="hm"), delta(content="né ✓"),
        b":\r\n\r\n", delta("length"), usage(4, prompt_tokens_details={"cached_tokens": 0}), DONE,
    ])  # fmt: skip
    whole = read_reply([Read(0, stream)])
    assert whole.outcome(4) == "ok"
    for at in range(1, len(stream)):
        assert read_reply([Read(0, stream[:at]), Read(0, stream[at:])]) == whole
    assert read_reply(Read(0, stream[i : i + 1]) for i in range(len(stream))) == whole


CHUNKS = (
    b": ping\n\n", text("a", token_ids=[1]), text("b", token_ids=[2]),
    text("c", token_ids=[3]) + text("d", token_ids=[4]), text("e", token_ids=[5])[:20], text("e", token_ids=[5])[20:],
    text("é ✓", token_ids=[6]).replace(b"\n", b"\r\n"), text("f", token_ids=[7])[:-1], b"\n" + text("g", token_ids=[8]),
    b"event: note\ndata: {}\n\n", b"data:\n\n", text("", finish_reason="length").replace(b"data: ", b"data:"),
    usage(8), DONE,
)  # fmt: skip
CHUNKED = HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
FRAMED = [CHUNKED, *(b"%X;x=1\r\n%b\r\n" % (len(c), c) if n == 3 else b"%x\r\n%b\r\n" % (len(c), c)
                     for n, c in enumerate(CHUNKS)), b"0\r\n\r\n"]  # fmt: skip


def test_reads_that_are_whole_chunks_are_read_as_any_other_ones():
    """Nearly every read is one chunk with one event, for which there is a short cut."""
    stream = b"".join(FRAMED)
    whole = read_reply([Read(0, stream)])
    assert read_reply(Read(0, data) for data in FRAMED) == whole
    assert read_reply(Read(0, stream[i : i + 1]) for i in range(len(stream))) == whole
    assert [chunk.token_ids for chunk in whole.chunks] == [1] * 8
    assert (whole.comments, whole.outcome(8)) == (1, "ok")


@given(st.lists(st.integers(0, len(b"".join(FRAMED))), max_size=10), st.sets(st.integers(1, len(FRAMED) - 1)))
def test_any_mixture_of_whole_chunks_and_other_splits_changes_nothing(cuts, kept):
    stream = b"".join(FRAMED)
    ends = list(itertools.accumulate(len(data) for data in FRAMED))
    edges = sorted({0, len(stream), *cuts, *(ends[i] for i in kept), *(ends[i - 1] for i in kept)})
    assert read_reply(Read(0, stream[a:b]) for a, b in itertools.pairwise(edges)) == read_reply([Read(0, stream)])
