"""The course of a run: as found, off and on again several times, and the former setting back in every ending."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.errors import RunFailedError
from bench.levers.held import HeldLever
from bench.levers.journal import Device, Entry, Journal
from bench.levers.protocol import Answer, Observation, Reply, Setting
from bench.levers.restore import bring_back
from bench.machine.endings import endings_raise, endings_wait
from bench.ramp.repetition import RampError, Switch
from bench.ramp.rule import Rule
from bench.ramp.samples import Plateau, Samples
from bench.ramp.settled import at_full, at_rate, at_rest, steady
from sites.control.model import OFF, UnitState

COMMAND_S = 60.0  # [s] for one command; the web page of a miner may take 20
MOST_FLASH_REPEATS = 2  # repetitions of a device whose commands write its memory or restart it


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a run."""

    repeats: int
    off_s: float  # [s] from the command to off to the command to on, at least
    wait_s: float  # [s] longest wait for a device that changes
    look_s: float  # [s] from one look at the device to the next
    rule: Rule


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the power samples; a test has a faster one."""

    now_s: Callable[[], float]  # [s, monotonic]
    sleep: Callable[[float], None]  # [s]


@dataclass(slots=True)
class Course:
    """What came of a run."""

    level_as_found: str | None
    first: Observation
    full: Plateau | None = None  # [W] before the first command
    usual: Plateau | None = None  # rate before it; None if the device shows none
    switches: list[Switch] = field(default_factory=list)
    rates: list[tuple[float, float | None]] = field(default_factory=list)  # [s, monotonic], [1/s]
    slowest_look_s: float = 0.0
    answers: list[str] = field(default_factory=list)  # of the commands
    fault: RampError | None = None  # why it ended early


@dataclass(frozen=True, slots=True)
class Ramp:
    """One device in the hands of a run.

    Parameters
    ----------
    held
        Its lever.
    device
        The way to it.
    terms
        Times and limits.
    power
        Returns the readings of the wall meter so far: time [s, monotonic] and power [W].
    clock
        Of these readings.
    say
        Takes the lines for the user.
    """

    held: HeldLever
    device: Device
    terms: Terms
    power: Callable[[], Iterable[tuple[float, float | None]]]
    clock: Clock
    say: Callable[[str], None]

    @property
    def who(self) -> str:
        """The name of this work in the journal."""
        return f"ramp {self.device}"

    def carry_out(self) -> Course:
        """Switch the device off and on again, and bring its setting back, however the run ends.

        SIGTERM and SIGHUP end it as Ctrl-C does; while the setting is brought back, all three wait. The journal is on
        the disk before the first command.

        Raises
        ------
        InputError
            Another program sets the device.
        RunFailedError
            The device is off or not at work, or may not be switched so often, so that nothing was changed; or it could
            not be brought back, and the journal stays.
        """
        self._check_lever()
        with endings_raise(), Journal(self.who) as journal:
            if journal.standing(self.device) is not None:
                raise RunFailedError(
                    f"{self.device}: an earlier run was killed and did not bring it back; first run "
                    f"`perwatt levers restore {self.device}`"
                )
            seen = self.held.observe()
            setting = self.held.run(self.held.lever.as_found())
            if (why := _unfit(seen, setting)) or setting is None:
                raise RunFailedError(f"{self.device}: expected a device at work, but {why}; nothing was changed")
            course = Course(seen.level, seen)
            try:
                self._watch_as_found(course)
            except RampError as error:
                course.fault = error
                return course
            entry = journal.hold(self.device, setting, seen.level)
            try:
                for number in range(1, self.terms.repeats + 1):
                    self.say(f"switch     {number} of {self.terms.repeats}")
                    self._switch(entry, course)
            except RampError as error:
                course.fault = error
            finally:
                with endings_wait():
                    self._bring_back(journal, entry)
        return course

    def _check_lever(self) -> None:
        """Refuse a lever that cannot switch off, or that may not be used as often."""
        lever, device = self.held.lever, self.device
        why = lever.can(OFF)
        if why is not None:
            raise RunFailedError(f"{device} cannot be switched off: {why}; nothing was changed")
        if lever.writes_flash and self.terms.repeats > MOST_FLASH_REPEATS:
            raise RunFailedError(
                f"{device}: each command writes its memory, so --repeats {MOST_FLASH_REPEATS} is the most; "
                "nothing was changed"
            )

    def _watch_as_found(self, course: Course) -> None:
        """Wait until power and rate stand, before anything is sent."""
        start_s = self.clock.now_s()
        while True:
            now_s = self.clock.now_s()
            course.full = steady(self._samples(start_s), now_s, self.terms.rule)
            if course.full is not None:
                course.usual = steady(Samples.of(course.rates), now_s, self.terms.rule)
                return
            self._wait(course, start_s, "ramp_unsteady", "the power of the device at work does not stand")

    def _switch(self, entry: Entry, course: Course) -> None:
        full = course.full
        if full is None:
            raise ValueError("a device is watched before it is switched")
        off_s = self.clock.now_s()
        self._keep(course, OFF, self.held.run(self.held.lever.to(OFF, COMMAND_S)))
        while True:
            now_s = self.clock.now_s()
            resting = at_rest(self._samples(off_s), off_s, now_s, full, self.terms.rule)
            if resting is not None and now_s - off_s >= self.terms.off_s:
                break
            self._wait(course, off_s, "ramp_never_off", "the power does not come to rest after the command to off")
        on_s = self.clock.now_s()
        self._keep(course, "as found", self.held.run(self.held.lever.restore(entry.setting, COMMAND_S)))
        while True:
            now_s = self.clock.now_s()
            rates = Samples.of(course.rates)
            if at_full(self._samples(on_s), on_s, now_s, full, resting, self.terms.rule) and at_rate(
                rates, on_s, now_s, course.usual, self.terms.rule
            ):
                break
            try:
                self._wait(course, on_s, "ramp_never_full", "power or rate do not come back after the command to on")
            except RampError:
                course.switches.append(Switch(off_s, on_s, now_s))  # whose samples say whether it came on at all
                raise
        course.switches.append(Switch(off_s, on_s, now_s))

    def _wait(self, course: Course, since_s: float, code: str, words: str) -> None:
        """Look at the device and let time pass.

        Raises
        ------
        RampError
            The wait is over.
        """
        before_s = self.clock.now_s()
        if before_s - since_s > self.terms.wait_s:
            raise RampError(code, f"{words}, within {self.terms.wait_s:g} s")
        seen = self.held.observe()
        after_s = self.clock.now_s()
        course.rates.append(((before_s + after_s) / 2.0, seen.rate_per_s))
        course.slowest_look_s = max(course.slowest_look_s, after_s - before_s)
        self.clock.sleep(max(0.0, self.terms.look_s - (after_s - before_s)))

    def _samples(self, start_s: float) -> Samples:
        return Samples.of((t_s, value) for t_s, value in self.power() if t_s >= start_s)

    def _keep(self, course: Course, level: str, answer: Answer) -> None:
        course.answers.append(f"{level}: {answer.reply}{f' ({answer.says})' if answer.says else ''}")
        if answer.reply is Reply.REFUSED:
            raise RampError("ramp_refused", course.answers[-1])

    def _bring_back(self, journal: Journal, entry: Entry) -> None:
        """Bring the setting back, see that it is there, and remove the journal; else the journal stays."""
        why = self.held.run(bring_back(self.held.lever, entry, self.terms.wait_s, self.terms.look_s))
        if why:
            raise RunFailedError(f"{self.device} is not as it was found: {why}; run `perwatt levers restore`")
        journal.remove(self.device)
        with contextlib.suppress(OSError):  # nobody may read the output any more
            self.say("restored   the device is as it was found")


def _unfit(seen: Observation, setting: Setting | None) -> str:
    """Return why a device as found cannot be switched, or an empty text."""
    if seen.state is UnitState.OFF or seen.level == OFF:
        return "it is off, and what was off stays off"
    if seen.state is not UnitState.RUNNING:
        reasons = f" ({', '.join(seen.reasons)})" if seen.reasons else ""
        return f"its state is {seen.state}{reasons}"
    return "" if setting is not None else "it does not show its whole setting, so that it could not be brought back"
