"""Modes of a device as marginal blocks: what each further watt buys."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.market.device_rate import DeviceRate


class Margin(NamedTuple):
    """A step between two modes: further power [W] and further rate [1/s] of one device, and the mode it leads to."""

    name: str
    power_w: float
    rate_per_s: float


def margins(modes: Sequence[DeviceRate]) -> tuple[Margin, ...]:
    """Find the steps from off through the modes that are worth running, each less efficient than the one before.

    Modes below the upper concave hull of rate over power are left out: mixing two neighbours beats them.
    Raises InputError for no mode, or one without a power.
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
