"""One simulated unit: a state machine whose power and rate are closed forms between two events.

Nothing runs between two looks: a unit that nobody looks at costs nothing. Commands and looks come with their time, and
commands in the order of time; a look may be up to `MEMORY_S` in the past, as that of a lagging meter is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.twin.kinds import Kind
from bench.twin.lies import HONEST, Happening, Lies, Reception, Telemetry, happenings, reception
from bench.twin.phases import Approach, Phase, Stretch
from bench.twin.schedule import Moment, booting, falling, rising, steady

MEMORY_S = 900.0  # [s] for which the past is kept
_LYING = (Telemetry.FROZEN, Telemetry.ZEROED, Telemetry.NAN, Telemetry.TENFOLD)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a unit shows of itself, which may be a lie."""

    power_w: float
    rate_per_s: float
    phase: Phase
    level_w: float  # [W] that it says it is set to; 0 is asleep


class Unit:
    """A simulated miner or server; simulated, as everything that it shows.

    Parameters
    ----------
    name
        Its name, which with the seed decides all that is drawn.
    kind
        What it draws and computes, and how it changes.
    seed
        Of the lies and of the plateaus.
    start_s
        Time of its first state [s, Unix].
    awake
        Whether it works at the start.
    """

    def __init__(  # noqa: PLR0913 (the parts of one unit)
        self, name: str, kind: Kind, *, seed: int = 0, lies: Lies = HONEST, start_s: float = 0.0, awake: bool = True
    ) -> None:
        self.name, self.kind, self.lies = name, kind, lies
        self.telemetry, self.offline, self.phantom, self.gibberish = Telemetry.HONEST, False, False, False
        self.start_s, self.awake_level_w = start_s, kind.full_w  # the level that it goes back to when it wakes
        self.by_hand: list[tuple[float, bool]] = []  # when a person or a reboot switched it, and whether on
        self._random = Random(f"{seed}/{name}")  # noqa: S311 (a simulation that must repeat)
        self._forgets_sleep = self._random.random() < lies.forgets_sleep
        level_w = kind.full_w if awake else 0.0
        self._stretches: list[Stretch] = [steady(kind, level_w, start_s)]
        self._happenings = happenings(lies, self._random, start_s)
        self._next = next(self._happenings, None)
        self._frozen: Shown | None = None
        self._energy_j = 0.0  # of the stretches that are forgotten

    def advance(self, now_s: float) -> None:
        """Let everything happen that is due by now."""
        while self._next is not None and self._next[0] <= now_s:
            at_s, happening = self._next
            self._happen(happening, at_s)
            self._next = next(self._happenings, None)

    def power_w(self, at_s: float) -> float:
        """Return the true power [W]."""
        stretch = self._stretch(at_s)
        return stretch.power_w.at(max(0.0, at_s - stretch.start_s))

    def rate_per_s(self, at_s: float) -> float:
        """Return the true rate [hash/s] or [token/s]."""
        stretch = self._stretch(at_s)
        return 0.0 if self.phantom else stretch.rate_per_s.at(max(0.0, at_s - stretch.start_s))

    def energy_j(self, at_s: float) -> float:
        """Return the true energy since the start [J], which never falls."""
        total_j = self._energy_j
        for stretch, end_s in self._pieces(at_s):
            total_j += stretch.power_w.integral(0.0, end_s - stretch.start_s)
        return total_j

    def phase(self, at_s: float) -> Phase:
        """Return what the unit does."""
        return self._stretch(at_s).phase

    def level_w(self, at_s: float) -> float:
        """Return the power that the unit is set to [W]; 0 is asleep."""
        return self._stretch(at_s).level_w

    def changes(self, from_s: float, to_s: float) -> list[float]:
        """Return the times between two times at which a phase begins, where the power may be at its highest [s]."""
        return [stretch.start_s for stretch in self._stretches if from_s < stretch.start_s <= to_s]

    def shown(self, now_s: float) -> Shown | None:
        """Return what the unit shows of itself, or None if it does not answer."""
        self.advance(now_s)
        if self.offline or self.phase(now_s) is Phase.HUNG:
            return None
        honest = self._honest(now_s)
        match self.telemetry:
            case Telemetry.FROZEN:
                return self._frozen or honest
            case Telemetry.ZEROED:
                return Shown(0.0, 0.0, honest.phase, honest.level_w)
            case Telemetry.NAN:
                return Shown(float("nan"), float("nan"), honest.phase, honest.level_w)
            case Telemetry.TENFOLD:
                return Shown(10.0 * honest.power_w, 10.0 * honest.rate_per_s, honest.phase, honest.level_w)
        return honest

    def command(self, level_w: float, now_s: float) -> Reception:
        """Take a command: a power [W] from `least_w` to `full_w`, or 0 for sleep; outside, it is limited to these."""
        self.advance(now_s)
        if self.offline or self.phase(now_s) is Phase.HUNG:
            return Reception.UNREACHABLE
        outcome = reception(self.lies, self._random)
        if outcome not in {Reception.WITHOUT_EFFECT, Reception.CLOSED_WITHOUT_EFFECT}:
            self.set_level(level_w, now_s)
        return outcome

    def set_level(self, level_w: float, now_s: float) -> None:
        """Go to a level, as a command with effect or a person at the unit does; the same level changes nothing."""
        kind, before = self.kind, self._stretch(now_s)
        level_w = 0.0 if level_w <= 0.0 else min(max(level_w, kind.least_w), kind.full_w)
        stuck = before.phase in {Phase.STUCK, Phase.HUNG}
        if level_w == before.level_w and not stuck:
            return
        now = self._moment(now_s)
        self.awake_level_w = level_w or self.awake_level_w
        if level_w == 0.0:
            self._plan(falling(kind, now), now_s)
            return
        asleep = before.level_w == 0.0 or stuck
        if asleep and self._random.random() < self.lies.never_wakes:
            idle = Approach(kind.boot_w, kind.boot_w), Approach(0.0, 0.0)
            stuck_at = Stretch(Phase.STUCK, now_s + kind.boot_s, *idle, level_w)
            self._plan(iter((booting(kind, level_w, now), stuck_at)), now_s)
            return
        if asleep:
            self.gibberish = self._random.random() < self.lies.gibberish
        boots = asleep or before.phase is Phase.BOOT
        self._plan(rising(kind, level_w, now, self._random, boots=boots), now_s)

    def _happen(self, happening: Happening, at_s: float) -> None:
        match happening:
            case Happening.PERSON_ON | Happening.PERSON_OFF:
                on = happening is Happening.PERSON_ON
                if on != (self.level_w(at_s) > 0.0):
                    self.by_hand.append((at_s, on))
                self.set_level(self.kind.full_w if on else 0.0, at_s)
            case Happening.REBOOT | Happening.POWER_CYCLE:
                self._reboot(at_s)
            case Happening.HANG:
                boot_w = Approach(self.power_w(at_s), self.kind.boot_w, 1.0)
                hung = Stretch(Phase.HUNG, at_s, boot_w, Approach(0.0, 0.0), self.level_w(at_s))
                if self.level_w(at_s) > 0.0:
                    self._plan(iter((hung,)), at_s)
            case Happening.OFFLINE | Happening.ONLINE:
                self.offline = happening is Happening.OFFLINE
            case Happening.PHANTOM | Happening.HASHES:
                self.phantom = happening is Happening.PHANTOM
            case Happening.TELEMETRY:
                self._frozen, self.telemetry = self._honest(at_s), self._random.choice(_LYING)
            case Happening.HONEST:
                self.telemetry = Telemetry.HONEST

    def _reboot(self, at_s: float) -> None:
        """Start again; old firmware forgets that it was put to sleep, and mines."""
        level_w = self.level_w(at_s)
        if level_w == 0.0 and not self._forgets_sleep:
            return
        self.by_hand.append((at_s, True))  # it starts, and nobody commanded it
        self._plan(rising(self.kind, level_w or self.kind.full_w, self._moment(at_s), self._random, boots=True), at_s)

    def _moment(self, at_s: float) -> Moment:
        stretch = self._stretch(at_s)
        after_s = max(0.0, at_s - stretch.start_s)
        return Moment(at_s, stretch.power_w.at(after_s), stretch.rate_per_s.at(after_s))

    def _honest(self, now_s: float) -> Shown:
        stretch = self._stretch(now_s)
        return Shown(self.power_w(now_s), self.rate_per_s(now_s), stretch.phase, stretch.level_w)

    def _stretch(self, at_s: float) -> Stretch:
        for stretch in reversed(self._stretches):
            if stretch.start_s <= at_s:
                return stretch
        return self._stretches[0]

    def _plan(self, stretches: Iterator[Stretch], now_s: float) -> None:
        """Replace what would come after now, and forget what is long over."""
        kept = [stretch for stretch in self._stretches if stretch.start_s < now_s] or self._stretches[:1]
        self._stretches = [*kept, *stretches]
        while len(self._stretches) > 1 and self._stretches[1].start_s < now_s - MEMORY_S:
            oldest, end_s = self._stretches[0], self._stretches[1].start_s
            self._energy_j += oldest.power_w.integral(0.0, end_s - oldest.start_s)
            del self._stretches[0]

    def _pieces(self, until_s: float) -> Iterator[tuple[Stretch, float]]:
        for index, stretch in enumerate(self._stretches):
            following = self._stretches[index + 1].start_s if index + 1 < len(self._stretches) else until_s
            if stretch.start_s < until_s:
                yield stretch, min(following, until_s)
