"""`perwatt miner HOST`: the screen, the document, the watch, and one line for every host that is no miner."""

import json
import os
import re
import signal
import subprocess
import sys

import jsonschema
import pytest
from doubles.crowded import LONG_S
from doubles.miners import antminer, avalon, descendants, stock, whatsminer
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit, live

from bench.miners import document
from bench.miners.families import names


@pytest.fixture
def miner():
    """Start a fake miner, and return its address."""
    made = []

    def make(replies, **settings):
        made.append(FakeMiner(replies, **settings))
        return f"127.0.0.1:{made[-1].port}"

    yield make
    for fake in made:
        fake.close()


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr("bench.miners.link.PAUSE_S", 0.0)


def test_the_screen_has_every_rate_and_power_with_what_it_is(perwatt, miner):
    done = perwatt("miner", miner(avalon.a1246()))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0].startswith("miner Canaan AvalonMiner 1246-83, unit ")
    assert "estats: GHSavg 79.66 since restart shares, by the firmware" in lines
    assert "implied by accepted difficulty 80.10 since restart 3,500 accepted shares, 95 %: ± 3.3%" in lines
    assert "estats: PS[4] 3,189 output of the supply (DC), measured 40.11 40.03" in lines
    assert "estats: PS[6] 3,504 input of the supply, measured by the supply 44.08 43.99" in lines
    assert "estats: MPO 3,200 target, not measured" in lines  # and no efficiency from it
    assert "Nothing here is measured at the wall." in done.stdout
    assert any(line.startswith("The implied rate is computed here: accepted shares are a Poisson") for line in lines)
    assert "stratum+tcp://pool.example.com:4444 Alive, in use 131,072 3,500 2 0" in lines
    assert all(word not in done.stdout for word in ("wallet", "hush", "0201000011223344"))


def test_a_miner_without_power_and_one_that_sleeps_are_shown(perwatt, miner):
    without = perwatt("miner", miner(antminer.s19_pro())).stdout
    assert "power      not shown by the firmware; use a meter at the plug" in without
    asleep = perwatt("miner", miner(antminer.asleep()))
    assert (asleep.returncode, asleep.stderr) == (0, "")
    assert "state      sleep, not hashing, sends empty lists" in asleep.stdout
    assert "hashrate   not shown by the firmware" in asleep.stdout


def test_an_idle_miner_has_no_efficiency(perwatt, miner):
    done = perwatt("miner", miner(avalon.q_idle())).stdout
    assert "J/TH" not in done
    assert "warning    stale average: stats: GHSavg 44.5 TH/s" in done


@pytest.mark.parametrize("width", [60, 80, 110])
def test_the_screen_fits_the_terminal(perwatt, miner, width):
    done = perwatt("miner", miner(whatsminer.v1()), env={"COLUMNS": str(width)})
    assert max(map(len, done.stdout.splitlines())) <= width


def test_the_document_has_the_published_schema(perwatt, miner):
    published = json.loads(document.published())
    assert (document.PUBLISHED.read_text(encoding="utf-8")) == document.published()
    for replies in (avalon.a1246(), antminer.s19_pro(), antminer.asleep(), whatsminer.v2(), avalon.a1346()):
        read = json.loads(perwatt("miner", miner(replies), "--json").stdout)
        jsonschema.validate(read, published, cls=jsonschema.Draft202012Validator)
        assert read["schema"] == "perwatt-miner-1"
        assert all(word not in json.dumps(read) for word in ("127.0.0.1", "wallet", "hush"))


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_no_password_of_a_pool_and_nothing_that_a_terminal_obeys_leaves_a_reply(perwatt, miner, option):
    hostile = "\x1b]0;title\x07\x1b[2J"
    replies = antminer.s21()
    (pool,) = replies["pools"]["POOLS"][:1]
    pool |= {"URL": "stratum+tcp://bob:s3cret1Qz@pool.example:3333", "Pass": "s3cret2Qz"}
    pool |= {"Password": "s3cret3Qz", "Api Token": "s3cret4Qz", "pool_pass": "s3cret5Qz"}
    replies["pools"]["POOLS"] = [pool]
    replies["version"]["VERSION"][0]["Type"] += hostile
    done = perwatt("miner", miner(replies), *option)
    assert (done.returncode, "]0;title" in done.stdout) == (0, True)
    assert [mark for mark in ("s3cret", "\x1b", "\x07") if mark in done.stdout + done.stderr] == []


@pytest.mark.parametrize("family", ["luxos", "braiins", "sealminer", "auradine"])
def test_other_families_are_shown_too(perwatt, miner, family):
    done = perwatt("miner", miner(descendants.commands(Unit(), family)))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"(family {family})" in done.stdout


