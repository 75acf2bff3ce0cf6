"""What power costs and what giving it up earns, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.hours.power import share_of_hours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.hours.calendar import Calendar

ABSURD_HIGH_USD_PER_MWH = 10_000.0
ABSURD_LOW_USD_PER_MWH = -1_000.0


@dataclass(frozen=True, slots=True)
class Period:
    """Hours that cost a price of their own: local months 1 to 12, weekdays 0 (Monday) to 6, hours [from, to)."""

    usd_per_mwh: float
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    from_hour: int
    to_hour: int


def time_of_use_series(calendar: Calendar, base_usd_per_mwh: float, periods: Sequence[Period]) -> Floats:
    """Price of each hour [USD/MWh]: the base, or that of the last period it falls into (to <= from wraps midnight)."""
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


def coincident_series(calendar: Calendar, usd_per_kw_year: float, starts_s: Sequence[int]) -> Floats:
    """Extra cost [USD/MWh] of the hours on which a yearly charge is set, shared equally among them."""
    extra = np.zeros(calendar.hours)
    for start_s in starts_s:
        extra += share_of_hours(calendar, start_s, 1.0) * (usd_per_kw_year * 1000.0 / len(starts_s))
    return extra


def credit_series(calendar: Calendar, credit_usd_per_mwh: float, events: Sequence[tuple[int, float, float]]) -> Floats:
    """Credit [USD/MWh] for what is not drawn in the hours of curtailment events (start [s], hours, limit [MW])."""
    credit = np.zeros(calendar.hours)
    for start_s, hours, _ in events:
        credit = np.maximum(credit, share_of_hours(calendar, start_s, hours) * credit_usd_per_mwh)
    return credit


def flags(price_usd_per_mwh: Floats, name: str = "price") -> list[str]:
    """Say what is unusual about prices, counted, in words; negative and absurd ones are allowed."""
    found = []
    negative = int((price_usd_per_mwh < 0.0).sum())
    if negative:
        found.append(f"{name} below 0 in {negative} hours, lowest {price_usd_per_mwh.min():,.2f} USD/MWh")
    absurd = int(((price_usd_per_mwh > ABSURD_HIGH_USD_PER_MWH) | (price_usd_per_mwh < ABSURD_LOW_USD_PER_MWH)).sum())
    if absurd:
        low, high = price_usd_per_mwh.min(), price_usd_per_mwh.max()
        farthest = f"highest {high:,.2f}" if high > ABSURD_HIGH_USD_PER_MWH else f"lowest {low:,.2f}"
        found.append(
            f"{name} beyond {ABSURD_LOW_USD_PER_MWH:,.0f} to {ABSURD_HIGH_USD_PER_MWH:,.0f} USD/MWh in {absurd} hours, "
            f"{farthest}; check its unit"
        )
    return found


def above_market(resale_over_spot_usd_per_mwh: Floats) -> list[str]:
    """Say where contracted power is resold for more than the market price: bought there, it would earn without end."""
    hours = int((resale_over_spot_usd_per_mwh > 0.0).sum())
    most = resale_over_spot_usd_per_mwh.max()
    return [f"resale price above the market price in {hours} hours, by up to {most:,.2f} USD/MWh"] if hours else []
