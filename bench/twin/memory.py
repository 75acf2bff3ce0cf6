"""Simulated units through the protocol of levers without a socket: for thousands of random days in one process."""

import math
from collections.abc import Callable

from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.twin.lies import Reception
from bench.twin.phases import Phase
from bench.twin.unit import Unit
from sites.control.model import OFF, ON, Level, UnitState

FRESH_S = 60.0  # [s] age above which a look proves nothing
_CHANGING = (Phase.RAMP_DOWN, Phase.BOOT, Phase.RAMP_UP, Phase.TUNING)
_NEAR_FRAC = 0.1  # [-] of the full power, within which a power shows a level
_REPLIES = {
    Reception.DONE: Answer(Reply.ACCEPTED, "simulated"),
    Reception.WITHOUT_EFFECT: Answer(Reply.ACCEPTED, "simulated"),
    Reception.LATE: Answer(Reply.SILENT, "simulated: no answer in time"),
    Reception.CLOSED: Answer(Reply.SILENT, "simulated: the connection was closed"),
    Reception.CLOSED_WITHOUT_EFFECT: Answer(Reply.SILENT, "simulated: the connection was closed"),
    Reception.UNREACHABLE: Answer(Reply.SILENT, "simulated: unreachable"),
}


class MemoryLever:
    """A lever of a simulated unit, in the same process; simulated, as all that it shows."""

    writes_flash = False

    def __init__(self, unit: Unit, clock: Callable[[], float]) -> None:
        self.unit, self._clock = unit, clock
        self.commands = 0  # that would change the unit; a shadow leaves it at 0

    @property
    def levels(self) -> tuple[Level, ...]:
        """Off, and the full power."""
        kind = self.unit.kind
        return (Level(OFF, kind.asleep_w, 0.0), Level(ON, kind.full_w, kind.full_rate_per_s))

    async def observe(self, now_s: float) -> Observation:
        """Look at the unit."""
        return self.seen(now_s)

    def seen(self, now_s: float) -> Observation:
        """Look at the unit, without an event loop."""
        shown = self.unit.shown(now_s)
        identity = f"simulated:{self.unit.name}"
        if shown is None:
            return Observation(now_s, UnitState.UNKNOWN, reasons=("unreachable",))
        power_w = shown.power_w if math.isfinite(shown.power_w) and shown.power_w > 0.0 else None
        rate_per_s = shown.rate_per_s if math.isfinite(shown.rate_per_s) else None
        state, level, reasons = self._judged(shown.phase, shown.level_w, power_w, rate_per_s)
        return Observation(
            now_s, state, level, identity, power_w, "estimate", rate_per_s, reasons=("simulated", *reasons)
        )

    def _judged(
        self, phase: Phase, level_w: float, power_w: float | None, rate_per_s: float | None
    ) -> tuple[UnitState, str | None, tuple[str, ...]]:
        level = OFF if level_w == 0.0 else self._name(level_w)
        if power_w is None:
            return UnitState.UNKNOWN, None, ("no_power_shown",)
        if power_w > 1.5 * self.unit.kind.highest_w:
            return UnitState.UNKNOWN, None, ("implausible_power",)
        if phase is Phase.STUCK:
            return UnitState.FAULT, level, ("stuck",)
        if phase in _CHANGING:
            return UnitState.CHANGING, level, ()
        if phase is Phase.SLEEP:
            return UnitState.OFF, OFF, ()
        return UnitState.RUNNING, level, () if rate_per_s else ("watts_without_hashes",)

    def _name(self, level_w: float) -> str:
        return ON if math.isclose(level_w, self.unit.kind.full_w) else f"{level_w:g}W"

    async def as_found(self) -> Setting | None:
        """Return the power that the unit is set to, or None if it does not answer."""
        shown = self.unit.shown(self._clock())
        return None if shown is None else {"level_w": shown.level_w}

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        kind = self.unit.kind
        level_w = self._watts(level)
        if level_w is None:
            return f"no_such_level: expected off, on, or a power such as {kind.best_w:.0f}W"
        if level_w != 0.0 and not kind.least_w <= level_w <= kind.full_w:
            return f"out_of_range: from {kind.least_w:g} to {kind.full_w:g} W"
        return None

    def _watts(self, level: str) -> float | None:
        if level in {OFF, ON}:
            return 0.0 if level == OFF else self.unit.kind.full_w
        try:
            watts = float(level.removesuffix("W"))
        except ValueError:
            return None
        return watts if level.endswith("W") and math.isfinite(watts) and watts > 0.0 else None

    async def to(self, level: str, deadline_s: float) -> Answer:  # noqa: ARG002 (of the protocol)
        """Send the command for a level."""
        return self.apply(level, self._clock())

    def apply(self, level: str, now_s: float) -> Answer:
        """Send the command for a level, without an event loop."""
        level_w = self._watts(level)
        if level_w is None or self.can(level) is not None:
            return Answer(Reply.REFUSED, "simulated: no such level")
        self.commands += 1
        return _REPLIES[self.unit.command(level_w, now_s)]

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level: a fresh power near it, and a state that agrees."""
        level_w = self._watts(level)
        if level_w is None or seen.power_w is None or now_s - seen.at_s > FRESH_S:
            return Evidence.UNKNOWN
        if seen.state in {UnitState.UNKNOWN, UnitState.CHANGING}:
            return Evidence.UNKNOWN
        full_w = self.unit.kind.full_w
        expected_w = self.unit.kind.asleep_w if level_w == 0.0 else level_w
        near = abs(seen.power_w - expected_w) <= _NEAR_FRAC * full_w
        agrees = (seen.state is UnitState.OFF) == (level_w == 0.0) and seen.state is not UnitState.FAULT
        return Evidence.CONFIRMED if near and agrees else Evidence.CONTRARY

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:  # noqa: ARG002 (of the protocol)
        """Bring the former power target back; nothing is sent if it stands."""
        return self.bring_back(setting, self._clock())

    def bring_back(self, setting: Setting, now_s: float) -> Answer:
        """Bring the former power target back, without an event loop."""
        level_w = float(setting["level_w"])
        shown = self.unit.shown(now_s)
        if shown is not None and shown.level_w == level_w:
            return Answer(Reply.ACCEPTED, "simulated: nothing to send")
        self.commands += 1
        return _REPLIES[self.unit.command(level_w, now_s)]

    async def close(self) -> None:
        """Release nothing."""
