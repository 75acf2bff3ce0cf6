"""The server of the page on real sockets: loopback, GET alone, its own name alone, events that resume."""

import json
import socket
import time
from pathlib import Path

import pytest
from doubles.crowded import until
from doubles.live_page import row

from bench.endpoint.stream.sse import EventParser
from bench.live import server


def ask(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode("utf-8")


def get(port, path="/", method="GET", host=None, more=""):
    return ask(port, f"{method} {path} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\n{more}\r\n")


class Stream:
    """The events of one connection."""

    def __init__(self, port, last="", buffer=1 << 20):
        self.connection = socket.socket()
        self.connection.settimeout(60.0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.connection.connect(("127.0.0.1", port))
        more = f"Last-Event-ID: {last}\r\n" if last else ""
        self.connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{port}\r\n{more}\r\n".encode())
        self.head, self.rest = "", b""
        while "\r\n\r\n" not in self.head:
            self.head += self.connection.recv(1).decode()
        self.parser, self.events, self.raw = EventParser(), [], b""

    def until(self, name, number=1):
        """Return the data of the events of a name once there are so many."""
        end_s = time.monotonic() + 60.0  # a silent stream has comments
        while len(found := [event.data for event in self.events if event.name == name.encode()]) < number:
            assert time.monotonic() < end_s, f"no {name} came: {self.raw[-200:]!r}"
            data = self.connection.recv(65536)
            assert data, "the stream ended"
            self.raw += data
            self.events += self.parser.feed(data)
        return [json.loads(data) for data in found]

    def last_id(self):
        return self.raw.decode().rpartition("id: ")[2].partition("\n")[0]


@pytest.fixture
def stream():
    opened = []

    def start(port, last="", **keys):
        opened.append(Stream(port, last, **keys))
        return opened[-1]

    yield start
    for each in opened:
        each.connection.close()


def test_the_page_and_its_files_carry_a_policy_and_name_nothing_outside(serve):
    page = serve()
    for path in ("/", "/page.css", "/page.js", "/?x=1"):
        answer = get(page.port, path)
        head, _, body = answer.partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 OK")
        assert "default-src 'none'; script-src 'self'" in head
        assert "nosniff" in head
        assert len(body) > 500
        assert "http" not in body.replace("http://www.w3.org/2000/svg", "")
    assert get(page.port, "/", "HEAD").partition("\r\n\r\n")[2] == ""


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}"]
)
def test_a_name_that_was_pointed_at_this_machine_is_refused(serve, host):
    page = serve()
    for path in ("/", "/events"):
        assert get(page.port, path, host=host.format(port=page.port)).startswith("HTTP/1.1 421")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"])
def test_no_method_that_writes_is_served(serve, method):
    answer = get(serve().port, "/", method)
    assert answer.startswith("HTTP/1.1 405")
    assert "Allow: GET, HEAD" in answer


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET /" + "x" * 20_000 + " HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", 400),
        ("GET /../server.py HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", 404),
        ("GET /audit.jsonl HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", 404),
    ],
)
def test_a_request_that_is_none_gets_its_status(serve, text, status):
    page = serve()
    assert ask(page.port, text.format(port=page.port)).startswith(f"HTTP/1.1 {status}")


def sockets(port, state):
    """Return the addresses of this machine's sockets of a port in a state, as the kernel lists them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return [row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == state]


def test_it_listens_on_the_loopback_address_alone(serve):
    page = serve()
    assert sockets(page.port, "0A") == [f"0100007F:{page.port:04X}"]


def test_a_port_that_is_taken_is_refused_in_one_line(serve):
    page = serve()
    fault = serve(port=page.port).fault
    assert str(fault).startswith("--page: expected a port that is free (")


def test_events_have_the_figures_of_the_log_and_follow_it(serve, log, stream):
    log.add(row(0), row(1))
    events = stream(serve().port)
    (history,) = events.until("history")
    assert [each["plan_mw"] for each in history] == [12.5, 13.5]
    log.add(row(2, meter_mw=None))
    (fresh,) = events.until("cycle")
    assert (fresh["plan_mw"], fresh["meter_mw"], fresh["regret_usd"]) == (14.5, None, 22.75)


def test_a_stream_resumes_after_the_last_event_also_on_a_server_that_was_started_again(serve, log, stream):
    log.add(row(0))
    first = serve()
    events = stream(first.port)
    events.until("history")
    log.add(row(1))
    events.until("cycle")
    last = events.last_id()
    first.close()
    log.add(row(2), row(3))
    again = stream(serve(port=first.port).port, last)
    assert [each["plan_mw"] for each in again.until("cycle", 2)] == [14.5, 15.5]
    assert b"history" not in again.raw


def test_a_place_of_another_log_gets_the_whole_history(serve, log, stream):
    log.add(row(0))
    events = stream(serve().port, "0123456789ab-17")
    assert len(events.until("history")) == 1


def test_a_log_that_is_replaced_replaces_the_history(serve, log, stream):
    log.add(row(0))
    events = stream(serve().port)
    events.until("history")
    new = log.path.with_name("new")
    type(log)(new).add(row(9, site="another"))
    new.replace(log.path)
    while events.until("history", 2)[-1] == [] or events.until("history")[-1][0]["site"] != "another":
        events.until("history", len(events.until("history")) + 1)


def test_a_browser_that_does_not_read_is_left_and_the_others_go_on(serve, log, monkeypatch, stream):
    monkeypatch.setattr(server, "SEND_S", 1.0)
    units = [{"unit": f"m{at}", "reason": "r" * 250} for at in range(100)]
    log.add(row(0))
    page = serve()
    slow, quick = stream(page.port, buffer=4096), stream(page.port)
    quick.until("history")
    for count in range(1, 5):
        log.add(*(row(20 * count + more, not_as_intended=units) for more in range(20)))
        quick.until("cycle", 20 * count)
    until(lambda: len(sockets(page.port, "01")) == 1)  # the slow one's is no longer established
    assert sum(map(len, iter(lambda: slow.connection.recv(1 << 20), b""))) < len(quick.raw) / 2


def test_more_streams_than_a_page_has_are_turned_away(serve, log, monkeypatch, stream):
    monkeypatch.setattr(server, "MOST_STREAMS", 1)
    log.add(row(0))
    page = serve()
    kept = stream(page.port)
    kept.until("history")
    assert get(page.port, "/events").startswith("HTTP/1.1 503")
