"""The lever of a miner without what is special to its firmware: turns, times, errors, and the judgement of a look."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.miners.device.levels import off_and_on
from bench.levers.miners.device.line import Line, RefusedError
from bench.levers.miners.device.looking import Before, Look, observation, steady_frac
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import shown
from sites.control.model import OFF, ON, Level, UnitState

WORKS = "works"
"""Key of every setting: whether the miner works."""


class MinerLever(ABC):
    """A miner that can be set.

    A subclass reads (`_look`, `_setting`), and sends (`_set`, `_bring_back`). It may raise `ReadFailedError`, which
    becomes an observation without a state, or an answer.

    Parameters
    ----------
    line
        The requests to the device.
    """

    writes_flash = False

    def __init__(self, line: Line) -> None:
        self.line = line
        self._turn = asyncio.Lock()  # a miner serves one request after the other
        self._before: Before | None = None
        self._levels: tuple[Level, ...] = off_and_on()
        self._usual_frac: float | None = None  # of the rate of its setting, when it first worked steadily
        self._setting_found: Setting | None = None  # the first that was read, or that a journal holds
        self._found: str | None = None  # level of its targets

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels of this device as far as it has told them, off first."""
        return self._levels

    async def observe(self, now_s: float) -> Observation:
        """Look at the device."""
        async with self._turn:
            try:
                look = await self._look()
            except ReadFailedError as error:
                return Observation(now_s, UnitState.UNKNOWN, reasons=(error.code,))
            if self._setting_found is not None:  # what its level is called is known from the first look on
                self._found = self._level_of(self._setting_found)
            if self._before is not None and self._before.at_s > now_s:
                self._before = None  # the clock was set back
            if self._usual_frac is None:
                self._usual_frac = steady_frac(look)
            seen = observation(look, self._before, now_s, self._usual_frac or 1.0)
            if self._before is None or self._before.clocks != look.clocks:
                self._before = Before(now_s, look.clocks)
        if seen.state is UnitState.RUNNING and (self._found is None or seen.level in {None, self._found}):
            return replace(seen, level=ON)
        return seen

    async def as_found(self) -> Setting | None:
        """Return mode and targets of the device, or None if they cannot be read completely."""
        async with self._turn:
            try:
                setting = await self._setting()
            except ReadFailedError:
                return None
        if setting is not None and self._setting_found is None:
            self.recall(setting)
        return setting

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        if level in {OFF, ON} or any(level == known.name for known in self._levels):
            return None
        return self._why_not(level)

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Send what sets a level; `on` makes the device work with the targets that it was found with, where known."""
        if why := self.can(level):
            return Answer(Reply.REFUSED, why)
        found = self._setting_found
        if level in {ON, self._found} and found is not None:
            return await self._sent(lambda: self._bring_back({**found, WORKS: True}), deadline_s)
        return await self._sent(lambda: self._set(level), deadline_s)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level."""
        return judge(ON if level == self._found else level, seen, now_s)

    def recall(self, setting: Setting) -> None:
        """Take a setting of the journal as the one that the device was found with, after a restart of the caller."""
        self._setting_found, self._found = setting, self._level_of(setting)

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Look, and send what differs from a setting that `as_found` returned."""
        if not isinstance(setting.get(WORKS), bool):
            return Answer(Reply.REFUSED, "config_incomplete: the stored setting does not say whether the device worked")
        self.recall(setting)
        return await self._sent(lambda: self._bring_back(setting), deadline_s)

    async def close(self) -> None:  # noqa: B027 (nothing to release is right for every miner)
        """Do nothing: no connection is kept."""

    @abstractmethod
    async def _look(self) -> Look:
        """Return what the device shows."""

    @abstractmethod
    async def _setting(self) -> Setting | None:
        """Return what a restore needs."""

    @abstractmethod
    async def _set(self, level: str) -> str:
        """Send the commands of a level, and return what the device says."""

    @abstractmethod
    async def _bring_back(self, setting: Setting) -> str:
        """Send what differs from a setting, and return what the device says."""

    def _why_not(self, level: str) -> str | None:
        """Return why a level that is not in the list cannot be set."""
        names = ", ".join(known.name for known in self._levels)
        return f"unknown_level: expected one of {names}, got {shown(level)}"

    def _level_of(self, setting: Setting) -> str | None:
        """Return the level of a setting's targets; None for a device that is only switched."""
        del setting
        return None

    async def _sent(self, send: Callable[[], Awaitable[str]], deadline_s: float) -> Answer:
        """Return the answer to commands; one that may have been seen by the device is never called refused."""
        if not math.isfinite(deadline_s) or deadline_s <= 0.0:
            return Answer(Reply.REFUSED, "no_answer: no time was left to send it")
        try:
            async with asyncio.timeout(deadline_s), self._turn:
                self.line.changed = False
                return Answer(Reply.ACCEPTED, _words(await send()))
        except TimeoutError:
            reply = Reply.SILENT if self.line.changed else Reply.REFUSED
            return Answer(reply, f"no_answer: no answer within {deadline_s:g} s")
        except RefusedError as error:
            return Answer(Reply.REFUSED, _coded(error))
        except ReadFailedError as error:  # an answer that cannot be read
            return Answer(Reply.SILENT if self.line.changed else Reply.REFUSED, _coded(error))


def _coded(error: ReadFailedError) -> str:
    return _words(f"{error.code}: {error}")


def _words(text: str) -> str:
    return scrub_text(" ".join(text.split())[:200])
