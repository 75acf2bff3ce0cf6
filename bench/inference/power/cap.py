"""A GPU under a power limit below the one that it ships with: its clock, its rate and its watts."""

import math
from dataclasses import dataclass

from bench.inference.power.activity import Activity
from bench.inference.power.gpu import Family, gpu_watts, power_table
from hardware_profiles.errors import InputError

BISECTIONS = 50


@dataclass(frozen=True, slots=True)
class Capped:
    """A GPU at the clock that its power limit allows."""

    gpu_w: float  # [W]
    clock_frac: float  # [-] clock over that without the limit
    rate_frac: float  # [-] rate over that without the limit


def capped(family: Family, limit_w: float, activity: Activity, cap_w: float | None = None) -> Capped:
    """Return the clock, rate and watts of a GPU under a power limit.

    Parameters
    ----------
    family
        Constants of the device.
    limit_w
        Power limit as it ships [W].
    activity
        What the GPU does without the lower limit.
    cap_w
        The lower limit [W], or None.

    Raises
    ------
    InputError
        The limit is above the one that the device ships with, or below what it draws at its lowest clock.

    Notes
    -----
    Power above that without work goes with the clock and with the square of the voltage, which falls with the clock to
    a floor. Products slow down with the clock, reading memory does not, and of all else a share does.
    """
    full_w = gpu_watts(family, limit_w, activity)
    if cap_w is None or (full_w <= cap_w <= limit_w):
        return Capped(full_w, 1.0, 1.0)
    least = power_table("cap")["least_clock_frac"]["value"]
    lowest_w = lowest_watts(family, limit_w, full_w)
    if not lowest_w <= cap_w <= limit_w:
        expected = f"{math.ceil(lowest_w):,} to {limit_w:,.0f} W a GPU at this load"
        raise InputError.at("power cap", expected=expected, got=cap_w)
    low, high = least, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _watts(family, limit_w, full_w, middle) <= cap_w else (low, middle)
    rest = power_table("cap")["rest_clock_frac"]["value"]
    slow = activity.product_frac + activity.rest_frac * rest
    return Capped(_watts(family, limit_w, full_w, low), low, 1.0 / (1.0 - slow + slow / low))


def lowest_watts(family: Family, limit_w: float, full_w: float) -> float:
    """Return what a GPU draws at its lowest clock, from what it draws at full clock [W]."""
    return _watts(family, limit_w, full_w, power_table("cap")["least_clock_frac"]["value"])


def _watts(family: Family, limit_w: float, full_w: float, clock_frac: float) -> float:
    idle_w = family.idle_frac * limit_w
    voltage_frac: float = max(power_table("cap")["least_voltage_frac"]["value"], clock_frac)
    return idle_w + (full_w - idle_w) * clock_frac * voltage_frac**2
