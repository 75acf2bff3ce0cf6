"""The hourly series of the cost of power, built from the tables of a site file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.file.ranges import PRICE
from sites.hours import prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.arrays import Floats
    from sites.file.prices.tables import PriceSeriesTable, PriceTable
    from sites.file.ranges import Range
    from sites.hours.calendar import Calendar
    from sites.hours.clock import Clock


def spot(table: PriceTable, calendar: Calendar, read: Callable[[PriceSeriesTable, Range], Floats]) -> Floats:
    """Return the market price of power [currency/MWh], [T]; `read` returns the column of an hourly table."""
    if table.hourly is not None:
        return read(table.hourly, PRICE)
    if table.time_of_use is not None:
        return prices.time_of_use_series(calendar, table.time_of_use.base_usd_per_mwh.value, tariff(table))
    return np.full(calendar.steps, table.energy_usd_per_mwh.value if table.energy_usd_per_mwh else 0.0)


def tariff(table: PriceTable) -> tuple[prices.Period, ...]:
    """Return the periods of a time-of-use tariff; none for other prices."""
    periods = table.time_of_use.period if table.time_of_use is not None else ()
    return tuple(prices.Period(p.usd_per_mwh.value, p.months, p.weekdays, p.from_hour, p.to_hour) for p in periods)


def adders(table: PriceTable, calendar: Calendar, peaks: list[tuple[int, float]]) -> Floats:
    """Return delivery and peak charges on top of the price [currency/MWh], [T]."""
    adder: Floats = np.full(calendar.steps, table.delivery_usd_per_mwh.value)
    if table.coincident is not None:
        adder += prices.coincident_series(calendar, table.coincident.usd_per_kw_year.value, peaks)
    return adder


def peak_risk(table: PriceTable, calendar: Calendar, peaks: list[tuple[int, float]]) -> Floats:
    """Return the peak charge that drawn power risks on days called in vain [currency/MWh], [T]."""
    coincident = table.coincident
    if coincident is None:
        return np.zeros(calendar.steps)
    starts = prices.called_in_vain(peaks, round(coincident.called_days_without_peak.value))
    calls = [(start_s, coincident.called_hours_per_day.value) for start_s in starts]
    return prices.risk_series(calendar, coincident.usd_per_kw_year.value, peaks, calls)


def peaks_of(table: PriceTable, clock: Clock, path: str) -> list[tuple[int, float]]:
    """Return start [s, unix] and hours of each coincident peak."""
    if table.coincident is None:
        return []
    hours = table.coincident.peak_minutes.value / 60.0
    return [
        (clock.noted_unix_s(start, path, f"price.coincident.hours[{index}]"), hours)
        for index, start in enumerate(table.coincident.hours)
    ]
