"""Hourly power prices, charges and curtailment credits, and warnings about unusual prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.hours.power import share_of_hours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.hours.calendar import Calendar

PLAUSIBLE_HIGH_USD_PER_MWH = 10_000.0
PLAUSIBLE_LOW_USD_PER_MWH = -1_000.0


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a time-of-use tariff, in local time."""

    usd_per_mwh: float
    months: tuple[int, ...]  # 1 is January
    weekdays: tuple[int, ...]  # 0 is Monday
    from_hour: int  # included
    to_hour: int  # excluded; to_hour <= from_hour wraps around midnight


def time_of_use_series(calendar: Calendar, base_usd_per_mwh: float, periods: Sequence[Period]) -> Floats:
    """Return the price of each hour [USD/MWh]: the base price, or that of the last period that contains the hour."""
    price = np.full(calendar.hours, base_usd_per_mwh)
    weekday = calendar.how // 24
    for period in periods:
        if period.from_hour < period.to_hour:
            within = (calendar.hour >= period.from_hour) & (calendar.hour < period.to_hour)
        else:
            within = (calendar.hour >= period.from_hour) | (calendar.hour < period.to_hour)
        here = within & np.isin(calendar.month + 1, period.months) & np.isin(weekday, period.weekdays)
        price[here] = period.usd_per_mwh
    return price


def coincident_series(calendar: Calendar, usd_per_kw_year: float, peaks: Sequence[tuple[int, float]]) -> Floats:
    """Return the extra cost [USD/MWh] of the hours of peaks, over which a yearly charge is spread equally.

    The draw of a peak is the mean of the hours that it covers, so that an hour bears its share of the peak's charge.

    Parameters
    ----------
    calendar
        Hours of the year.
    usd_per_kw_year
        Yearly charge on the mean draw of all peaks [USD/kW].
    peaks
        Start [s, unix] and hours of each peak.
    """
    extra = np.zeros(calendar.hours)
    for start_s, hours in peaks:
        extra += share_of_hours(calendar, start_s, hours) / hours * (usd_per_kw_year * 1000.0 / len(peaks))
    return extra


def credit_series(calendar: Calendar, credit_usd_per_mwh: float, events: Sequence[tuple[int, float, float]]) -> Floats:
    """Return the credit [USD/MWh] for energy not drawn in the hours of events (start [s, unix], hours, limit [MW])."""
    credit = np.zeros(calendar.hours)
    for start_s, hours, _ in events:
        credit = np.maximum(credit, share_of_hours(calendar, start_s, hours) * credit_usd_per_mwh)
    return credit


def flags(price_usd_per_mwh: Floats, name: str = "price") -> list[str]:
    """Return warnings about negative and implausible prices, which are allowed, with their counts."""
    warnings = []
    negative = int((price_usd_per_mwh < 0.0).sum())
    if negative:
        warnings.append(f"{name} below 0 in {negative} hours, lowest {price_usd_per_mwh.min():,.2f} USD/MWh")
    implausible = int(
        ((price_usd_per_mwh > PLAUSIBLE_HIGH_USD_PER_MWH) | (price_usd_per_mwh < PLAUSIBLE_LOW_USD_PER_MWH)).sum()
    )
    if implausible:
        low, high = price_usd_per_mwh.min(), price_usd_per_mwh.max()
        extreme = f"highest {high:,.2f}" if high > PLAUSIBLE_HIGH_USD_PER_MWH else f"lowest {low:,.2f}"
        warnings.append(
            f"{name} beyond {PLAUSIBLE_LOW_USD_PER_MWH:,.0f} to {PLAUSIBLE_HIGH_USD_PER_MWH:,.0f} USD/MWh "
            f"in {implausible} hours, {extreme}; check its unit"
        )
    return warnings


def above_market(resale_over_spot_usd_per_mwh: Floats) -> list[str]:
    """Return a warning if contracted power is resold above the market price, which would be an unlimited profit."""
    hours = int((resale_over_spot_usd_per_mwh > 0.0).sum())
    most = resale_over_spot_usd_per_mwh.max()
    return [f"resale price above the market price in {hours} hours, by up to {most:,.2f} USD/MWh"] if hours else []
