"""The simulated LuxOS: our reader reads it, sessions and `curtail` work, and every byte is counted."""

import json
import socket

import pytest
from doubles.twin.running import running_twin

from bench.miners.families import load
from bench.miners.link import Link, parse_address
from bench.twin.lies import Lies
from bench.twin.servers import speaker


def ask(address, command, parameter="", timeout_s=5.0):
    host, _, port = address.partition(":")
    request = {"command": command} | ({"parameter": parameter} if parameter else {})
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(json.dumps(request).encode())
        received = b""
        while part := connection.recv(65_536):
            received += part
    return json.loads(received.rstrip(b"\0")) if received else None


def read(address):
    """Return what the reader of `perwatt miner` shows, with the port of the firmware at that of the twin."""
    host, _, port = address.partition(":")
    family = load("luxos")
    return family.parse(family.read(Link(parse_address(host, "HOST"), {4028: int(port)})))


def curtail(address, word):
    session = ask(address, "logon")["SESSION"][0]["SessionID"]
    reply = ask(address, "curtail", f"{session},{word}")
    ask(address, "logoff", session)
    return reply


def test_our_reader_reads_it_awake_asleep_and_between():
    with running_twin() as twin:
        awake = read(twin.address())
        assert awake.mode.hashing
        assert awake.powers[0].power_w == pytest.approx(twin.twin.units[0].kind.full_w)
        assert "simulated" in awake.identity.model
        assert curtail(twin.address(), "sleep")["STATUS"][0]["Code"] == 335
        twin.step(5.0)
        assert "ramping" in read(twin.address()).mode.state
        twin.step(600.0)
        asleep = read(twin.address())
        assert not asleep.mode.hashing
        assert asleep.powers[0].power_w == pytest.approx(30.0, abs=0.1)
        curtail(twin.address(), "wakeup")
        twin.step(twin.twin.units[0].kind.wake_s + 60.0)
        assert read(twin.address()).mode.settled


def test_reads_and_changes_are_counted_apart_at_the_socket():
    with running_twin() as twin:
        read(twin.address())
        counts = twin.page("/bytes")
        assert counts["read_bytes"] > 0
        assert counts["change_bytes"] == 0
        sent = len(json.dumps({"command": "logon"}))
        ask(twin.address(), "logon")
        assert twin.page("/bytes")["change_bytes"] == sent


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\x00", b"{", b"GET / HTTP/1.1\r\n\r\n", b'{"command":"reboot"}'])
def test_bytes_that_are_no_read_count_as_a_change(request_):
    with running_twin() as twin:
        host, _, port = twin.address().partition(":")
        with socket.create_connection((host, int(port)), timeout=5.0) as connection:
            connection.sendall(request_)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
        assert twin.page("/bytes")["change_bytes"] == len(request_)


def test_a_second_session_is_refused_and_a_command_needs_one():
    with running_twin() as twin:
        assert ask(twin.address(), "curtail", "nothing,sleep")["STATUS"][0]["Code"] == 401
        session = ask(twin.address(), "logon")["SESSION"][0]["SessionID"]
        assert ask(twin.address(), "logon")["STATUS"][0]["Code"] == 402
        ask(twin.address(), "logoff", session)
        assert ask(twin.address(), "logon")["STATUS"][0]["STATUS"] == "S"


def test_joined_commands_come_in_one_reply():
    with running_twin() as twin:
        reply = ask(twin.address(), "summary+config+power")
        assert {"summary", "config", "power"} <= set(reply)
        assert reply["power"][0]["POWER"][0]["Watts"] > 3000


def test_a_profile_sets_another_power_and_wakeup_returns_to_it():
    with running_twin() as twin:
        unit = twin.twin.units[0]
        row = ask(twin.address(), "profiles")["PROFILES"][2]
        session = ask(twin.address(), "logon")["SESSION"][0]["SessionID"]
        ask(twin.address(), "profileset", f"{session},{row['Profile Name']}")
        twin.step(2000.0)
        assert round(unit.power_w(twin.twin.clock())) == row["Watts"]
        for word in ("sleep", "wakeup"):
            ask(twin.address(), "curtail", f"{session},{word}")
            twin.step(2000.0)
        assert round(unit.power_w(twin.twin.clock())) == row["Watts"]


def test_lies_arrive_at_the_socket(monkeypatch):
    with running_twin(lies=Lies(closed=1.0)) as twin:
        assert curtail(twin.address(), "sleep") is None
    with running_twin(lies=Lies(no_effect=1.0)) as twin:
        assert curtail(twin.address(), "sleep")["STATUS"][0]["Code"] == 335
        twin.step(600.0)
        assert read(twin.address()).powers[0].power_w > 3000.0
    monkeypatch.setattr(speaker, "LATE_S", 0.3)
    with running_twin(lies=Lies(late=1.0)) as twin:
        session = ask(twin.address(), "logon")["SESSION"][0]["SessionID"]
        with pytest.raises(TimeoutError):
            ask(twin.address(), "curtail", f"{session},sleep", timeout_s=0.1)
        assert twin.twin.units[0].level_w(twin.twin.clock()) == 0.0


def test_a_unit_whose_network_is_down_takes_connections_and_says_nothing():
    with running_twin(lies=Lies(offline=500.0)) as twin:
        for _ in range(200):
            twin.step(600.0)
            if twin.twin.units[0].shown(twin.twin.clock()) is None:
                break
        with pytest.raises(TimeoutError):
            ask(twin.address(), "summary", timeout_s=0.2)
