"""Weekly profiles of the demand for inference, as shares of its mean, and its growth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.hours.calendar import MEAN_YEAR_HOURS, WEEK_HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILES = ("flat", "business", "evening")
HIGHEST = 1e9


def week_profile(name: str) -> tuple[float, ...]:
    """Return the demand of each local hour of the week over its mean, 168 values from Monday's first hour on.

    The shapes are assumptions: replace them by the counts of a site.

    Parameters
    ----------
    name
        `flat`; `business`: full from 9 to 18 h on weekdays, a third at other waking hours, a tenth at night; or
        `evening`: full from 17 to 23 h.

    Raises
    ------
    InputError
        The name is unknown.
    """
    if name == "flat":
        shape = [1.0] * WEEK_HOURS
    elif name == "business":
        shape = [_business(hour // 24, hour % 24) for hour in range(WEEK_HOURS)]
    elif name == "evening":
        shape = [1.0 if 17 <= hour % 24 < 23 else 0.5 if hour % 24 >= 8 else 0.15 for hour in range(WEEK_HOURS)]
    else:
        raise InputError.at("demand profile", expected=f"one of {', '.join(PROFILES)} or 168 numbers", got=name)
    return over_mean(shape)


def _business(day: int, hour: int) -> float:
    if hour < 6 or hour >= 23:
        return 0.1
    return 1.0 if day < 5 and 9 <= hour < 18 else 0.33


def over_mean(shape: Sequence[float]) -> tuple[float, ...]:
    """Divide a weekly shape by its mean; raise InputError unless it is 168 numbers of 0 to 10^9, not all 0."""
    if len(shape) != WEEK_HOURS:
        raise InputError(f"demand profile: expected {WEEK_HOURS} numbers, got {len(shape)}")
    invalid = [value for value in shape if not 0 <= value <= HIGHEST]
    if invalid or max(shape) < 1 / HIGHEST:
        raise InputError(f"demand profile: expected numbers of 0 to 10^9, not all 0, got {(invalid or shape)[0]:g}")
    mean = math.fsum(shape) / WEEK_HOURS
    return tuple(value / mean for value in shape)


def log_growth_per_hour(growth_frac_per_year: float) -> float:
    """Return the logarithmic growth per hour of a yearly growth (as a share), for a year of 8766 hours."""
    return math.log1p(growth_frac_per_year) / MEAN_YEAR_HOURS
