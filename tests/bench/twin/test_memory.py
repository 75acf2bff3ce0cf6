"""Units in memory, through the protocol of levers."""

import asyncio

import pytest

from bench.levers.protocol import Evidence, Lever, Reply
from bench.twin.kinds import KINDS
from bench.twin.lies import Lies
from bench.twin.memory import MemoryLever
from bench.twin.unit import Unit
from sites.control.model import OFF, ON, UnitState

KIND = KINDS["luxos-s19"]


def lever(**lies):
    now = [0.0]
    return MemoryLever(Unit("u", KIND, lies=Lies(**lies)), lambda: now[0]), now


def test_it_is_a_lever_and_confirms_by_fresh_power_only():
    made, now = lever()
    typed: Lever = made

    async def steps():
        assert (await typed.observe(0.0)).state is UnitState.RUNNING
        setting = await typed.as_found()
        assert (await typed.to(OFF, 5.0)).reply is Reply.ACCEPTED
        ramping = await typed.observe(2.0)
        assert ramping.state is UnitState.CHANGING
        assert typed.confirm(OFF, ramping, 2.0) is Evidence.UNKNOWN
        asleep = await typed.observe(120.0)
        assert asleep.level == OFF
        assert typed.confirm(OFF, asleep, 120.0) is Evidence.CONFIRMED
        assert typed.confirm(ON, asleep, 120.0) is Evidence.CONTRARY
        assert typed.confirm(OFF, asleep, 300.0) is Evidence.UNKNOWN
        now[0] = 400.0
        assert (await typed.restore(setting, 5.0)).reply is Reply.ACCEPTED
        back = await typed.observe(2000.0)
        assert typed.confirm(ON, back, 2000.0) is Evidence.CONFIRMED
        now[0] = 2000.0
        assert await typed.as_found() == setting
        await typed.close()

    asyncio.run(steps())


def test_a_late_or_closed_answer_is_silence_and_a_lie_is_an_answer():
    assert lever(late=1.0)[0].apply(OFF, 0.0).reply is Reply.SILENT
    assert lever(closed=1.0)[0].apply(OFF, 0.0).reply is Reply.SILENT
    assert lever(no_effect=1.0)[0].apply(OFF, 0.0).reply is Reply.ACCEPTED


def test_zeroed_nan_and_tenfold_telemetry_is_unknown_and_never_off():
    seen = set()
    for seed in range(40):
        made = MemoryLever(Unit("u", KIND, lies=Lies(telemetry=30.0), seed=seed), lambda: 0.0)
        for at_s in range(0, 43_200, 600):
            look = made.seen(at_s)
            seen.update(look.reasons)
            assert look.state is not UnitState.OFF
            assert made.confirm(OFF, look, at_s) is not Evidence.CONFIRMED
    assert seen >= {"no_power_shown", "implausible_power"}


@pytest.mark.parametrize(("level", "allowed"), [("2500W", True), ("9999W", False), ("100W", False), ("eco", False)])
def test_a_power_within_the_range_is_a_level(level, allowed):
    made, _ = lever()
    assert (made.can(level) is None) == allowed
    assert (made.apply(level, 0.0).reply is Reply.ACCEPTED) == allowed
    assert made.commands == int(allowed)
