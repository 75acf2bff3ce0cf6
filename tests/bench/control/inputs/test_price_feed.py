"""Prices over HTTP: stored as they came, refused with a wrong clock, and a bad answer keeps the last good intervals."""

import json
import threading
import time

import pytest
from doubles.feeds.web import WebSource

from hardware_profiles.errors import InputError

from .conftest import NOW

HOUR = 3600


def document(*intervals, published_at_s=NOW, **more):
    rows = [[NOW + start, NOW + end, price] for start, end, price in intervals]
    return json.dumps({"schema": "perwatt.prices/1", "unit": "USD/MWh", "published_at_s": published_at_s,
                       "intervals": rows, **more}).encode()  # fmt: skip


class Feed:
    """A server whose next answer the test sets."""

    def __init__(self):
        self.status, self.headers, self.content = 200, {}, document((0, HOUR, 30))
        self.waits = threading.Event()
        self.waits.set()
        self.web = WebSource(self._answer)
        self.table = {"source": f"{self.web.url}/prices", "timeout_s": 5.0}

    def _answer(self, *_):
        self.waits.wait(60.0)
        return self.status, self.headers, self.content


@pytest.fixture
def feed():
    server = Feed()
    yield server
    server.waits.set()
    if server.web._thread.is_alive():
        server.web.close()


def shown(inputs):
    return [(price.start_s - NOW, price.usd_per_mwh) for price in inputs.prices]


def test_answers_are_stored_as_they_came_once_and_read(feed, opened, tmp_path):
    inputs = opened(feed.table)
    assert shown(inputs.at(0)) == [(0, 30)]
    inputs.at(30)
    (stored,) = (tmp_path / "received" / "prices").iterdir()
    assert stored.read_bytes() == feed.content
    feed.content = document((0, HOUR, -80), (HOUR, 2 * HOUR, 4999))
    assert shown(inputs.at(60)) == [(0, -80), (HOUR, 4999)]
    assert len(list((tmp_path / "received" / "prices").iterdir())) == 2
    assert len(feed.web.requests) == 3


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        (500, b"oops", "HTTP status 500: 'oops'"),
        (429, b"slow down", "the source is asked too often"),
        (302, b"", "the source has moved"),
        (200, b"<!doctype html><title>Maintenance</title>", "expected data, got a page"),
        (200, b'{"error": "no data"}', "the source answers with an error"),
        (200, b"{ torn", "price "),
        (200, b"", "price "),
        (200, b"\xff\xfe\0\0", "price "),
        (200, document((0, HOUR, "high")), "expected a number"),
        (200, document((0, HOUR, 1), (0, HOUR, 2)), "expected one value of the interval"),
        (200, document((0, 2 * HOUR, 1), (HOUR, 3 * HOUR, 2)), "expected intervals one after the other"),
        (200, document((0, HOUR, 1), unit="USD/barrel"), "expected prices per MWh or kWh"),
        (200, document(), "expected at least one interval"),
        (200, document((0, HOUR, 1), published_at_s="now"), "expected a time in seconds since 1970"),
        (200, document((0, HOUR, 1), published_at_s=(NOW + 30) * 1000), "expected a time in seconds since 1970"),
        (200, document((0, HOUR, 1), published_at_s=NOW - 86_500), "24 hours behind it"),
        (200, document((0, HOUR, 1), published_at_s=NOW + 90_000), "25 hours ahead of it"),
    ],
)
def test_a_bad_answer_is_a_fault_in_one_line_and_the_last_good_intervals_stay(feed, opened, status, content, fault):
    good = feed.content
    inputs = opened(feed.table)
    feed.status, feed.content = status, content
    for seconds in (30, 60):
        bad = inputs.at(seconds)
        assert shown(bad) == [(0, 30)]
        (line,) = bad.faults
        assert fault in line
        assert "\n" not in line
    feed.status, feed.content = 200, good
    assert inputs.at(90).faults == ()


def test_the_same_bad_answer_is_stored_once(feed, opened, tmp_path):
    inputs = opened(feed.table)
    feed.content = document((0, HOUR, "high"))
    for seconds in range(30, 300, 30):
        inputs.at(seconds)
    assert len(list((tmp_path / "received" / "prices").iterdir())) == 2


def test_the_date_of_an_answer_without_a_time_of_its_own_is_checked(feed, opened, clock):
    clock.now_s = time.time()
    start_s = clock.now_s // HOUR * HOUR
    energy = {"unix_seconds": [start_s, start_s + HOUR], "price": [10, 20], "unit": "EUR/MWh"}
    feed.content = json.dumps(energy | {"unix_seconds": [int(start_s), int(start_s) + HOUR]}).encode()
    table = feed.table | {"feed": "energy-charts-api", "currency": "EUR", "currency_per_usd": 1.0}
    inputs = opened(table)
    assert [price.usd_per_mwh for price in inputs.now(clock.now_s).prices] == [10, 20]
    clock.now_s += 2 * 86_400
    inputs.now(clock.now_s)
    inputs.settle()
    feed.content += b" "
    clock.now_s += 60
    inputs.now(clock.now_s)
    inputs.settle()
    assert "48 hours behind it" in inputs.now(clock.now_s).faults[0]


@pytest.mark.usefixtures("deadlines")
def test_a_server_that_hangs_does_not_hold_the_loop_and_one_that_is_gone_is_a_fault(feed, opened):
    inputs = opened(feed.table | {"timeout_s": 0.3})
    feed.waits = threading.Event()
    began_s = time.perf_counter()
    for second in range(30, 330, 30):
        inputs.now(NOW + second)
    assert time.perf_counter() - began_s < 0.2
    assert "no complete answer in time" in inputs.at(400).faults[0]
    feed.waits.set()
    assert inputs.at(500).faults == ()
    feed.web.close()
    assert "price http://127.0.0.1" in inputs.at(600).faults[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("http://user:secret@10.0.0.9/prices", "without a user and a password"),
        ("http://10.0.0.9/prices?api_key=5ecret", "without a key or a password"),
        ("https://10.0.0.9:99999/x", "expected a port from 1 to 65535"),
    ],
)
def test_an_address_with_a_password_is_refused_without_repeating_it(opened, source, message):
    with pytest.raises(InputError, match=message) as refused:
        opened({"source": source})
    assert "secret" not in str(refused.value)
    assert "5ecret" not in str(refused.value)
