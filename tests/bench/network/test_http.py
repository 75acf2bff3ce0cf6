"""Names and addresses of plugs: looked up once, all within the time of one request."""

import socket
import threading

import pytest

from bench.network import tcp
from bench.network.errors import ReadFailedError
from bench.network.http import Device
from bench.network.tcp import HostPort


def resolve_to(monkeypatch, *addresses):
    """Let every name stand for these addresses, and return the list of the names that were asked for."""
    asked = []

    def getaddrinfo(host, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    monkeypatch.setattr(tcp.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_the_second_address_is_used_if_the_first_does_not_answer_and_the_name_is_looked_up_once(monkeypatch, device):
    fake = device({"/x": 7})
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        asked = resolve_to(monkeypatch, dead.getsockname(), ("127.0.0.1", fake.port))
        plug = Device("plug.test", fake.port)
        assert [plug.get_json("/x", 2.0), plug.get_json("/x", 2.0)] == [7, 7]
    assert asked == ["plug.test"]


@pytest.mark.usefixtures("deadlines")
def test_addresses_that_do_not_answer_share_the_time_of_one_request(monkeypatch):
    waits = []

    def connect_to(_endpoint, _family, _address, timeout_s):
        waits.append(timeout_s)
        raise TimeoutError

    monkeypatch.setattr(HostPort, "_connect_to", connect_to)
    resolve_to(monkeypatch, *[("10.0.0.1", port) for port in range(10)])
    with pytest.raises(ReadFailedError, match="no complete answer in time"):
        Device("plug.test", 80).get_json("/x", 2.0)
    assert len(waits) == 10
    assert waits[0] <= 0.2
    assert max(waits) <= 2.0


@pytest.mark.usefixtures("deadlines")
def test_a_name_server_that_does_not_answer_is_given_up(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(tcp.socket, "getaddrinfo", lambda *_, **__: answered.wait() and [])
    with pytest.raises(ReadFailedError, match="the name was not found in time"):
        Device("plug.test", 80).get_json("/x", 0.05)
    answered.set()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_name_that_stands_for_nothing_is_one_line(host):
    with pytest.raises(ReadFailedError, match="http://") as error:
        Device(host, 80).get_json("/x", 2.0)
    assert "\n" not in str(error.value)
