"""What a cycle sees: one look at every unit and at the meter of the feeder, each within its time."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bench.control.decision.looks import look
from bench.control.decision.memory import Memory, UnitMemory
from bench.control.decision.terms import Setup
from bench.control.decision.tick import FeederReading, Look
from bench.levers.protocol import Lever, Observation
from bench.meters.protocol import MeterKind
from bench.meters.registry import make_meter
from bench.meters.stream import PolledMeter
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError
from sites.control.model import UnitState

METER_S = 10.0  # [s] for one reading of the feeder


class Eyes:
    """The levers of all units, and the meter of the feeder."""

    def __init__(self, setup: Setup, levers: Mapping[str, Lever], feeder: str | None) -> None:
        self._setup, self._levers = setup, levers
        self._meter = None if feeder is None else _opened(feeder)
        self._reading: FeederReading | None = None

    async def looks(self, memory: Memory, before: Mapping[str, Look], now_s: float) -> dict[str, Look]:
        """Return a look at every unit; one that cannot be seen is unknown.

        Every look has the time at which the cycle began, which is never later than the look itself.
        """
        names = list(self._setup.units)
        seen = await asyncio.gather(*(self._levers[name].observe(now_s) for name in names), return_exceptions=True)
        return {
            name: self._look(name, one, memory.units.get(name) or UnitMemory(), before.get(name), now_s)
            for name, one in zip(names, seen, strict=True)
        }

    def _look(
        self, name: str, seen: Observation | BaseException, unit: UnitMemory, before: Look | None, now_s: float
    ) -> Look:
        if isinstance(seen, BaseException):  # a lever raises nothing for what a device does; one that does is not seen
            if not isinstance(seen, Exception):
                raise seen
            return Look(now_s, UnitState.UNKNOWN, reasons=("lever_failed",))
        one = look(self._levers[name], self._setup.units[name], unit, seen, now_s, before)
        return replace(one, at_s=now_s)

    async def feeder(self, now_s: float) -> FeederReading | None:
        """Return the latest reading of the feeder; after a failed one, that of the last good time."""
        if self._meter is None:
            return None
        try:
            value, _, codes = await asyncio.wait_for(asyncio.to_thread(self._meter.read_once), METER_S)
        except (ReadFailedError, TimeoutError):
            return self._reading
        if not codes:
            self._reading = FeederReading(now_s, value)
        return self._reading

    async def close(self) -> None:
        """Release the levers and the meter."""
        await asyncio.gather(*(lever.close() for lever in self._levers.values()), return_exceptions=True)
        if self._meter is not None:
            await asyncio.to_thread(self._meter.disconnect)


def _opened(spec: str) -> PolledMeter:
    """Return the meter of the feeder, which is asked once a cycle."""
    meter = make_meter(spec)
    if not isinstance(meter, PolledMeter) or meter.connect().kind is not MeterKind.POWER:
        raise InputError.at("[feeder] meter", expected="a meter that shows power when it is asked", got=spec)
    return meter
