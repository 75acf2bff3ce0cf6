"""What a machine does between two polls: it restarts, freezes, lies, tunes, pauses and changes its mode."""

import pytest
from doubles.miners.unit import Unit

FAMILIES = ["axeos", "luxos", "braiins", "braiins_rest", "vnish", "epic", "sealminer", "auradine", "proto"]
STATES = [family for family in FAMILIES if family not in {"axeos", "auradine", "proto"}]  # their firmware has a word
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)


def best(reading):
    """Return the rate of the shortest mean or sample that no window dilutes."""
    counted = [rate for rate in reading.rates if rate.basis != "nominal" and "5s" not in rate.raw_key]
    return min(counted, key=lambda rate: rate.window_s or 0.0).rate_h_s


@EVERY_FAMILY
def test_a_restart_sets_time_and_shares_back(machine, family):
    made = machine(family)
    before = made.read().counters
    made.unit.restart()
    made.unit.run(30.0)
    after = made.read()
    assert before.elapsed_s is None or after.counters.elapsed_s == 30.0 < before.elapsed_s
    assert before.accepted is None or (after.counters.accepted or 0) < before.accepted
    assert after.mode.settled is not True


@EVERY_FAMILY
def test_a_frozen_machine_shows_the_same_figures_while_time_passes(machine, family):
    made = machine(family)
    made.unit.freeze()
    first = made.read()
    made.unit.run(600.0)
    again = made.read()
    assert (again.rates, again.powers, again.counters) == (first.rates, first.powers, first.counters)


@pytest.mark.parametrize("family", ["luxos", "braiins", "sealminer", "auradine"])
def test_a_rate_that_the_shares_contradict_is_a_warning(machine, family):
    made = machine(family, Unit(elapsed_s=40_000.0))

    def lines():
        """Return the warnings but those of Sealminer's `stats`, which always counts too much."""
        words = "accepted difficulty implies"
        return [line for line in made.read().warnings if words in line and "MHS(Avg)" not in line]

    assert lines() == []
    made.unit.lie(1.075)
    (line,) = lines()
    assert "-7.0%" in line


@pytest.mark.parametrize("family", STATES)
def test_a_machine_that_tunes_is_not_settled_and_one_that_is_done_is(machine, family):
    made = machine(family)
    assert made.read().mode.settled is True
    made.unit.restart()
    made.unit.run(120.0)
    assert made.read().mode.settled is False


@EVERY_FAMILY
def test_a_paused_machine_does_not_hash(machine, family):
    made = machine(family)
    assert made.read().mode.hashing is True
    made.unit.pause()
    reading = made.read()
    assert reading.mode.hashing is False
    assert not reading.mode.settled


@EVERY_FAMILY
def test_a_change_of_mode_shows_in_rate_and_power(machine, family):
    made = machine(family)
    full = made.read()
    made.unit.change_mode("low")
    made.unit.run(7200.0)
    low = made.read()
    assert best(low) == pytest.approx(0.7 * best(full), rel=1e-6)
    assert low.powers[0].power_w == pytest.approx(0.7 * full.powers[0].power_w, rel=1e-3)
