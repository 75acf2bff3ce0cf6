"""What changes between two polls: a mode without a restart, and figures that stay the same while time goes on."""

import pytest

from bench.miners.record import Counters, Identity, MinerReading, Mode, PowerReading, RateReading
from bench.miners.watch import Watch


def reading(elapsed_s, rate_h_s=80e12, power_w=3200.0, mode="normal", accepted=100):
    return MinerReading(
        Identity("test"),
        rates=(RateReading(rate_h_s, "decay", 60.0, "nonces", "summary: MHS 1m", ""),),
        powers=(PowerReading(power_w, "ac_in_psu", "psu: pin", ""),),
        mode=Mode(mode),
        counters=Counters(elapsed_s=elapsed_s, accepted=accepted, accepted_difficulty=accepted * 65536.0),
    )


def test_the_first_poll_changes_nothing():
    assert Watch().add(reading(5.0)).marks == ()


def test_a_mode_that_changes_without_a_restart_is_named():
    watch = Watch()
    watch.add(reading(5.0))
    assert watch.add(reading(10.0, 70e12, mode="low")).marks == ("mode: normal before, low now",)
    assert watch.add(reading(15.0, 71e12, mode="low")).marks == ()


def test_figures_that_stay_the_same_while_time_goes_on_are_frozen_at_the_third_poll():
    watch = Watch()
    marks = [watch.add(reading(5.0 * poll)).marks for poll in range(1, 5)]
    assert marks[:2] == [(), ()]
    assert marks[2] == ("frozen: rates, powers and temperatures are the same in 3 polls",)
    assert marks[3] == ("frozen: rates, powers and temperatures are the same in 4 polls",)


@pytest.mark.parametrize("changed", [{"elapsed_s": 4.0}, {"elapsed_s": 10.0, "accepted": 99}])
def test_every_counter_that_falls_is_a_restart_after_which_shares_count_anew(changed):
    watch = Watch()
    watch.add(reading(5.0))
    assert watch.add(reading(**changed)).marks == ("restarted: its counters begin anew",)
    later = watch.add(reading(changed["elapsed_s"] + 10.0, 79e12, accepted=changed.get("accepted", 100) + 7))
    assert (later.marks, later.new_shares) == ((), 7)
    assert later.implied.window_s == 10.0


def test_counters_that_a_firmware_lacks_imply_nothing():
    watch = Watch()
    for elapsed_s in (5.0, 10.0):
        made = MinerReading(Identity("test"), counters=Counters(elapsed_s=elapsed_s))
        change = watch.add(made)
    assert (change.implied, change.new_shares) == (None, None)
