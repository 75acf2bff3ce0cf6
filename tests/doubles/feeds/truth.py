"""The hourly truth that all generators write: a price of each hour of UTC, to the cent.

Prices are below zero in some hours, at a cap in a few, and differ from hour to hour, so a shift by one hour is seen.
Steps shorter than an hour have the hour's price as their mean. In two hours of three all steps of the hour are alike.
"""

import math
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR_S = 3600


class Step(NamedTuple):
    """One interval and its price."""

    start_s: int  # [s, unix]
    end_s: int  # [s, unix]
    price: float  # [currency/MWh], two decimals


def price(time_s):
    """Return the price of the hour of a time [s, unix]."""
    hour = time_s // HOUR_S
    cents = 3800 + round(2500 * math.sin(2 * math.pi * (hour - 14) / 24)) + hour * 7919 % 997
    cents += 40_000 * (hour * 2_654_435_761 % 997 < 6) - 9000 * (hour * 40_503 % 211 < 6)
    return cents / 100


def steps(start_s, end_s, minutes=60):
    """Yield the steps of some minutes (a divisor of 60) between two whole hours [s, unix]."""
    count, width_s = 60 // minutes, minutes * 60
    for hour_s in range(start_s, end_s, HOUR_S):
        cents = round(100 * price(hour_s))
        slope = 2 if hour_s // HOUR_S % 3 == 0 else 0  # [cents] between neighbours
        for i in range(count):
            first_s = hour_s + i * width_s
            shift = slope * i - slope * (count - 1) // 2
            yield Step(first_s, first_s + width_s, (cents + shift) / 100)


def time_s(zone, *moment):
    """Return the time [s, unix] of a local year, month, day, … of a zone."""
    return round(datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp())


def year(zone, number=2025):
    """Return the first and the last time [s, unix] of a local year."""
    return time_s(zone, number, 1, 1), time_s(zone, number + 1, 1, 1)


def hourly(start_s, end_s):
    """Return the truth as {start of the hour [s, unix]: price}."""
    return {hour_s: price(hour_s) for hour_s in range(start_s, end_s, HOUR_S)}


def local(zone, moment_s):
    """Return a time [s, unix] as a local datetime of a zone."""
    return datetime.fromtimestamp(moment_s, UTC).astimezone(zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone))
