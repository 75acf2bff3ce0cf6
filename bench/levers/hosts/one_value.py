"""Levers of one number that this machine's own driver or kernel holds: a power cap, a clock.

Such a device is never off: its levels are values within its own range. What was found is brought back to the digit, not
the maker's default.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.miners.device.levels import out_of_range, spaced, value_of
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from hardware_profiles.errors import shown
from sites.control.model import OFF, ON, Level, UnitState

CALL_S = 10.0  # [s] longest time of one call of the driver
_SAME_FRAC = 0.005  # relative difference between a value that was set and the one that is read
T = TypeVar("T")


class UnsetError(Exception):
    """A value cannot be read or set; the text begins with a code."""


@dataclass(frozen=True, slots=True)
class State:
    """What the driver shows."""

    setting: dict[str, Any]  # exactly what is to be brought back
    value: float  # of the setting, in the unit of the levels
    lowest: float
    highest: float
    usual: float  # value up to which levels are listed
    identity: str | None = None
    power_w: float | None = None  # [W]
    hottest_c: float | None = None  # [°C]
    reasons: tuple[str, ...] = ()
    fits: bool = True  # whether what the device does fits the value


class ValueLever(ABC):
    """A device with one number that can be set.

    Parameters
    ----------
    unit
        Unit of the levels: `W` or `MHz`.
    step
        What listed levels are rounded to.
    """

    writes_flash = False

    def __init__(self, unit: str, step: float) -> None:
        self._unit, self._step = unit, step
        self._state: State | None = None
        self._found: str | None = None
        self._turn = asyncio.Lock()

    @property
    def levels(self) -> tuple[Level, ...]:
        """Levels from the lowest value to the usual one, once the device was looked at."""
        state = self._state
        if state is None:
            return ()
        values = spaced(state.lowest, state.usual, self._step)
        is_power = self._unit == "W"
        return tuple(Level(f"{value}{self._unit}", float(value) if is_power else None) for value in values)

    async def observe(self, now_s: float) -> Observation:
        """Read the value and what the device does with it."""
        try:
            state = await self._called(self._read)
        except UnsetError as error:
            return Observation(now_s, UnitState.UNKNOWN, reasons=(str(error).partition(":")[0],))
        level = f"{round(state.value)}{self._unit}"
        return Observation(
            now_s,
            UnitState.RUNNING if state.fits else UnitState.CHANGING,
            level=ON if self._found in {None, level} else level,
            identity=state.identity,
            power_w=state.power_w,
            power_kind="unknown",
            hottest_c=state.hottest_c,
            reasons=state.reasons,
        )

    async def as_found(self) -> Setting | None:
        """Return the value that is set."""
        try:
            state = await self._called(self._read)
        except UnsetError:
            return None
        if self._found is None:
            self._found = f"{round(state.value)}{self._unit}"
        return state.setting

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        value, state = value_of(level, self._unit), self._state
        if level == ON:
            return None if self._found is not None else "range_unknown: as it was found is not known yet"
        if level == OFF:
            return "unknown_level: this device has no off"
        if value is None:
            return f"unknown_level: expected a value such as 300{self._unit}, got {shown(level)}"
        if state is not None and not state.lowest <= value <= state.highest:
            return out_of_range(level, state.lowest, state.highest, self._unit)
        return None

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Set a value within the device's own range."""
        if self._state is None:
            try:
                await self._called(self._read)
            except UnsetError as error:
                return Answer(Reply.REFUSED, scrub_text(str(error)))
        named = self._found if level == ON and self._found is not None else level
        if why := self.can(named):
            return Answer(Reply.REFUSED, why)
        value = value_of(named, self._unit)
        return await self._sent(lambda: self._write(float(value or 0)), deadline_s)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level."""
        value, shown_value = value_of(level, self._unit), value_of(seen.level or "", self._unit)
        if value and shown_value and abs(shown_value / value - 1.0) <= _SAME_FRAC:
            seen = replace(seen, level=level)
        return judge(ON if level == self._found else level, seen, now_s)

    def recall(self, setting: Setting) -> None:
        """Take a setting of the journal as the one that was found, after a restart of the caller."""
        value = self._value_of(setting)
        self._found = None if value is None else f"{round(value)}{self._unit}"

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Bring back exactly the value that was found."""
        if self._value_of(setting) is None:
            return Answer(Reply.REFUSED, "config_incomplete: the stored setting has no value")
        self.recall(setting)
        try:
            state = await self._called(self._read)
        except UnsetError as error:
            return Answer(Reply.REFUSED, scrub_text(str(error)))
        if state.setting == dict(setting):
            return Answer(Reply.ACCEPTED, "nothing to send: the device has this setting")
        return await self._sent(lambda: self._put_back(setting), deadline_s)

    async def close(self) -> None:  # noqa: B027 (nothing to release is right for a kernel)
        """Release the driver."""

    @abstractmethod
    def _read(self) -> State:
        """Return what the driver shows."""

    @abstractmethod
    def _write(self, value: float) -> None:
        """Set a value in the unit of the levels."""

    @abstractmethod
    def _put_back(self, setting: Setting) -> None:
        """Set what a setting says, to the digit."""

    @abstractmethod
    def _value_of(self, setting: Setting) -> float | None:
        """Return the value of a setting in the unit of the levels."""

    async def _called(self, call: Callable[[], T]) -> T:
        """Return the result of a call of the driver, made in a thread because drivers may hang."""
        async with self._turn:
            try:
                result = await asyncio.wait_for(asyncio.to_thread(call), CALL_S)
            except TimeoutError:
                raise UnsetError(f"no_answer: the driver does not answer within {CALL_S:g} s") from None
        if isinstance(result, State):
            self._state = result
        return result

    async def _sent(self, call: Callable[[], None], deadline_s: float) -> Answer:
        try:
            await asyncio.wait_for(self._called(call), deadline_s)
        except TimeoutError:
            return Answer(Reply.SILENT, f"no_answer: the driver did not answer within {deadline_s:g} s")
        except UnsetError as error:
            silent = str(error).startswith("no_answer")
            return Answer(Reply.SILENT if silent else Reply.REFUSED, scrub_text(str(error)))
        return Answer(Reply.ACCEPTED, "set")
