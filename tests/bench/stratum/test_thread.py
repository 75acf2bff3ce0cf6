"""The work server as a runner uses it: from another thread, in any order, and with a log that stays bounded."""

import gc
import math
import socket
import threading
import time

import numpy as np
import pytest
from doubles.crowded import LONG_S

from bench.stratum.events import OTHERS, ShareLog
from bench.stratum.server import ServerOptions
from bench.stratum.thread import WorkServer
from bench.stratum.verify import ShareClass, Verdict
from hardware_profiles.errors import InputError


def test_start_returns_the_address_and_stop_ends_connections_and_thread(serve, client):
    server, address = serve()
    assert address[0] == "127.0.0.1"
    miner = client(address)
    miner.log_in()
    server.stop()
    server.stop()
    assert miner.read() is None
    assert "stratum work server" not in [thread.name for thread in threading.enumerate()]
    (info,) = server.sessions()
    assert info.end_reason == "the server stopped"
    assert server.population().connected == 0
    with pytest.raises(ConnectionError):
        socket.create_connection(address, timeout=LONG_S)


def test_clients_that_connect_while_the_server_stops_leave_nothing_open(serve):
    for _ in range(3):  # an unclosed socket or a pending task is a warning, and so a failure
        server, address = serve()
        clients = [socket.create_connection(address, timeout=LONG_S) for _ in range(40)]
        server.stop()
        for connection in clients:
            connection.close()
        gc.collect()


def test_the_server_listens_on_the_chosen_interface_only(serve):
    _, (_, port) = serve()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.2", port), timeout=LONG_S)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("", 0, "expected one address of this machine"),
        ("127.0.0.1", 70_000, "expected one address of this machine"),
        ("no such host", 0, "expected an address of this machine"),
        ("203.0.113.7", 0, "Cannot assign requested address"),
        ("x" * 300, 0, "expected an address of this machine"),
    ],
)
def test_an_address_that_cannot_be_bound_is_one_line(host, port, words):
    with WorkServer() as server, pytest.raises(InputError, match=words) as caught:
        server.start(host, port)
    assert len(caught.value.faults) == 1
    assert "stratum work server" not in [thread.name for thread in threading.enumerate()]


def test_a_port_that_is_taken_is_one_line(serve):
    _, (host, port) = serve()
    with WorkServer() as second, pytest.raises(InputError, match="Address already in use"):
        second.start(host, port)


def test_a_second_start_is_refused(serve):
    server, _ = serve()
    with pytest.raises(InputError, match="a second"):
        server.start("127.0.0.1", 0)


@pytest.mark.parametrize(
    "options",
    [{"difficulty": 0.0}, {"difficulty": math.nan}, {"notify_s": 0.0}, {"clean_s": -1.0}, {"extranonce2_bytes": 5}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="expected"):
        WorkServer(ServerOptions(**options))


def test_a_frozen_difficulty_cannot_be_set_until_it_is_released(serve):
    server, _ = serve()
    server.freeze_difficulty(8.0)
    for change in (server.set_difficulty, server.freeze_difficulty):
        with pytest.raises(InputError, match="while it is frozen at 8"):
            change(16.0)
    assert server.difficulty == 8.0
    server.release_difficulty()
    server.set_difficulty(16.0)
    assert server.difficulty == 16.0


def test_a_difficulty_that_has_no_target_freezes_nothing(serve):
    server, _ = serve()
    with pytest.raises(InputError, match="expected a difficulty"):
        server.freeze_difficulty(-1.0)
    server.set_difficulty(4.0)


def test_whole_difficulties_are_sent_as_integers(serve, client):
    server, address = serve()
    server.set_difficulty(8192.0)
    miner = client(address)
    miner.log_in()
    assert repr(miner.pushes[1]["params"]) == "[8192]"


def test_a_runner_waits_for_a_share_and_counts_between_two_moments(serve, client):
    server, address = serve()
    miner = client(address)
    job = miner.log_in()
    assert not server.shares.wait(0, 0.01)
    start = time.monotonic()
    share = miner.share(job)
    for _ in range(2):
        miner.call("mining.submit", share)
    assert server.shares.wait(0, LONG_S)
    end = time.monotonic()
    assert sum(server.shares.counts(start, end).values()) == 2
    assert sum(server.shares.counts(end, end + 1.0).values()) == 0
    assert server.shares.counts(start, end)[ShareClass.VALID] == 1
    table = server.shares.table(start, end)
    assert start <= table.arrival_s[0] <= table.arrival_s[1] <= end
    assert table.select(ShareClass.VALID).hash_frac.size == 1
    assert server.sessions()[0].valid_shares == server.sessions()[0].other_shares == 1


def filled(count, capacity):
    log = ShareLog(capacity)
    for number in range(count):
        log.append(float(number), Verdict(ShareClass.VALID, 2.0, 0.5), 1.0, 7, f"worker {number % 3}")
    return log


def test_the_log_keeps_the_newest_shares_and_says_since_when_it_is_complete():
    log = filled(1_000, 100)
    assert log.end == 1_000
    assert 100 <= log.table(0.0, 1e9).arrival_s.size <= 113
    first = float(log.table(0.0, 1e9).arrival_s[0])
    assert first - 1.0 < log.complete_from_s <= first
    events, cursor = log.since(0)
    assert cursor == 1_000
    assert [event.arrival_s for event in events] == list(np.arange(first, 1000.0))
    assert events[-1].worker == "worker 0"
    assert filled(50, 100).complete_from_s == -math.inf


def test_a_span_of_time_holds_its_start_and_not_its_end():
    log = filled(10, 100)
    assert log.counts(2.0, 5.0)[ShareClass.VALID] == 3
    assert list(log.table(2.0, 5.0).arrival_s) == [2.0, 3.0, 4.0]


def test_a_cursor_reads_every_share_once_in_parts():
    log, cursor, seen = filled(95, 100), 0, []
    while True:
        events, cursor = log.since(cursor, most=10)
        if not events:
            break
        seen += [event.arrival_s for event in events]
    assert seen == list(np.arange(95.0))
    assert log.since(cursor) == ([], 95)


def test_too_many_worker_names_share_one_entry():
    log = ShareLog()
    for number in range(5_000):
        log.append(0.0, Verdict(ShareClass.VALID, 2.0, 0.5), 1.0, 7, f"w{number}")
    names = [event.worker for event in log.since(0)[0]]
    assert names[10] == "w10"
    assert names[-1] == OTHERS


def test_the_runner_reads_while_shares_arrive():
    log, stop = ShareLog(1_000), threading.Event()

    def write():
        number = 0.0
        while not stop.is_set():
            number += 1.0
            log.append(number, Verdict(ShareClass.VALID, 2.0, 0.5), 1.0, 1, "w")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            table = log.table(0.0, math.inf)
            assert np.all(np.diff(table.arrival_s) == 1.0)
    finally:
        stop.set()
        writer.join()