def test_a_stated_family_is_read_without_a_search(perwatt, miner):
    done = perwatt("miner", miner(whatsminer.v3(), framed=True), "--family", "whatsminer-v3")
    assert "summary: power-realtime" in done.stdout
    assert "where it comes from is not known" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--family", "avalo"), "expected one of axeos, .*got 'avalo' .did you mean avalon"),
        (("--user", "root"), "--user: expected a password with it: --password-file PATH"),
        (("--password-env", "SECRET"), "--user: expected the user of the password"),
        (("--user", "root", "--password-env", "NO_SUCH_VARIABLE"), "an environment variable that holds the password"),
        (("--user", "root", "--password-file", "/no/such"), "got no such file"),
    ],
)
def test_a_wrong_option_has_status_2(refused, arguments, words):
    assert re.search(words, refused("miner", "127.0.0.1:1", *arguments))


@pytest.mark.parametrize("host", ["", "a/b", "http://127.0.0.1", "root:hush@127.0.0.1", "127.0.0.1:0"])
def test_a_wrong_address_has_status_2(refused, host):
    assert "hush" not in refused("miner", host)


@pytest.mark.usefixtures("deadlines")
@pytest.mark.parametrize(
    ("quirk", "words"),
    [
        ("html", "answers like a web server"),
        ("silent", "no complete reply within 0.3 s"),
        ("hang_up", "closed the connection without a reply"),
        ("huge", "longer than 1048576 bytes"),
        ("deep", "nested deeper"),
    ],
)
def test_a_host_that_is_no_miner_has_status_1(refused, monkeypatch, miner, quirk, words):
    monkeypatch.setattr("bench.miners.identify.SECONDS", 0.3 if quirk == "silent" else LONG_S)
    line = refused("miner", miner({}, quirk=quirk), status=1)
    assert words in line
    assert "no family recognised" in line


def test_a_closed_port_has_status_1(refused):
    assert "Connection refused; check the address" in refused("miner", "127.0.0.1:1", status=1)


@pytest.fixture
def watch(coverage_of_children):
    """Run `perwatt miner --watch` until it has printed some lines, then interrupt it; return stdout, stderr, status."""
    environment = {**os.environ, **coverage_of_children}

    def call(address, lines, *options):
        command = [sys.executable, "-c", FAST, "miner", address, "--watch", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        seen = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=600)
        return "".join(seen) + stdout, stderr, process.returncode

    return call


# A minute of polls in a second: the interval of the family is a tenth of a second here.
FAST = """
import sys
from bench.cli import main
from bench.miners import families
load = families.load
families.load = lambda name: load(name)._replace(poll_s=0.1)
main(sys.argv[1:])
"""


def test_the_watch_prints_a_line_a_poll_until_ctrl_c(miner, watch):
    stdout, stderr, status = watch(miner(stock.commands(live(rate_h_s=100e12), "antminer")), 6)
    assert status == 130
    assert stderr.strip() == "error: interrupted; the results written so far are complete"
    first, legend, interval, *lines = stdout.splitlines()
    assert first.startswith("miner      Bitmain Antminer S19 Pro")
    assert "summary: GHS 5s" in legend
    assert interval == "interval   0.1 s; Ctrl-C ends"
    assert all("TH/s" in line for line in lines)


def test_the_watch_marks_a_restart_and_goes_on_after_a_poll_without_answer(miner, watch):
    unit = live(rate_h_s=100e12)
    replies = stock.commands(unit, "antminer")
    calls = []

    def version():
        calls.append(0)
        if len(calls) == 4:
            unit.restart()
        return b"" if len(calls) == 3 else replies_version()

    replies_version = replies["version"]
    replies["version"] = version
    stdout, _, status = watch(miner(replies), 7, "--family", "antminer")
    assert status == 130
    assert "no answer: miner 127.0.0.1" in stdout
    assert "! restarted: its counters begin anew" in stdout


def test_the_watch_prints_one_document_a_line(miner, watch):
    stdout, _, status = watch(miner(stock.commands(live(), "whatsminer")), 3, "--json")
    assert status == 130
    documents = [json.loads(line) for line in stdout.splitlines()]
    assert len(documents) >= 3
    assert all("marks" in read for read in documents)
    assert {read["identity"]["family"] for read in documents} == {"whatsminer"}


def test_families_are_completed():
    from click.shell_completion import ShellComplete

    from bench.cli import perwatt as root

    items = ShellComplete(root, {}, "perwatt", "_PERWATT_COMPLETE").get_completions(["miner", "--family"], "a")
    assert [item.value for item in items] == [name for name in names() if name.startswith("a")]
