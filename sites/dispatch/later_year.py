"""A site in a later year: prices, weather and events of the first on its own calendar, and everything that grows."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sites.hours.calendar import HOUR_S, MEAN_YEAR_HOURS, anniversary, local_year, year_of_horizon, zone
from sites.hours.demand import log_growth_per_hour
from sites.hours.prices import period_of_steps
from sites.market.mining import hourly_fees_frac
from sites.model import InferenceBlock

if TYPE_CHECKING:
    from datetime import date

    from sites.arrays import Floats, Integers
    from sites.hours.calendar import Calendar
    from sites.model import MiningBlock, Site

    Block = TypeVar("Block", MiningBlock, InferenceBlock)

DAY_HOURS = 24
MONTH_SLOTS = 31 * DAY_HOURS
LEAP_DAY = MONTH_SLOTS + 28 * DAY_HOURS  # slot of the first hour of 29 February

# The arrays of a Site that repeat from year to year.
REPEATED = (
    "spot_usd_per_mwh",
    "adder_usd_per_mwh",
    "resale_usd_per_mwh",
    "peak_risk_usd_per_mwh",
    "credit_usd_per_mwh",
    "limit_mw",
    "load_limit_mw",
    "event",
    "mining_capacity_frac",
    "gpu_capacity_frac",
    "mining_pue",
    "gpu_pue",
    "fees_frac",
)


def first_day(site: Site) -> date:
    """Return the first local day of a site's year."""
    return datetime.fromtimestamp(site.start_s, tz=zone(site.timezone)).date()


def later_year(first: Site, year: int) -> Site:
    """Return a site in a year of its horizon.

    Parameters
    ----------
    first
        The site in its first year, in hours.
    year
        Number of the year, from 0.

    Raises
    ------
    InputError
        The first year has steps shorter than hours.

    Notes
    -----
    Prices, charges, weather, outages and events repeat on the same local day and hour; those of 28 February stand for
    29 February, and the hour before stands for one that daylight saving skips. Weekdays (also those of a time-of-use
    tariff), the difficulty, halvings, the age of miners and the demand for inference are those of the year. Growth
    counts real hours, 8766 to a year.
    """
    first.check_hourly("a horizon")
    start = first_day(first)
    calendar = year_of_horizon(start, first.timezone, year)
    if year == 0 and calendar.hours == first.hours:
        return first
    at = same_hours(first, year)
    arrays: dict[str, Floats] = {name: getattr(first, name)[at] for name in REPEATED}
    if first.tariff:
        periods = period_of_steps(first.calendar, first.tariff)
        numbers, steps = np.unique(periods, return_index=True)
        same = steps[np.searchsorted(numbers, period_of_steps(calendar, first.tariff))]
        arrays |= {name: getattr(first, name)[same] for name in ("spot_usd_per_mwh", "resale_usd_per_mwh")}
    if first.fees_btc_per_block is not None:
        arrays["fees_frac"] = hourly_fees_frac(
            first.fees_btc_per_block, calendar.start_s, calendar.steps, first.path, calendar.step_s
        )
    elapsed_h = (calendar.start_s - first.start_s) / HOUR_S
    return replace(
        first,
        calendar=calendar,
        btc_path_usd=None if first.btc_path_usd is None else first.btc_path_usd[at],
        mining=tuple(after(block, elapsed_h) for block in first.mining),
        inference=tuple(
            replace(
                after(block, elapsed_h),
                price_over_mean=None if block.price_over_mean is None else block.price_over_mean[at],
            )
            for block in first.inference
        ),
        **arrays,  # type: ignore[arg-type]  # mypy takes the names for any field
    )


def after(block: Block, elapsed_h: float) -> Block:
    """Return a block a number of hours [h] later: miners are older, demand for inference has grown."""
    if isinstance(block, InferenceBlock):
        grown = math.exp(log_growth_per_hour(block.growth_frac_per_year) * elapsed_h)
        return replace(block, demand_frac=block.demand_frac * grown)
    return replace(block, age_years=block.age_years + elapsed_h / MEAN_YEAR_HOURS)


def same_hours(first: Site, year: int) -> Integers:
    """Return the step of a site's first year with the local day and hour of each step of another year, [T]."""
    return _same_hours(first_day(first), first.timezone, year)


@lru_cache(maxsize=256)
def _same_hours(start: date, timezone: str, year: int) -> Integers:
    """Return the step of the first year with the local day and hour of each step of a later one, [T]."""
    first = _slots(start, local_year(start, timezone))
    step_of = np.full(MONTH_SLOTS * 12, -1, np.int64)
    step_of[first[::-1]] = np.arange(first.size)[::-1]  # the first of the two hours that have the same name
    if step_of[LEAP_DAY] < 0:
        step_of[LEAP_DAY : LEAP_DAY + DAY_HOURS] = step_of[LEAP_DAY - DAY_HOURS : LEAP_DAY]
    filled = np.maximum.accumulate(np.where(step_of >= 0, np.arange(step_of.size), 0))
    later = _slots(anniversary(start, year), year_of_horizon(start, timezone, year))
    at: Integers = step_of[filled[later]]
    return at


def _slots(start: date, calendar: Calendar) -> Integers:
    """Return the number of each step's local month, day and hour, as if every month had 31 days, [T]."""
    days = np.datetime64(start) + calendar.day_of_year
    day_of_month = (days - days.astype("datetime64[M]")).astype(np.int64)
    slots: Integers = calendar.month * MONTH_SLOTS + day_of_month * DAY_HOURS + calendar.hour
    return slots
