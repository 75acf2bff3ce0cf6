"""Every protocol of the twin, as the levers of control see it: awake, off, off confirmed, and as it was found."""

import asyncio

import pytest
from doubles.twin.running import running_twin

from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from bench.twin.servers.antminer import PASSWORD
from sites.control.model import OFF, ON, UnitState

KINDS = ("luxos-s19", "antminer-s21", "braiins-s19", "avalon-a15", "axeos-gamma")


@pytest.fixture(params=KINDS)
def twin(request, monkeypatch):
    monkeypatch.setenv("PERWATT_TWIN_PASSWORD", PASSWORD)
    with running_twin(kinds=(request.param,)) as running:
        yield running


def lever_of(twin):
    unit = twin.twin.units[0]
    return open_lever(unit.kind.protocol, twin.served.addresses[unit.name], twin.served.options[unit.name])


def test_the_lever_puts_it_to_sleep_and_brings_it_back(twin):
    unit, lever = twin.twin.units[0], lever_of(twin)

    async def look():
        return await lever.observe(twin.twin.clock())

    async def steps():
        awake = await look()
        assert (awake.state, awake.level) == (UnitState.RUNNING, ON)
        assert awake.identity
        setting = await lever.as_found()
        assert setting is not None
        changes = twin.served.traffic[unit.name].change_bytes
        assert changes == 0
        off = await lever.to(OFF, 60.0)
        assert off.reply in {Reply.ACCEPTED, Reply.SILENT}, off
        assert twin.served.traffic[unit.name].change_bytes > 0
        twin.step(10.0 * unit.kind.down_s)
        asleep = await look()
        assert asleep.state is UnitState.OFF, asleep
        assert lever.confirm(OFF, asleep, twin.twin.clock()) is Evidence.CONFIRMED
        back = await lever.restore(setting, 60.0)
        assert back.reply in {Reply.ACCEPTED, Reply.SILENT}, back  # an Avalon closes the connection
        twin.step(unit.kind.wake_s + 120.0)
        again = await look()
        assert lever.confirm(ON, again, twin.twin.clock()) is Evidence.CONFIRMED, again
        assert await lever.as_found() == setting
        await lever.close()

    asyncio.run(steps())
    assert unit.level_w(twin.twin.clock()) == unit.kind.full_w


def test_looks_and_the_setting_as_found_send_nothing_that_changes(twin):
    unit, lever = twin.twin.units[0], lever_of(twin)

    async def steps():
        for _ in range(3):
            await lever.observe(twin.twin.clock())
            await lever.as_found()
            twin.step(30.0)

    asyncio.run(steps())
    traffic = twin.served.traffic[unit.name]
    assert traffic.read_bytes > 0
    assert (traffic.changes, traffic.change_bytes) == (0, 0)
