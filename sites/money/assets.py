"""Investments by date: what is paid, how it is depreciated, and what it is worth in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.hours.months import Months

Method = Literal["straight line", "macrs 5", "macrs 15", "none"]

# Yearly shares of the half-year convention, 200 % and 150 % declining balance.
# Source: IRS Publication 946, appendix A, table A-1.
MACRS_FRAC = {
    "macrs 5": (0.20, 0.32, 0.192, 0.1152, 0.1152, 0.0576),
    "macrs 15": (
        0.05, 0.095, 0.0855, 0.077, 0.0693, 0.0623, 0.059, 0.059,
        0.0591, 0.059, 0.0591, 0.059, 0.0591, 0.059, 0.0591, 0.0295,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asset:
    """An investment."""

    name: str
    usd: float
    paid: date
    in_service: date  # from which on it is depreciated
    method: Method = "straight line"
    life_months: int = 60  # of the straight line
    bonus_frac: float = 0.0  # [-] of the price that is depreciated in the month of service
    sold: date | None = None  # the end of the horizon if None
    residual_usd: float = 0.0  # proceeds when it is sold


@dataclass(frozen=True, slots=True)
class AssetSchedule:
    """An investment in each month of a horizon [USD], [M]; the book value is that at the end of the month."""

    capex: Floats
    depreciation: Floats
    book: Floats
    proceeds: Floats  # of the sale
    gain: Floats  # proceeds less book value at the sale


def asset(item: Asset, months: Months) -> AssetSchedule:
    """Return the schedule of an investment.

    Raises
    ------
    InputError
        It is paid or put in service outside the horizon, or sold before it is in service.

    Notes
    -----
    A straight line begins with the month of service, which counts whole, and ends with the month of the sale. The
    yearly shares of a table are those of calendar years, in equal parts over the months of service of each year. What a
    table gives or withholds in the year of the sale is in the gain of that sale, which is taxed in the same year.
    """
    place = f"capex {item.name}"
    paid, service = (_month(place, key, getattr(item, key), months) for key in ("paid", "in_service"))
    sale = len(months) - 1 if item.sold is None else _month(place, "sold", item.sold, months)
    if sale < service:
        got = item.sold.isoformat() if item.sold else "nothing"
        raise InputError.at(place, "sold", expected=f"a day from in_service ({item.in_service}) on", got=got)
    capex, proceeds, gain = (np.zeros(len(months)) for _ in range(3))
    capex[paid], proceeds[sale] = item.usd, item.residual_usd
    depreciation = _depreciation(item, months, service)
    depreciation[sale + 1 :] = 0.0
    book = np.where(np.arange(len(months)) >= min(paid, service), item.usd, 0.0) - np.cumsum(depreciation)
    gain[sale] = item.residual_usd - book[sale]
    book[sale:] = 0.0
    return AssetSchedule(capex, depreciation, book, proceeds, gain)


def _depreciation(item: Asset, months: Months, service: int) -> Floats:
    """Return the depreciation of each month [USD], [M], as if the investment were never sold."""
    monthly = np.zeros(len(months))
    if item.method == "none":
        return monthly
    rest = item.usd * (1.0 - item.bonus_frac)
    monthly[service] = item.usd * item.bonus_frac
    if item.method == "straight line":
        monthly[service : service + item.life_months] += rest / item.life_months
        return monthly
    year = months.calendar_year
    for number, share in enumerate(MACRS_FRAC[item.method]):
        here = np.flatnonzero((year == item.in_service.year + number) & (np.arange(len(months)) >= service))
        whole = 13 - item.in_service.month if number == 0 else 12  # a horizon may end within the year
        monthly[here] += rest * share / whole
    return monthly


def _month(place: str, key: str, day: date, months: Months) -> int:
    month = months.index(day)
    if month is None:
        days = f"a day of {months.start} to {months.end - timedelta(days=1)}, the horizon"
        raise InputError.at(place, key, expected=days, got=day.isoformat())
    return month
