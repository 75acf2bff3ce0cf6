"""The rule by which the moments of a ramp are read from samples, fixed before any of them is taken."""

from dataclasses import dataclass

VERSION = 1  # a result stores it; a change of the rule raises it


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds as shares of the step from resting to full power, or of the full rate."""

    off_frac: float = 0.05  # [-] of the step above resting, below which the device is off
    on_frac: float = 0.02  # [-] of the step above resting, from which it is on
    full_frac: float = 0.05  # [-] of the step round the full power, within which it is at full power
    rate_frac: float = 0.10  # [-] of the full rate below it, within which it is at full rate
    plateau_s: float = 60.0  # [s] for which a level must stand before it counts
    margin_sd: float = 4.0  # standard deviations of a reading by which a threshold must be passed to count for certain

    def words(self) -> tuple[str, ...]:
        """Return the rule in sentences, for the user before the run and for the result."""
        return (
            f"level: the mean of {self.plateau_s:g} s whose halves agree",
            f"off: from the last moment above resting power plus {self.off_frac:.0%} of the step on",
            f"on: from the first moment above resting power plus {self.on_frac:.0%} of the step on",
            f"full power: from the last moment outside ± {self.full_frac:.0%} of the step round the power before on",
            f"full rate: from the last moment below {1.0 - self.rate_frac:.0%} of the rate before on",
        )


@dataclass(frozen=True, slots=True)
class Meter:
    """How late a source shows a change; the same for a wall meter and for the rate that a device shows."""

    period_s: float  # [s] time between two of its values
    averaging_s: float  # [s] time over which a value averages, at most
    lag_s: float = 0.0  # [s] age of a value when it first shows, at most

    @property
    def late_s(self) -> float:
        """How old the end of an average may be when it is read [s]."""
        return self.period_s + self.lag_s

    @property
    def back_s(self) -> float:
        """How long before its reading anything that an average holds may have been [s]."""
        return self.late_s + self.averaging_s
