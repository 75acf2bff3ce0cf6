"""The points of a sweep: their order, and those that are added around the knee."""

import itertools
import random
from collections.abc import Mapping, Sequence

FLAT_FRAC = 0.05  # [-] less gain in throughput than this by doubling the load is flat


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


def knee(tokens_per_s: Mapping[int, float]) -> int | None:
    """Return the concurrency from which on more load brings little more throughput, or None if it still grows.

    Parameters
    ----------
    tokens_per_s
        Throughput by concurrency [token/s].
    """
    points = sorted(tokens_per_s)
    for low, high in itertools.pairwise(points):
        if tokens_per_s[high] < tokens_per_s[low] * (1.0 + FLAT_FRAC):
            return low
    return None


def refined(tokens_per_s: Mapping[int, float]) -> list[int]:
    """Return points to add between the knee and its neighbours, if there is a knee and room between them."""
    at = knee(tokens_per_s)
    if at is None:
        return []
    points = sorted(tokens_per_s)
    position = points.index(at)
    neighbours = points[max(0, position - 1) : position + 2]
    middles = [round((low * high) ** 0.5) for low, high in itertools.pairwise(neighbours)]
    return [middle for middle in middles if middle not in tokens_per_s]
