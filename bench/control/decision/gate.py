"""The one gate that every command passes: it counts what was sent before, also by a controller that was killed."""

from bench.control.decision.evidence import overshot_w, worst_w
from bench.control.decision.memory import HOUR_S, Memory, Sent, UnitMemory
from bench.control.decision.terms import Setup, UnitTerms
from sites.control.model import OFF

MINUTE_S = 60.0
_ROUNDING_W = 1e-6  # [W] sums of floats may differ by less


class Gate:
    """The gate of one tick; it takes in each command that it lets pass.

    Parameters
    ----------
    setup
        The terms of the run.
    memory
        What was known before the tick.
    units
        What is known of each unit now.
    meter_w
        Power at the feeder [W] with what was commanded and may not show in it yet; None if it is not known.
    now_s
        Time [s, Unix].
    """

    def __init__(
        self, setup: Setup, memory: Memory, units: dict[str, UnitMemory], meter_w: float | None, now_s: float
    ) -> None:
        self._setup, self._now_s, self._meter_w = setup, now_s, meter_w
        keep_s = max(MINUTE_S, setup.limits.wave_interval_s)
        self.sent = [sent for sent in memory.sent if now_s - sent.at_s < keep_s]
        wave = [sent for sent in self.sent if now_s - sent.at_s < setup.limits.wave_interval_s]
        self._wave_left = setup.limits.wave_units(len(setup.units)) - len(wave)
        minute = [sent for sent in self.sent if now_s - sent.at_s < MINUTE_S]
        self._up_w = sum(sent.rise_w for sent in minute)
        self._down_w = sum(sent.fall_w for sent in minute)
        self.believed_w = sum(worst_w(setup, setup.units[name], unit) for name, unit in units.items())
        self._moved_w = sum(moved_w(setup.units[name], unit) for name, unit in units.items())

    def passes(self, name: str, unit: UnitMemory, after: UnitMemory) -> str:  # noqa: PLR0911 (one for each limit)
        """Let a command pass and return an empty text, or return the code of the first limit that it breaks.

        Parameters
        ----------
        name
            The unit.
        unit
            What is known of it.
        after
            What would be known of it after the command.
        """
        terms, limits = self._setup.units[name], self._setup.limits
        level = str(after.command)
        code = self._too_soon(unit, level)
        if code:
            return code
        if self._wave_left <= 0:
            return "wave_full"
        now_w, most_w = worst_w(self._setup, terms, unit), after.ceiling_w
        up_w, down_w = self._changes_w(terms, unit, level)
        if up_w > 0.0 and self._up_w + up_w > limits.ramp_w_per_min + _ROUNDING_W:
            return "ramp_full"
        if down_w > 0.0 and self._down_w + down_w > limits.ramp_w_per_min + _ROUNDING_W:
            return "ramp_full"
        rise_w = most_w - now_w
        if up_w > 0.0 and (code := self._feeder(rise_w, up_w)):
            return code
        moved = moved_w(terms, after) - moved_w(terms, unit)
        permit = self._setup.permit
        if permit is not None and moved > 0.0 and self._moved_w + moved > permit.maximum_w + _ROUNDING_W:
            return "maximum_moved"
        self._wave_left -= 1
        self._up_w += up_w
        self._down_w += down_w
        self.believed_w += rise_w
        self._moved_w += moved
        if self._meter_w is not None:
            self._meter_w += up_w
        self.sent.append(Sent(name, self._now_s, up_w, down_w))
        return ""

    def _too_soon(self, unit: UnitMemory, level: str) -> str:
        """Return the code of a clock of the unit that forbids a command now."""
        limits, now_s = self._setup.limits, self._now_s
        hour = [at_s for at_s in unit.sent_s if now_s - at_s < HOUR_S]
        if len(hour) >= limits.commands_per_hour:
            return "hour_full"
        toward = unit.expected
        if toward is None or (toward == OFF) == (level == OFF):
            return ""
        since_s = max(unit.since_s or 0.0, unit.sent_s[-1] if unit.sent_s else 0.0)
        if level == OFF and now_s - since_s < limits.min_on_s:
            return "min_on"
        return "min_off" if level != OFF and now_s - since_s < limits.min_off_s else ""

    def _changes_w(self, terms: UnitTerms, unit: UnitMemory, level: str) -> tuple[float, float]:
        """Return the most by which a command may make a unit rise and fall within the ramp [W].

        A unit whose last command is not confirmed may be where any command since the last confirmed one sent it.
        """
        target_w = terms.power_w(level)
        low_w = high_w = terms.power_w(unit.level) if unit.level is not None else 0.0
        if unit.command is not None:
            low_w, high_w = unit.floor_w, max(unit.before_w, unit.ceiling_w)
        up_w = overshot_w(self._setup, target_w) - low_w if target_w > low_w else 0.0
        return up_w, max(high_w - target_w, 0.0)

    def _feeder(self, rise_w: float, up_w: float) -> str:
        """Return the code why a rise does not fit below the limit of the feeder."""
        limits = self._setup.limits
        if limits.at_feeder_w(self.believed_w + rise_w) > limits.feeder_w + _ROUNDING_W:
            return "feeder_full"
        if self._setup.verify_s is None:
            return ""
        if self._meter_w is None:
            return "feeder_lost"
        add_w = up_w / (1.0 - limits.losses_frac)
        return "feeder_full" if self._meter_w + add_w > limits.feeder_w + _ROUNDING_W else ""


def moved_w(terms: UnitTerms, unit: UnitMemory) -> float:
    """Return the power by which a unit may be moved from what was found, by commands of ours [W].

    A command counts until it is confirmed, and so does the level that it is to end: either may be what the unit is at.
    """
    if not unit.touched or unit.as_found is None:
        return 0.0
    levels = [level for level in (unit.level, unit.command) if level is not None]
    return max((abs(terms.power_w(level) - terms.power_w(unit.as_found)) for level in levels), default=0.0)
