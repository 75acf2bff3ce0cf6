"""Machines with stock firmware that restart, freeze, lie, pause and change their mode, over real sockets."""

import pytest
from doubles.miners.server import FakeMiner
from doubles.miners.stock import FAMILIES, commands
from doubles.miners.unit import Unit

from bench.miners.families import load
from bench.miners.implied import implied_rate
from bench.miners.link import Address
from bench.miners.reader import Miner
from bench.miners.watch import Watch

WITH_COUNTERS = ("antminer", "whatsminer", "avalon")


@pytest.fixture
def stock():
    """Start a machine with a unit, and return the unit and a function that polls it."""
    made = []

    def make(family, **settings):
        unit = Unit(rate_h_s=80e12, **settings)
        fake = FakeMiner(commands(unit, family), framed=family == "whatsminer-v3")
        made.append(fake)
        known = load(family)
        miner = Miner(Address("127.0.0.1"), known, ports={known.port: fake.port}, sleep=lambda _: None)
        return unit, lambda: miner.poll().reading

    yield make
    for fake in made:
        fake.close()


def average(reading):
    return next(rate.rate_h_s for rate in reading.rates if rate.averaging == "since_restart")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_machine_in_order_shows_its_rate(stock, family):
    _, poll = stock(family)
    reading = poll()
    assert average(reading) == pytest.approx(80e12, rel=1e-4)
    assert reading.mode.hashing is True
    assert [warning for warning in reading.warnings if "inferred" not in warning and "chip" not in warning] == []


@pytest.mark.parametrize("family", WITH_COUNTERS)
def test_the_implied_rate_is_the_true_one_and_a_lying_display_is_named(stock, family):
    unit, poll = stock(family, elapsed_s=86_400.0)
    unit.lie(1.08)
    reading = poll()
    assert implied_rate(reading.counters).rate_h_s == pytest.approx(80e12, rel=0.001)
    assert average(reading) == pytest.approx(86.4e12, rel=0.001)
    assert any(warning.startswith("accepted difficulty implies 80 TH/s, -7.4%") for warning in reading.warnings)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_restart_is_noticed_and_the_interval_counts_nothing(stock, family):
    unit, poll = stock(family)
    watch = Watch()
    watch.add(poll())
    unit.run(10.0)
    watch.add(poll())
    unit.restart()
    unit.run(5.0)
    change = watch.add(poll())
    assert change.marks == ("restarted: its counters begin anew",)
    assert (change.implied, change.new_shares) == (None, None)


@pytest.mark.parametrize("family", WITH_COUNTERS)
def test_shares_between_polls_imply_the_rate_of_that_time(stock, family):
    unit, poll = stock(family)
    watch = Watch()
    watch.add(poll())
    unit.count()
    unit.rate_now_h_s = 40e12
    unit.run(20_000.0)
    change = watch.add(poll())
    assert change.implied.rate_h_s == pytest.approx(40e12, rel=0.01)
    assert change.new_shares == change.implied.shares


@pytest.mark.parametrize("family", FAMILIES)
def test_values_that_stand_still_are_noticed(stock, family):
    unit, poll = stock(family)
    watch = Watch()
    watch.add(poll())
    unit.freeze()
    marks = []
    for _ in range(3):
        unit.run(10.0)
        marks.append(watch.add(poll()).marks)
    assert "frozen: its elapsed time stands still" in marks[0]
    assert any("the same in 3 polls" in mark for mark in marks[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pause_and_a_change_of_mode_are_noticed(stock, family):
    unit, poll = stock(family)
    before = poll()
    unit.pause()
    paused = poll()
    assert (before.mode.hashing, paused.mode.hashing) == (True, False)
    unit.pause(False)
    unit.change_mode("high")
    unit.run(700.0)
    after = poll()
    assert after.mode.hashing is True
    if family in WITH_COUNTERS:
        assert after.mode.name == "high"


@pytest.mark.parametrize("family", ["whatsminer", "whatsminer-v3"])
def test_a_machine_that_still_raises_its_frequency_is_not_settled(stock, family):
    unit, poll = stock(family, elapsed_s=100.0)
    assert poll().mode.settled is False
    unit.run(1000.0)
    assert poll().mode.settled is True
