"""The course of a sweep: as found, the visits one after the other, and the former setting back in every ending."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import RunFailedError
from bench.levers.held import HeldLever
from bench.levers.journal import Device, Entry, Journal
from bench.levers.protocol import Observation, Reply
from bench.levers.restore import bring_back, send
from bench.machine.endings import endings_raise, endings_wait
from bench.sweep.guard import Guard, TooHotError
from hardware_profiles.errors import shown
from sites.control.model import UnitState

if TYPE_CHECKING:
    from bench.results.record import Record

COMMAND_S = 60.0  # [s] for one command; the web page of a miner may take 20


@dataclass(frozen=True, slots=True)
class Terms:
    """The times and limits of a sweep."""

    dwell_s: float  # [s] from the evidence of a level to its measurement
    settle_s: float  # [s] longest wait for the evidence of a level
    back_s: float  # [s] longest wait for the former setting to be shown again
    look_s: float  # [s] time from one look to the next while waiting
    hottest_c: float | None = None  # [°C] limit; None takes that of `Guard`


@dataclass(slots=True)
class Course:
    """What came of a sweep."""

    as_found: str | None  # level
    records: "list[Record]" = field(default_factory=list)
    fault: str = ""  # why it ended early; empty if it did not


Measure = Callable[[str, str | None, Guard], "Record"]
"""Measures a level: its name, the level as found, and the guard to check meanwhile."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One device in the hands of a sweep.

    Parameters
    ----------
    held
        Its lever.
    device
        The way to it.
    terms
        Times and limits.
    say
        Takes the lines for the user.
    hottest_c
        Returns the device's temperature [°C]; None takes what the lever sees.
    """

    held: HeldLever
    device: Device
    terms: Terms
    say: Callable[[str], None]
    hottest_c: Callable[[], float | None] | None = None

    @property
    def who(self) -> str:
        """The name of this work in the journal."""
        return f"sweep {self.device}"

    def carry_out(self, walk: Callable[[str | None], tuple[str, ...]], measure: Measure) -> Course:
        """Set and measure each level of a walk, and bring back the setting that was found, however the walk ends.

        SIGTERM and SIGHUP end it as Ctrl-C does; while the setting is brought back, all three wait. The journal is on
        the disk before the first command.

        Parameters
        ----------
        walk
            Returns the levels in the order of their visits, for the level as found.
        measure
            Measures one level and stores its record.

        Raises
        ------
        InputError
            Another program sets the device, or the walk does not suit the level as found.
        RunFailedError
            The device is not at work, or its setting could not be read, so that nothing was changed; or it could not be
            brought back, and the journal stays.
        """
        with endings_raise(), Journal(self.who) as journal:
            entry, seen = self._as_found(journal)
            levels = walk(entry.level)
            course = Course(entry.level)
            first_c = self.hottest_c() if self.hottest_c is not None else seen.hottest_c
            guard = Guard(self.hottest_c or self._hottest, self.terms.hottest_c, self.held.clock, first_c)
            entry = journal.hold(self.device, entry.setting, entry.level)
            try:
                self._walk(levels, entry, guard, measure, course)
            except RunFailedError as error:
                course.fault = str(error)
            finally:
                with endings_wait():
                    self._bring_back(journal, entry)
        return course

    def _as_found(self, journal: Journal) -> tuple[Entry, Observation]:
        """Return the device as found; by a sweep that was killed before, if there was one."""
        seen = self.held.observe()
        setting = self.held.run(self.held.lever.as_found())
        if seen.state is not UnitState.RUNNING or setting is None:
            reasons = f" ({', '.join(seen.reasons)})" if seen.reasons else ""
            why = f"its state is {seen.state}{reasons}" if seen.state is not UnitState.RUNNING else "not all was shown"
            raise RunFailedError(f"{self.device}: expected a device at work that shows its setting, but {shown(why)}; "
                                 "nothing was changed")  # fmt: skip
        standing = journal.standing(self.device)
        return standing or Entry(self.device, setting, seen.level, self.who, ""), seen

    def _walk(self, levels: tuple[str, ...], entry: Entry, guard: Guard, measure: Measure, course: Course) -> None:
        for number, level in enumerate(levels, 1):
            self.say(f"visit      {number} of {len(levels)}: {level}")
            self._set(entry, level, guard)
            guard.wait(self.terms.dwell_s)
            record = measure(level, entry.level, guard)
            course.records.append(record)
            hot = next((reason for reason in record.reasons if reason.code == TooHotError.code), None)
            if hot is not None:
                raise TooHotError(hot.detail)

    def _set(self, entry: Entry, level: str, guard: Guard) -> None:
        """Send the command for a level, unless the device shows it already, and wait until there is evidence of it.

        Raises
        ------
        RunFailedError
            The device refuses, or shows no effect in time.
        """
        held = self.held
        there, seen = held.shows(level)
        if there and seen.level == level:  # a power near the level is evidence enough only after its command
            return
        answer = held.run(send(held.lever, entry, level, COMMAND_S))
        if answer.reply is Reply.REFUSED:
            raise RunFailedError(f"{self.device} refuses {level}: {answer.says}")
        until_s = held.clock.now_s() + self.terms.settle_s
        while True:
            there, seen = held.shows(level)
            if there:
                return
            if held.clock.now_s() >= until_s:
                shows = f"level {seen.level}" if seen.level is not None else f"state {seen.state}"
                raise RunFailedError(
                    f"{self.device}: no evidence of {level} within {self.terms.settle_s:g} s, it shows {shows}"
                )
            guard.wait(self.terms.look_s)

    def _bring_back(self, journal: Journal, entry: Entry) -> None:
        """Bring the setting back, see that it is there, and remove the journal; else the journal stays."""
        why = self.held.run(bring_back(self.held.lever, entry, self.terms.back_s, self.terms.look_s))
        if why:
            raise RunFailedError(f"{self.device} is not as it was found: {why}; run `perwatt levers restore`")
        journal.remove(self.device)
        with contextlib.suppress(OSError):  # nobody may read the output any more
            self.say("restored   the device is as it was found")

    def _hottest(self) -> float | None:
        return self.held.observe().hottest_c
