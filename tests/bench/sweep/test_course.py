"""The course of a sweep on a simulated unit: journal first, evidence of each level, the setting back at every end."""

import os
import signal
from dataclasses import replace

import pytest
from doubles.sweep.units import TERMS, Bench

from bench.errors import RunFailedError
from bench.levers.journal import Device, Journal, pending
from bench.levers.protocol import Answer, Reply
from hardware_profiles.errors import InputError

WALK = ("on", "1800W", "on")


def carried_out(bench, measure=None, walk=WALK, **parts):
    sweep = bench.sweep(**parts)
    with sweep.held:
        return sweep.carry_out(lambda _found: walk, measure or bench.measure)


def level_w(bench):
    return bench.unit.level_w(bench.now_s)


def test_each_level_is_measured_after_its_dwell_and_the_setting_comes_back():
    bench = Bench(1)
    course = carried_out(bench, walk=("1800W", "on", "1800W"))
    assert (course.fault, course.as_found) == ("", "on")
    assert bench.measured == ["1800W", "on", "1800W"]
    assert bench.said[-1] == "restored   the device is as it was found"
    assert level_w(bench) == bench.unit.kind.full_w
    assert pending() == []
    assert [record.device.settings["level"] for record in course.records] == bench.measured


def test_the_journal_is_on_the_disk_before_the_first_command():
    bench = Bench(1)

    def measure(level, found, guard):
        assert [(entry.level, entry.who) for entry in pending()] == [("on", "sweep luxos:u")]
        return bench.measure(level, found, guard)

    to, seen = bench.lever.to, []

    async def watched(level, deadline_s):
        seen.append(len(pending()))
        return await to(level, deadline_s)

    bench.lever.to = watched
    carried_out(bench, measure)
    assert seen
    assert set(seen) == {1}


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError, RunFailedError, signal.SIGTERM, signal.SIGHUP], ids=str)
@pytest.mark.parametrize("visit", [1, 2])
def test_whatever_ends_a_visit_the_setting_comes_back(end, visit):
    bench = Bench(1)

    def measure(level, found, guard):
        if len(bench.measured) == visit - 1:
            if isinstance(end, signal.Signals):
                os.kill(os.getpid(), end)
            raise end("the end")
        return bench.measure(level, found, guard)

    if end is RunFailedError:
        assert carried_out(bench, measure, ("1800W", "on", "1800W")).fault == "the end"
    else:
        with pytest.raises(KeyboardInterrupt if isinstance(end, signal.Signals) else end):
            carried_out(bench, measure, ("1800W", "on", "1800W"))
    assert level_w(bench) == bench.unit.kind.full_w
    assert pending() == []


def test_ctrl_c_within_a_command_sends_nothing_after_the_restore():
    import asyncio

    bench = Bench(1)
    sent = []

    async def slow(level, _deadline_s):
        asyncio.get_running_loop().call_later(0.0, _interrupt)
        await asyncio.sleep(0.2)
        sent.append(level)
        return Answer(Reply.ACCEPTED)

    def _interrupt():
        raise KeyboardInterrupt

    bench.lever.to = slow
    with pytest.raises(KeyboardInterrupt):
        carried_out(bench, walk=("1800W", "on"))
    assert (sent, pending()) == ([], [])


def test_a_device_that_becomes_too_hot_ends_the_sweep():
    bench = Bench(1)
    bench.lever.hottest_c = 70.0

    def measure(level, found, guard):
        bench.lever.hottest_c = 76.0
        return bench.measure(level, found, guard)

    course = carried_out(bench, measure, ("1800W", "on"))
    assert course.fault == "76 °C, above the limit of 75 °C"
    assert level_w(bench) == bench.unit.kind.full_w


def test_a_stated_limit_holds_from_the_start_and_nothing_is_changed():
    bench = Bench(1)
    bench.lever.hottest_c = 70.0
    with pytest.raises(RunFailedError, match="70 °C, above the limit of 65 °C"):
        carried_out(bench, terms=replace(TERMS, hottest_c=65.0))
    assert (bench.lever.commands, pending()) == (0, [])


def test_a_level_without_an_effect_ends_the_sweep():
    bench = Bench(1)

    async def deaf(_level, _deadline_s):
        return Answer(Reply.ACCEPTED)

    bench.lever.to = deaf
    course = carried_out(bench, walk=("1800W", "on"))
    assert course.fault == "luxos:u: no evidence of 1800W within 2700 s, it shows level on"
    assert not bench.measured


def test_a_refusal_ends_the_sweep():
    bench = Bench(1)

    async def refusing(_level, _deadline_s):
        return Answer(Reply.REFUSED, "ATM is on")

    bench.lever.to = refusing
    assert carried_out(bench, walk=("1800W", "on")).fault == "luxos:u refuses 1800W: ATM is on"


def test_a_device_that_sleeps_is_not_woken():
    bench = Bench(1)
    bench.unit.command(0.0, bench.now_s)
    bench.pass_time(3600.0)
    before = bench.lever.commands
    with pytest.raises(RunFailedError, match=r"expected a device at work.*its state is off.*nothing was changed"):
        carried_out(bench)
    assert bench.lever.commands == before


def test_a_setting_that_cannot_be_read_is_not_changed():
    bench = Bench(1)

    async def nothing():
        return None

    bench.lever.as_found = nothing
    with pytest.raises(RunFailedError, match="nothing was changed"):
        carried_out(bench)
    assert bench.lever.commands == 0


def test_a_setting_that_does_not_come_back_stays_in_the_journal():
    bench = Bench(1)

    async def deaf(_setting, _deadline_s):
        return Answer(Reply.SILENT)

    bench.lever.restore = deaf
    quick = replace(TERMS, back_s=0.05, look_s=0.3)
    with pytest.raises(RunFailedError, match=r"is not as it was found.*perwatt levers restore"):
        carried_out(bench, walk=("1800W",), terms=quick)
    assert [entry.level for entry in pending()] == ["on"]


def test_a_device_of_other_work_is_left_alone():
    bench = Bench(1)
    with Journal("control SITE") as journal:
        journal.hold(Device("luxos", "u"), {"level_w": 1.0}, "on")
    with pytest.raises(InputError, match="expected a device that nobody else sets"):
        carried_out(bench)
    assert bench.lever.commands == 0


def test_a_sweep_after_a_killed_one_brings_back_what_the_first_found():
    bench = Bench(1)
    full_w = bench.unit.kind.full_w
    with Journal("sweep luxos:u") as journal:
        journal.hold(Device("luxos", "u"), {"level_w": full_w}, "on")
    bench.unit.command(1800.0, bench.now_s)
    bench.pass_time(3600.0)
    assert carried_out(bench, walk=("1800W",)).as_found == "on"
    assert level_w(bench) == full_w
