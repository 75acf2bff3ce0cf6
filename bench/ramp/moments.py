"""The moment at which a quantity passes a threshold, as a bracket that a slow, averaging meter leaves open.

A reading at t shows a mean over at most A seconds that ended at most L seconds before. So a reading that is certainly
outside a band proves that the quantity was outside after t - L - A, and one that is certainly inside proves that it was
inside before t, as long as it stays there for longer than the meter averages.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.ramp.rule import Meter
from bench.ramp.samples import Samples


@dataclass(frozen=True, slots=True)
class Bracket:
    """A time or an energy that lies between two bounds."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The middle of the bounds."""
        return (self.low + self.high) / 2.0

    @property
    def half(self) -> float:
        """Half of the distance of the bounds."""
        return (self.high - self.low) / 2.0

    def minus(self, other: "Bracket | float") -> "Bracket":
        """Return the bracket of the difference."""
        if isinstance(other, Bracket):
            return Bracket(self.low - other.high, self.high - other.low)
        return Bracket(self.low - other, self.high - other)


def first_beyond(
    samples: Samples, start_s: float, certainly: Callable[[float], bool], not_yet: Callable[[float], bool], meter: Meter
) -> Bracket | None:
    """Return when a quantity first passes a threshold after a start, or None if no sample certainly does.

    Parameters
    ----------
    samples
        From the start on.
    start_s
        Before it nothing counts [s].
    certainly, not_yet
        Whether a value is certainly beyond the threshold, or certainly not.
    meter
        What took the samples.
    """
    low_s = start_s
    for t_s, value in zip(samples.times_s, samples.values, strict=True):
        if certainly(value):
            return Bracket(min(low_s, t_s), t_s)
        if not_yet(value):
            low_s = max(low_s, t_s - meter.back_s)
    return None


def last_outside(
    samples: Samples, start_s: float, outside: Callable[[float], bool], inside: Callable[[float], bool], meter: Meter
) -> Bracket | None:
    """Return when a quantity is inside a band for good, or None if the last sample is not certainly inside.

    Parameters
    ----------
    samples
        From the start to a time at which the quantity has long been inside.
    start_s
        Before it nothing counts [s].
    outside, inside
        Whether a value is certainly outside the band, or certainly inside.
    meter
        What took the samples.
    """
    low_s, high_s = start_s, None
    for t_s, value in zip(samples.times_s, samples.values, strict=True):
        if outside(value):
            low_s = max(start_s, t_s - meter.back_s)
        if not inside(value):
            high_s = None
        elif high_s is None:
            high_s = t_s
    return None if high_s is None else Bracket(min(low_s, high_s), high_s)
