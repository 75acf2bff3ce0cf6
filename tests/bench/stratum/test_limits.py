"""What a hostile client meets, and that each is noted once with its reason."""

import contextlib
import json

import pytest
from doubles.crowded import until

from bench.stratum.events import KEPT_NOTICES, OTHERS, NoticeLog
from bench.stratum.limits import Allowance, Limits
from bench.stratum.messages import MalformedLineError, plain_text, read_request

PING = b'{"id":1,"method":"mining.ping","params":[]}\n'


def reasons(server, count=1):
    """Return reasons and counts once there are so many notices."""
    until(lambda: len(server.notices()) >= count)
    return {notice.reason: notice.count for notice in server.notices()}


def until_closed(connection):
    """Read until the server has closed the connection."""
    with contextlib.suppress(ConnectionError):
        while connection.read() is not None:
            pass


@pytest.mark.parametrize(
    ("data", "limits", "reason"),
    [
        (b"x" * 20_000, {}, "line too long"),
        (PING * 200, {"messages_s": 10.0, "burst_messages": 50.0}, "too many messages"),
        (b"\n" * 200, {"messages_s": 10.0, "burst_messages": 50.0}, "too many messages"),
        (b"nonsense\n" * 10, {}, "too many malformed lines"),
        (b"[" * 16_000 + b"\n" + b"\xff\n" * 9, {}, "too many malformed lines"),
        (b"POST / HTTP/1.1\r\n\r\n", {}, "speaks HTTP"),
        (b"\x16\x03\x01\x02\n", {}, "speaks TLS"),
        (b"", {"subscribe_s": 0.01}, "not authorized in time"),
        (PING, {"subscribe_s": 0.01}, "not authorized in time"),
    ],
)
def test_a_client_beyond_a_limit_is_closed_and_noted_once_with_the_reason(serve, client, data, limits, reason):
    server, address = serve(limits=Limits(**limits))
    hostile = client(address)
    hostile.send_bytes(data)
    until_closed(hostile)
    noted = reasons(server)
    assert noted[reason] == 1
    assert noted.pop("malformed line", 1) == 1
    assert len(noted) == 1
    assert server.sessions()[0].end_reason == reason


def test_a_line_that_is_begun_and_not_ended_is_closed_after_a_time(serve, client):
    server, address = serve(limits=Limits(half_line_s=0.01))
    hostile = client(address)
    hostile.log_in()
    hostile.send_bytes(b'{"id":')
    until_closed(hostile)
    assert reasons(server) == {"line not ended in time": 1}


def test_half_a_line_before_the_end_is_noted(serve, client):
    server, address = serve()
    hostile = client(address)
    hostile.send_bytes(b'{"id":1,"met')
    hostile.close()
    assert reasons(server) == {"half a line": 1}


def test_a_client_that_takes_no_answers_is_closed(serve, client):
    server, address = serve(limits=Limits(unsent_bytes=0, messages_s=1e6, burst_messages=1e6))
    hostile = client(address)
    line = b'{"id":"' + b"i" * 15_000 + b'","method":"mining.ping","params":[]}\n'
    with contextlib.suppress(ConnectionError):
        for _ in range(10_000):
            hostile.send_bytes(line)
    assert reasons(server)["takes no answers"] == 1


def test_connections_beyond_the_limit_are_closed_and_the_others_stay(serve, client):
    server, address = serve(limits=Limits(connections=2))
    first, second = client(address), client(address)
    assert first.call("mining.ping", [])["result"] == second.call("mining.ping", [])["result"] == "pong"
    with contextlib.suppress(ConnectionError):
        assert client(address).call("mining.ping", []) is None
    assert reasons(server) == {"too many connections": 1}
    first.close()
    until(lambda: server.population().connected == 1)
    assert client(address).call("mining.ping", [])["result"] == "pong"


def test_a_peer_that_connects_over_and_over_is_noted(serve, client, monkeypatch):
    monkeypatch.setattr("bench.stratum.server._CONNECTIONS_S", 1e-9)  # however long 65 connections take
    server, address = serve()
    for _ in range(65):
        connection = client(address)
        connection.call("mining.ping", [])
        connection.close()
    assert reasons(server, 2)["connects too often"] == 5


def test_a_connection_that_mined_stays_listed_however_many_others_come_and_go(serve, client, monkeypatch):
    monkeypatch.setattr("bench.stratum.server._KEPT_ENDED", 3)
    server, address = serve()
    miner = client(address)
    miner.call("mining.submit", miner.share(miner.log_in()))
    miner.close()
    for _ in range(6):
        passer_by = client(address)
        passer_by.call("mining.ping", [])
        passer_by.close()
    until(lambda: not server.population().connected)
    kept = server.sessions()
    assert [info.number for info in kept] == [1, 5, 6, 7]
    assert kept[0].valid_shares == 1


def test_a_client_that_keeps_the_limits_is_never_noted(serve, client):
    server, address = serve()
    miner = client(address)
    job = miner.log_in()
    for _ in range(20):
        assert miner.call("mining.submit", miner.share(job))["result"] is True
    miner.close()
    until(lambda: not server.population().connected)
    assert server.notices() == ()
    assert server.sessions()[0].end_reason == "closed by the client"


def test_an_allowance_refills_at_its_rate_and_no_further_than_its_burst():
    allowance = Allowance(10.0, 5.0, 0.0)
    assert [allowance.take(1.0, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert not allowance.take(1.0, 0.1)
    assert [allowance.take(1.0, 10.0) for _ in range(6)] == [True] * 5 + [False]


def test_the_list_of_notices_is_bounded_and_still_counts_all():
    log = NoticeLog()
    for number in range(KEPT_NOTICES + 100):
        log.add("speaks HTTP", f"10.0.{number >> 8}.{number & 255}")
    notices = log.all()
    assert len(notices) == KEPT_NOTICES + 1
    assert (notices[-1].peer, notices[-1].count) == (OTHERS, 100)
    assert log.counts() == {"speaks HTTP": KEPT_NOTICES + 100}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"method":5}',
        b'{"id":NaN,"method":"a"}',
        b"\xff",
        b'{"method":',
        b"[" * 16_000,
        b'{"id":' + b"1" * 5_000 + b',"method":"a"}',
        '{"method":"a"}'.encode("utf-16"),
    ],
)
def test_what_is_no_request_is_malformed(line):
    with pytest.raises(MalformedLineError):
        read_request(line)


def test_an_answer_to_a_push_of_the_server_is_no_request():
    assert read_request(b'{"id":null,"result":true,"error":null}') is None


@pytest.mark.parametrize(
    ("text", "kept"), [(b"1e400", None), (b"[1]", None), (b"{}", None), (b"1.5", 1.5), (b'"a"', "a")]
)
def test_an_id_that_cannot_be_sent_back_becomes_null(text, kept):
    assert read_request(b'{"id":' + text + b',"method":"a"}').id == kept


def test_a_clients_text_is_kept_as_short_printable_ascii():
    assert plain_text("a\x00\x1b\n\u202e\ud800é", 100) == "a???\\u202e\\ud800\\xe9"
    assert len(plain_text("é" * 1000, 128)) == 128
    assert json.dumps(plain_text("\ud800", 10)) == '"\\\\ud800"'
