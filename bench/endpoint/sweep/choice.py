"""The best points of a sweep: those that no other point beats, and those that cannot be told apart from the best."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from bench.endpoint.figures.summary import Limits
from bench.measure import stats


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one load."""

    concurrency: int
    record_id: str
    tokens_per_s: tuple[float, ...]  # output tokens [token/s], one figure a window
    j_per_token: tuple[float, ...] | None  # [J/token] by the best meter, one figure a window; None without a meter
    power_w: float | None
    tpot_s: float | None  # [s] median time per token of one user
    ttft_s: float | None  # [s] median time to the first token
    codes: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Mean throughput [token/s]."""
        return sum(self.tokens_per_s) / len(self.tokens_per_s)

    @property
    def energy(self) -> float | None:
        """Mean energy per token [J/token]."""
        return None if self.j_per_token is None else sum(self.j_per_token) / len(self.j_per_token)

    @property
    def user_rate(self) -> float | None:
        """Interactivity: tokens per second of one user [token/s]."""
        return None if not self.tpot_s else 1.0 / self.tpot_s

    def keeps(self, limits: Limits) -> bool:
        """Return whether the median latencies keep the limits."""
        if limits.ttft_s is not None and (self.ttft_s is None or self.ttft_s > limits.ttft_s):
            return False
        return limits.tpot_s is None or (self.tpot_s is not None and self.tpot_s <= limits.tpot_s)


def pareto(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in throughput, interactivity and energy at once, by rising load.

    Where some points have an energy, those without one are left out: nothing is known of theirs.
    """
    points = [point for point in points if point.energy is not None] or list(points)

    def figures(point: Point) -> tuple[float, ...]:
        return (point.rate, point.user_rate or 0.0, -(point.energy or 0.0))

    def is_beaten(point: Point) -> bool:
        own = figures(point)
        others = [figures(other) for other in points]
        return any(other != own and all(a >= b for a, b in zip(other, own, strict=True)) for other in others)

    return sorted((point for point in points if not is_beaten(point)), key=lambda point: point.concurrency)


@dataclass(frozen=True, slots=True)
class Best:
    """The best points under the limits."""

    best: Point
    alike: tuple[Point, ...]  # the points that cannot be told apart from it, by rising load; it is among them
    by: str  # `J/token`, or `tokens/s` where nothing was metered


def best(points: Sequence[Point], limits: Limits) -> Best | None:
    """Return the points with the least energy per token, or without a meter the highest throughput, under the limits.

    Two points cannot be told apart if the 95 % interval of the ratio of their figures includes 1; the meter's own error
    is common to both and cancels.
    """
    allowed = [point for point in points if point.keeps(limits)]
    metered = [point for point in allowed if point.j_per_token is not None]
    if metered:
        first = min(metered, key=lambda point: point.energy or 0.0)
        alike = [point for point in metered if _alike(point.j_per_token or (), first.j_per_token or ())]
        return Best(first, tuple(sorted(alike, key=lambda point: point.concurrency)), "J/token")
    if not allowed:
        return None
    first = max(allowed, key=lambda point: point.rate)
    alike = [point for point in allowed if _alike(point.tokens_per_s, first.tokens_per_s)]
    return Best(first, tuple(sorted(alike, key=lambda point: point.concurrency)), "tokens/s")


def is_host_bound(points: Sequence[Point]) -> list[Point]:
    """Return the points at which power and throughput fall although the load rises: the host is the limit."""
    ordered = sorted((point for point in points if point.power_w is not None), key=lambda point: point.concurrency)
    return [
        after
        for before, after in itertools.pairwise(ordered)
        if (after.power_w or 0.0) < 0.97 * (before.power_w or 0.0) and after.rate < before.rate
    ]


def _alike(a: Sequence[float], b: Sequence[float]) -> bool:
    if tuple(a) == tuple(b):
        return True
    interval = stats.compare(a, b).interval
    return interval is None or interval[0] <= 1.0 <= interval[1]
