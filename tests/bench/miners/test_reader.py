"""One connection at a time and one poll in so many seconds, whoever asks; a host that is no miner is one line."""

import threading
import time

import pytest
from doubles.crowded import LONG_S
from doubles.miners import antminer, avalon, whatsminer

from bench.miners.families import load
from bench.miners.link import Address, Link, parse_address
from bench.miners.reader import Miner, MinerError
from bench.network.errors import ReadFailedError
from bench.network.login import Login
from hardware_profiles.errors import InputError


def reader(fake, family="antminer", **settings):
    known = load(family)
    return Miner(Address("127.0.0.1"), known, ports={known.port: fake.port}, **settings)


@pytest.mark.parametrize(
    ("family", "replies", "pause_s"), [("antminer", antminer.s19_pro, 5.0), ("avalon", avalon.a1246, 10.0)]
)
def test_two_readers_of_one_miner_share_its_interval(fake_miner, family, replies, pause_s):
    fake = fake_miner(replies())
    now, waits = [100.0], []

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    settings = {"clock": lambda: now[0], "sleep": sleep}
    reader(fake, family, **settings).poll()
    now[0] += 2.0
    reader(fake, family, **settings).poll()
    now[0] += pause_s
    reader(fake, family, **settings).poll()
    assert waits == [pause_s - 2.0]


def test_threads_do_not_connect_at_the_same_time(fake_miner):
    fake = fake_miner(antminer.s19_pro())
    readings, threads = [], []
    for _ in range(4):
        miner = reader(fake, sleep=lambda _: None)
        threads.append(threading.Thread(target=lambda miner=miner: readings.append(miner.poll().reading)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(readings) == 4
    assert fake.most_open == 1
    assert len(fake.requests) == 16


def test_two_machines_do_not_wait_for_each_other(fake_miner):
    one, other = fake_miner(antminer.s19_pro()), fake_miner(antminer.s19_pro())
    waits = []
    reader(one, sleep=waits.append).poll()
    reader(other, sleep=waits.append).poll()
    assert waits == []


def test_a_command_that_is_refused_does_not_cost_the_others(fake_miner):
    replies = whatsminer.v2()
    replies["get_psu"] = b"not JSON at all"
    poll = reader(fake_miner(replies), "whatsminer").poll()
    assert poll.reading.rates
    assert any(warning.startswith("get_psu: not read: ") for warning in poll.reading.warnings)
    assert poll.replies["summary"].raw.startswith(b"{")  # the bytes are kept as they came


@pytest.mark.parametrize(
    ("quirk", "words"),
    [
        ("html", "answers like a web server: '<!DOCTYPE html>"),
        ("http", "answers like a web server: 'HTTP/1.1 400 Bad Request"),
        ("hang_up", "closed the connection without a reply"),
        ("huge", "the reply is longer than 1048576 bytes"),
        ("deep", "the reply is nested deeper than 64 levels"),
    ],
)
def test_a_host_that_is_no_miner_is_one_line(fake_miner, quirk, words):
    with pytest.raises(MinerError, match="miner 127") as error:
        reader(fake_miner({}, quirk=quirk)).poll()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_reply_that_is_cut_off_is_used_and_reported(fake_miner):
    reading = reader(fake_miner(antminer.s19_pro(), quirk="cut")).poll().reading
    assert any("repaired: end missing" in warning for warning in reading.warnings)


@pytest.mark.usefixtures("deadlines")
def test_a_slow_miner_costs_one_poll_and_no_more(fake_miner):
    link = Link(Address("127.0.0.1"), {4028: fake_miner({}, quirk="silent").port}, poll_s=0.3)
    began = time.monotonic()
    assert "no complete reply" in link.ask("version", optional=True).fault
    assert "no time left" in link.ask("summary", optional=True).fault
    assert time.monotonic() - began < LONG_S
    with pytest.raises(ReadFailedError, match="no time left"):
        link.ask("stats")


def test_a_fault_that_becomes_a_warning_names_no_address(fake_miner):
    link = Link(Address("127.0.0.1"), {4028: fake_miner({}, quirk="hang_up").port, 80: 1})
    assert link.ask("pools", optional=True).fault == "closed the connection without a reply"
    assert link.web("info", "/info", optional=True).fault == "/info: [Errno 111] Connection refused"
    with pytest.raises(ReadFailedError, match=r"^127\.0\.0\.1:\d+: closed the connection"):
        link.ask("pools")


def test_a_port_of_the_address_is_the_only_one_that_is_asked(fake_miner):
    fake = fake_miner(antminer.s21())
    miner = Miner(Address("127.0.0.1", fake.port), load("antminer"))
    assert miner.poll().reading.identity.model == "Antminer S21"  # and its power port was left alone


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", Address("192.0.2.7")),
        ("192.0.2.7:4028", Address("192.0.2.7", 4028)),
        ("simulate:4028", Address("simulate", 4028)),
        ("[2001:db8::1]:80", Address("2001:db8::1", 80)),
        ("[2001:db8::1]", Address("2001:db8::1")),
        ("2001:db8::1", Address("2001:db8::1")),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port(text, address):
    assert parse_address(text, "HOST") == address


@pytest.mark.parametrize("text", ["", "a b", "h:0", "h:99999", "http://h", "h/path", "u:p@h", "h:x"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InputError, match="HOST"):
        parse_address(text, "HOST")


def test_a_refusal_of_api_3_is_a_fault(fake_miner):
    fake = fake_miner(whatsminer.v3(), framed=True)
    link = Link(Address("127.0.0.1"), {4433: fake.port})
    request = {"cmd": "get.miner.status"}  # without the parameter that it needs
    assert link.ask_frame("status", request, optional=True).fault == "refused with code -2 invalid param"
    with pytest.raises(ReadFailedError, match="status: refused with code -2"):
        link.ask_frame("status", request)


def test_web_pages_are_not_asked_where_the_address_names_a_port(fake_miner):
    fake = fake_miner(antminer.s19_pro())
    miner = Miner(Address("127.0.0.1", fake.port), load("antminer"), Login("root", "hush"))
    warnings = miner.poll().reading.warnings
    assert "get_miner_conf: not read: port 80 is not asked, because the address names another" in warnings
