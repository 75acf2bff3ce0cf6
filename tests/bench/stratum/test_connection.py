"""Lines cut from bytes, with a clock of the test's own: any split of the bytes gives the same lines."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stratum.connection import Connection
from bench.stratum.jobs import JobSource
from bench.stratum.limits import Limits
from bench.stratum.session import Desk, Session

PING = b'{"id":1,"method":"mining.ping","params":[]}'


class FakeTransport:
    """Keeps what is written, and whether it was aborted."""

    def __init__(self):
        self.written, self.aborted = b"", False

    def get_extra_info(self, name):
        return ("192.0.2.1", 1234) if name == "peername" else None

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.aborted

    def abort(self):
        self.aborted = True


class Bench:
    """A connection with a clock that the test moves."""

    def __init__(self, **limits):
        self.now_s = 100.0
        self.desk = Desk(JobSource(), 1.0, Limits(**limits))
        self.connection = Connection(
            self.desk.limits,
            lambda: self.now_s,
            lambda _, peer: Session(self.desk, 1, b"abcd", peer, self.now_s),
            lambda _: None,
        )
        self.transport = FakeTransport()
        self.connection.connection_made(self.transport)

    def receive(self, data):
        self.connection.data_received(data)

    def answers(self):
        return [json.loads(line)["result"] for line in self.transport.written.splitlines() if b'"result"' in line]


@given(st.lists(st.integers(0, 200), max_size=8), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
def test_any_split_of_the_bytes_gives_the_same_lines(cuts, end):
    data, bench = (PING + end) * 4, Bench()
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    for first, last in itertools.pairwise(edges):
        bench.receive(data[first:last])
    assert bench.answers() == ["pong"] * 4


def test_a_line_feed_that_comes_alone_ends_the_line():
    bench = Bench()
    bench.receive(PING)
    bench.receive(b"\n")
    assert bench.answers() == ["pong"]


def log_in(bench):
    bench.receive(b'{"id":1,"method":"mining.subscribe","params":[]}\n')
    bench.receive(b'{"id":2,"method":"mining.authorize","params":["w","x"]}\n')


def test_the_time_of_a_line_starts_with_its_own_first_byte():
    bench = Bench(half_line_s=10.0)
    log_in(bench)
    bench.receive(PING[:5])
    bench.now_s += 9.0
    bench.receive(PING[5:] + b"\n" + PING[:5])
    bench.now_s += 9.0
    bench.connection.check_times(bench.now_s)
    assert not bench.transport.aborted
    bench.now_s += 2.0
    bench.connection.check_times(bench.now_s)
    assert bench.transport.aborted
    assert bench.desk.notices.counts() == {"line not ended in time": 1}


def test_a_miner_at_work_may_be_silent_for_ever():
    bench = Bench()
    log_in(bench)
    bench.connection.check_times(bench.now_s + 1e6)
    assert not bench.transport.aborted


@pytest.mark.parametrize("size", [16_384, 16_385])
def test_the_longest_line_is_16_kib(size):
    bench = Bench()
    bench.receive(PING + b" " * (size - len(PING)) + b"\n")
    assert bench.answers() == (["pong"] if size == 16_384 else [])
    assert bench.transport.aborted == (size > 16_384)


def test_nothing_is_handled_after_the_connection_was_closed():
    bench = Bench()
    bench.receive(b"GET / HTTP/1.1\n" + PING + b"\n")
    bench.receive(PING + b"\n")
    assert bench.answers() == []
