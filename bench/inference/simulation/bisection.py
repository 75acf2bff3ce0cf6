"""The edge of a condition that holds below it."""

import math
from collections.abc import Callable

TOLERANCE = 5e-4  # [-] relative
BRACKET = 1.1  # ratio of the first two values that are tried to the one that the edge is probably close to


def bisected(is_met: Callable[[float], bool], least: float, most: float, near: float | None = None) -> float | None:
    """Return the largest value between two for which a condition holds, or None if it does not hold at the least.

    The condition holds below some value and not above it. `near` is a value that the result is probably close to.
    """
    low, high = least, most
    if near is not None:
        low, high = max(near / BRACKET, least), min(near * BRACKET, most)
    while not is_met(low):
        if low <= least:
            return None
        low, high = max(low / BRACKET**4, least), low
    while is_met(high):
        if high >= most:
            return most
        low, high = high, min(high * BRACKET**4, most)
    while high / low > 1.0 + TOLERANCE:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_met(middle) else (low, middle)
    return low
