"""Hourly power prices, charges and curtailment credits, and lines about unusual prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.hours.power import share_of_steps

DAY_S = 86_400

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats, Integers
    from sites.hours.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a time-of-use tariff, in local time."""

    usd_per_mwh: float
    months: tuple[int, ...]  # 1 is January
    weekdays: tuple[int, ...]  # 0 is Monday
    from_hour: int  # included
    to_hour: int  # excluded; to_hour <= from_hour wraps around midnight


def period_of_steps(calendar: Calendar, periods: Sequence[Period]) -> Integers:
    """Return the number of the last period that contains each step, counted from 1, or 0 if no period does, [T]."""
    number = np.zeros(calendar.steps, np.int64)
    weekday = calendar.how // 24
    for index, period in enumerate(periods, 1):
        if period.from_hour < period.to_hour:
            within = (calendar.hour >= period.from_hour) & (calendar.hour < period.to_hour)
        else:
            within = (calendar.hour >= period.from_hour) | (calendar.hour < period.to_hour)
        here = within & np.isin(calendar.month + 1, period.months) & np.isin(weekday, period.weekdays)
        number[here] = index
    return number


def time_of_use_series(calendar: Calendar, base_usd_per_mwh: float, periods: Sequence[Period]) -> Floats:
    """Return the price of each step [USD/MWh]: the base price, or that of the last period that contains the step."""
    prices = np.array([base_usd_per_mwh, *(period.usd_per_mwh for period in periods)])
    series: Floats = prices[period_of_steps(calendar, periods)]
    return series


def coincident_series(calendar: Calendar, usd_per_kw_year: float, peaks: Sequence[tuple[int, float]]) -> Floats:
    """Return the extra cost [USD/MWh] of the steps of peaks, over which a yearly charge is spread equally.

    The draw of a peak is the mean of the steps that it covers, so that a step bears its share of the peak's charge.

    Parameters
    ----------
    calendar
        Steps of the year.
    usd_per_kw_year
        Yearly charge on the mean draw of all peaks [USD/kW].
    peaks
        Start [s, unix] and hours of each peak.
    """
    extra = np.zeros(calendar.steps)
    for start_s, hours in peaks:
        extra += share_of_steps(calendar, start_s, hours) / hours * (usd_per_kw_year * 1000.0 / len(peaks))
    return extra


def called_in_vain(peaks: Sequence[tuple[int, float]], days: int) -> list[int]:
    """Return the starts [s, unix] of calls on days without a peak: the days nearest to the peaks, at the peaks' times.

    The peaks take turns, each with the days after and before it, as on the hot or cold days around a real peak.
    """
    taken = {start_s // DAY_S for start_s, _ in peaks}
    calls: list[int] = []
    distance = 0
    while len(calls) < days:
        distance += 1
        for sign in (1, -1):
            for start_s, _ in peaks:
                call = start_s + sign * distance * DAY_S
                if len(calls) < days and call // DAY_S not in taken:
                    taken.add(call // DAY_S)
                    calls.append(call)
    return calls


def risk_series(
    calendar: Calendar, usd_per_kw_year: float, peaks: Sequence[tuple[int, float]], calls: Sequence[tuple[int, float]]
) -> Floats:
    """Return the peak charge [USD/MWh] that power drawn during calls risks, [T].

    Parameters
    ----------
    calendar
        Steps of the year.
    usd_per_kw_year
        Yearly charge on the mean draw of all peaks [USD/kW].
    peaks, calls
        Start [s, unix] and hours of each peak, and of each call without a peak.
    """
    risk = np.zeros(calendar.steps)
    for start_s, hours in calls:
        charge = usd_per_kw_year * 1000.0 / len(peaks) / min(length for _, length in peaks)
        risk = np.maximum(risk, (share_of_steps(calendar, start_s, hours) > 0.0) * charge)
    return risk


def credit_series(calendar: Calendar, credit_usd_per_mwh: float, events: Sequence[tuple[int, float, float]]) -> Floats:
    """Return the credit [USD/MWh] for energy not drawn in the steps of events (start [s, unix], hours, limit [MW])."""
    credit = np.zeros(calendar.steps)
    for start_s, hours, _ in events:
        credit = np.maximum(credit, share_of_steps(calendar, start_s, hours) * credit_usd_per_mwh)
    return credit


def negative(calendar: Calendar, price_usd_per_mwh: Floats) -> list[str]:
    """Return a line on negative prices, which are allowed, with their hours."""
    hours = calendar.hours_where(price_usd_per_mwh < 0.0)
    return [f"price below 0 in {hours:g} hours, lowest {price_usd_per_mwh.min():,.2f} USD/MWh"] if hours else []


def above_market(calendar: Calendar, resale_over_spot_usd_per_mwh: Floats) -> list[str]:
    """Return a warning if contracted power is resold above the market price, which would be an unlimited profit."""
    hours = calendar.hours_where(resale_over_spot_usd_per_mwh > 0.0)
    most = resale_over_spot_usd_per_mwh.max()
    return [f"resale price above the market price in {hours:g} hours, by up to {most:,.2f} USD/MWh"] if hours else []
