"""The miner that is measured is one machine: its connections, and what stands between it and the server."""

import socket
import threading

import pytest
from doubles.work_server import AGENT, session

from bench.errors import RunFailedError
from bench.stratum.server import ServerOptions
from bench.stratum.simulator.client import Client
from bench.stratum.simulator.personality import Personality
from bench.stratum.thread import WorkServer
from bench.workloads.asic.arrival import Unit, company, disconnected_s, wait_for_miner

UNIT = Unit("192.0.2.7", AGENT)


def test_the_first_miner_that_is_authorized_is_taken():
    with WorkServer(ServerOptions(difficulty=1.0)) as server:
        host, port = server.start("127.0.0.1", 0)
        idle = socket.create_connection((host, port))
        client = Client(host, port, "w", Personality())
        thread = threading.Thread(target=client.shake_hands)
        thread.start()
        unit = wait_for_miner(server, 10.0)
        thread.join()
        client.close()
        idle.close()
    assert unit == Unit("127.0.0.1", "perwatt-simulator/1")


def test_without_a_miner_the_wait_ends_with_what_did_connect():
    with WorkServer(ServerOptions(difficulty=1.0)) as server:
        host, port = server.start("127.0.0.1", 0)
        with socket.create_connection((host, port)) as browser:
            browser.sendall(b"GET / HTTP/1.1\r\n\r\n")
            browser.recv(1)
        with pytest.raises(RunFailedError, match=r"no miner was authorized within 1 s; connections so far: .*HTTP"):
            wait_for_miner(server, 1.0)


def test_connections_of_one_address_and_program_are_one_miner():
    seen = company(
        [session(1, end_s=50.0), session(2, start_s=60.0), session(3, agent="x/1"), session(4, peer="192.0.2.8")],
        UNIT, 0.0, 100.0,
    )  # fmt: skip
    assert [one.number for one in seen.own] == [1, 2]
    assert (seen.at_once, seen.neighbours, seen.strangers) == (1, 1, 1)


def test_connections_outside_the_span_do_not_count():
    seen = company([session(1), session(2, end_s=10.0), session(3, start_s=200.0)], UNIT, 20.0, 100.0)
    assert [one.number for one in seen.own] == [1]


@pytest.mark.parametrize(
    ("spans", "gap_s"),
    [([(0.0, None)], 0.0), ([(0.0, 30.0), (40.0, None)], 10.0), ([(0.0, 30.0), (20.0, 90.0)], 10.0), ([], 80.0),
     ([(50.0, 60.0)], 70.0)],
)  # fmt: skip
def test_time_without_a_connection(spans, gap_s):
    sessions = [session(i, start_s=start, end_s=end) for i, (start, end) in enumerate(spans)]
    assert disconnected_s(sessions, 20.0, 100.0) == pytest.approx(gap_s)
