"""The power modes of a device as steps of decreasing marginal efficiency."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.market.device_rate import DeviceRate


class Margin(NamedTuple):
    """A step of one device from a mode to the next."""

    name: str  # of the mode that the step leads to
    power_w: float  # [W] additional power
    rate_per_s: float  # [1/s] additional rate


def margins(modes: Sequence[DeviceRate]) -> tuple[Margin, ...]:
    """Return the steps from off through the efficient modes, each less efficient than the one before.

    Modes below the upper concave hull of rate over power are dropped, because a mix of two other modes is better.

    Raises
    ------
    InputError
        There are no modes, or a mode has no power.
    """
    if not modes:
        raise InputError("modes: expected at least one, got none")
    points: list[tuple[float, float, str]] = []
    for mode in modes:
        if mode.power_w is None:
            raise InputError(f"modes: {mode.name}: expected a power, got none")
        points.append((mode.power_w, mode.rate_per_s, mode.name))
    hull: list[tuple[float, float, str]] = [(0.0, 0.0, "off")]
    for point in sorted(points):
        if point[1] <= hull[-1][1]:
            continue
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-2], point):
            hull.pop()
        hull.append(point)
    return tuple(Margin(after[2], after[0] - before[0], after[1] - before[1]) for before, after in pairwise(hull))


def _slope(start: tuple[float, float, str], end: tuple[float, float, str]) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])
