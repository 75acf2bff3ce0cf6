"""The points of a sweep: their order, those to measure again, and those that are added around the knee."""

import itertools
import random
from collections.abc import Mapping, Sequence

from bench.measure import stats

KNEE_FRAC = 0.95  # [-] share of the highest throughput that the knee has
DIP_FRAC = 0.95  # [-] a load below this share of a smaller and of a larger one was slowed by something else

Throughput = Mapping[int, Sequence[float]]
"""Throughput [token/s] of each window by concurrency."""


def geometric(last: int, first: int = 1) -> list[int]:
    """Return `first`, twice it, and so on up to `last`, which is always the end."""
    points = []
    while first < last:
        points.append(first)
        first *= 2
    return [*points, last]


def in_random_order(points: Sequence[int], seed: str) -> list[int]:
    """Return the points in random order and at the end the first of them again, which shows drift.

    In rising order a server that warms up, or throttles, would look like one that scales well, or badly.
    """
    order = list(points)
    random.Random(seed).shuffle(order)  # noqa: S311 (an order, no secret)
    return [*order, order[0]] if len(order) > 1 else order


def rising(throughput: Throughput) -> dict[int, float]:
    """Return the throughput by concurrency [token/s] as the nearest curve that does not fall with the load.

    Notes
    -----
    Isotonic regression by pooling adjacent violators, weighted with the windows of each load. A load that was slowed by
    other work on the machine moves the curve less than it would move a comparison of neighbours.
    """
    pools: list[tuple[list[int], float, int]] = []  # loads, their sum over all windows, windows
    for at in sorted(throughput):
        pool = [at], sum(throughput[at]), len(throughput[at])
        while pools and pools[-1][1] / pools[-1][2] >= pool[1] / pool[2]:
            before = pools.pop()
            pool = before[0] + pool[0], before[1] + pool[1], before[2] + pool[2]
        pools.append(pool)
    return {at: total / windows for loads, total, windows in pools for at in loads}


def knee(throughput: Throughput) -> int | None:
    """Return the smallest load that has nearly the highest throughput, or None if that is the largest load.

    The curve is that of `rising`, so that neither a slow load nor its neighbour is taken for the knee.
    """
    curve = rising(throughput)
    points = sorted(curve)
    at = next((point for point in points if curve[point] >= KNEE_FRAC * curve[points[-1]]), None)
    return None if at is None or at == points[-1] else at


def deepest_dip_frac(throughput: Throughput) -> float:
    """Return by what share [-] a load's mean throughput is at most below both a smaller and a larger load.

    It is 0 for every server that only rises, or rises and then falls behind.
    """
    means = [sum(throughput[at]) / len(throughput[at]) for at in sorted(throughput)]
    inner = ((mean, min(max(means[:i]), max(means[i + 1 :]))) for i, mean in enumerate(means) if 0 < i < len(means) - 1)
    return max((1.0 - mean / around for mean, around in inner if around > mean), default=0.0)


def dips(throughput: Throughput) -> list[int]:
    """Return the loads with less throughput than both a smaller and a larger load, beyond the scatter of the windows.

    No limit of a server does that: something else slowed them.
    """
    points = sorted(throughput)
    return [
        at
        for i, at in enumerate(points)
        if any(_is_below(throughput[at], throughput[other]) for other in points[:i])
        and any(_is_below(throughput[at], throughput[other]) for other in points[i + 1 :])
    ]


def _is_below(a: Sequence[float], b: Sequence[float]) -> bool:
    ratio = stats.compare(a, b)
    return ratio.interval is not None and ratio.interval[1] < 1.0 and sum(a) / len(a) < DIP_FRAC * sum(b) / len(b)


def refined(throughput: Throughput) -> list[int]:
    """Return points to add between the knee and its neighbours, if there is a knee and room between them."""
    at = knee(throughput)
    if at is None:
        return []
    points = sorted(throughput)
    position = points.index(at)
    neighbours = points[max(0, position - 1) : position + 2]
    middles = [round((low * high) ** 0.5) for low, high in itertools.pairwise(neighbours)]
    return [middle for middle in middles if middle not in throughput]
