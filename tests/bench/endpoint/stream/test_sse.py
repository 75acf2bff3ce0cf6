"""Server-sent events, split at every byte."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.endpoint.stream import sse
from bench.endpoint.stream.sse import Event, EventParser, EventTooLongError

STREAM = (
    b'\xef\xbb\xbf: hello\n\ndata: {"a": "\xc3\xa9"}\n\ndata:no space\r\n\r\ndata: one\ndata: two\r\r'
    b": ping\nevent: error\ndata: bad\n\n\n\n:\n\nid: 7\nretry: 5\n\ndata\n\ndata: [DONE]\n\n"
)  # fmt: skip
EVENTS = [
    Event(b'{"a": "\xc3\xa9"}'),
    Event(b"no space"),
    Event(b"one\ntwo"),
    Event(b"bad", b"error"),
    Event(b""),
    Event(b"[DONE]"),
]


def parse(pieces):
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish(), parser.comments


def test_every_form_of_an_event_is_read():
    assert parse([STREAM]) == (EVENTS, 3)


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_a_split_at_any_byte_changes_nothing(at):
    assert parse([STREAM[:at], STREAM[at:]]) == (EVENTS, 3)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_many_splits_change_nothing(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    assert parse(STREAM[a:b] for a, b in itertools.pairwise(edges)) == (EVENTS, 3)


def test_single_bytes_give_the_same_events():
    assert parse(STREAM[i : i + 1] for i in range(len(STREAM))) == (EVENTS, 3)


def test_the_last_event_needs_no_blank_line():
    assert parse([b"data: 1\n\ndata: 2"]) == ([Event(b"1"), Event(b"2")], 0)
    assert parse([b"data: 1\n\ndata: 2\n"]) == ([Event(b"1"), Event(b"2")], 0)


def test_an_event_of_a_megabyte_is_read_and_an_endless_one_is_refused(monkeypatch):
    large = b"x" * 2**20
    assert parse([b"data: ", *(large[i : i + 65536] for i in range(0, len(large), 65536)), b"\n\n"])[0][0].data == large
    monkeypatch.setattr(sse, "LARGEST_EVENT", 1000)
    with pytest.raises(EventTooLongError, match="1000 bytes"):
        parse([b"data: " + b"x" * 2000])
