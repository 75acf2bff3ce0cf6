"""The power modes and operating points of a device as steps of decreasing marginal efficiency."""

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


class PointStep(NamedTuple):
    """A step of an inference block from an operating point to the next, as shares of its highest one."""

    name: str  # of the point that the step leads to; empty for a block without an operating curve
    power_frac: float  # additional power over full power
    rate_frac: float  # additional rate over the full rate

    @property
    def efficiency_frac(self) -> float:
        """Efficiency of the step over that of full load, whose power includes idle power."""
        return self.rate_frac / self.power_frac


def margins(modes: Sequence[DeviceRate], idle_w: float = 0.0) -> tuple[Margin, ...]:
    """Return the steps from no work through the efficient modes, each less efficient than the one before.

    Modes below the upper concave hull of rate over power are dropped, because a mix of two other modes is better.

    Parameters
    ----------
    modes
        The modes of one device.
    idle_w
        Power without work [W].

    Raises
    ------
    InputError
        There are no modes, or a mode has no power, or none above that without work.
    """
    if not modes:
        raise InputError("modes: expected at least one, got none")
    points: list[tuple[float, float, str]] = []
    for mode in modes:
        if mode.power_w is None:
            raise InputError(f"modes: {mode.name}: expected a power, got none")
        if mode.power_w <= idle_w:
            raise InputError(
                f"modes: {mode.name}: expected more than the {idle_w:,.4g} W without work, got {mode.power_w:,.4g} W"
            )
        points.append((mode.power_w, mode.rate_per_s, mode.name))
    hull: list[tuple[float, float, str]] = [(idle_w, 0.0, "off")]
    for point in sorted(points):
        if point[1] <= hull[-1][1]:
            continue
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-2], point):
            hull.pop()
        hull.append(point)
    return tuple(Margin(after[2], after[0] - before[0], after[1] - before[1]) for before, after in pairwise(hull))


def _slope(start: tuple[float, float, str], end: tuple[float, float, str]) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])
