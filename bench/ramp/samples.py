"""Samples of a power or a rate, a plateau of them, and the integral of what is missing to a level."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 6  # samples of a plateau


@dataclass(frozen=True, slots=True)
class Samples:
    """Values over time, in order of time; a reading that failed is not among them."""

    times_s: tuple[float, ...]
    values: tuple[float, ...]  # [W], [hash/s] or [token/s]

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float | None]]) -> "Samples":
        """Return the samples of pairs of time and value, without those that have no value."""
        good = sorted((t_s, value) for t_s, value in pairs if value is not None and math.isfinite(value))
        return cls(tuple(t_s for t_s, _ in good), tuple(value for _, value in good))

    def between(self, start_s: float, end_s: float) -> "Samples":
        """Return the samples from one time to another, both included."""
        first, last = bisect_left(self.times_s, start_s), bisect_right(self.times_s, end_s)
        return Samples(self.times_s[first:last], self.values[first:last])

    def at(self, t_s: float) -> float:
        """Return the value at a time, on a straight line between two samples."""
        after = bisect_left(self.times_s, t_s)
        if after == 0:
            return self.values[0]
        if after == len(self.times_s):
            return self.values[-1]
        (t0, t1), (v0, v1) = self.times_s[after - 1 : after + 1], self.values[after - 1 : after + 1]
        return v0 + (v1 - v0) * (t_s - t0) / (t1 - t0) if t1 > t0 else v1

    def integral(self, start_s: float, end_s: float) -> float:
        """Return the integral by the trapezoid rule, its edges interpolated."""
        inside = self.between(start_s, end_s)
        times = (start_s, *inside.times_s, end_s)
        values = (self.at(start_s), *inside.values, self.at(end_s))
        return math.fsum(
            (t1 - t0) * (v0 + v1) / 2.0 for (t0, t1), (v0, v1) in zip(pairwise(times), pairwise(values), strict=True)
        )

    def largest_gap_s(self, start_s: float, end_s: float) -> float:
        """Return the longest time without a sample [s]."""
        times = (start_s, *self.between(start_s, end_s).times_s, end_s)
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)

    def changes(self) -> "Samples":
        """Return the first sample and each whose value differs from the one before it."""
        kept = [at for at, value in enumerate(self.values) if at == 0 or value != self.values[at - 1]]
        return Samples(tuple(self.times_s[at] for at in kept), tuple(self.values[at] for at in kept))

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.times_s)


@dataclass(frozen=True, slots=True)
class Plateau:
    """A level that samples keep."""

    mean: float  # in the unit of the samples
    sd: float  # standard deviation of one sample, without a slow change of the level
    u: float  # standard uncertainty of the mean
    drift: float  # second half minus the first
    n: int


def plateau(samples: Samples) -> Plateau | None:
    """Return the level of samples, or None if they are too few.

    Notes
    -----
    The standard deviation is that of successive differences (von Neumann), so that a slow change is not taken for
    noise. A value that a meter repeats counts once there. The uncertainty of the mean is that of its four quarters.
    """
    n = len(samples)
    if n < FEWEST:
        return None
    mean = math.fsum(samples.values) / n
    steps = [later - earlier for earlier, later in pairwise(samples.changes().values)]
    sd = math.sqrt(math.fsum(step * step for step in steps) / (2.0 * len(steps))) if steps else 0.0
    edges = [round(n * part / 4) for part in range(5)]
    quarters = [math.fsum(samples.values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]
    spread = math.fsum((quarter - mean) ** 2 for quarter in quarters) / (len(quarters) - 1)
    half = n // 2
    drift = math.fsum(samples.values[n - half :]) / half - math.fsum(samples.values[:half]) / half
    return Plateau(mean, sd, math.sqrt(spread / len(quarters)), drift, n)
