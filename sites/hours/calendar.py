"""Hours of a site's year: UTC and start-labelled, with the local hour of the week and the billing month of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers

HOUR_S = 3600
WEEK_HOURS = 168
MEAN_YEAR_HOURS = 8766.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours of one local year.

    start_s: [s, unix] of the first hour. hours: 8760 or 8784. how: [T] local hour of the week, 0 is Monday's first.
    hour: [T] local hour of the day. month: [T] local calendar month, 0 to 11. billing: [T] months counted from the
    first; billed_frac: [M] the share of each one's hours that the year holds, below 1 at both ends of a year that
    begins within a month. utc_month: [T] UTC calendar month, 0 to 11. day_of_year: [T] local, from 0.
    """

    start_s: int
    hours: int
    how: Integers
    hour: Integers
    month: Integers
    billing: Integers
    billed_frac: Floats
    utc_month: Integers
    day_of_year: Integers


def zone(name: str) -> ZoneInfo:
    """Time zone of an IANA name. Raises InputError with near names for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = near_names(name, available_timezones())
        raise InputError.at("timezone", expected="an IANA time zone", got=name, near=near) from None


def first_hour_s(start: date, timezone: str) -> int:
    """First whole UTC hour [s, unix] at or after local midnight of a day."""
    midnight = datetime(start.year, start.month, start.day, tzinfo=zone(timezone))
    return -(-int(midnight.timestamp()) // HOUR_S) * HOUR_S


@lru_cache(maxsize=256)
def local_year(start: date, timezone: str) -> Calendar:
    """Calendar of the local year that begins on a day: 8760 hours, or 8784 when it holds a 29 February."""
    tz = zone(timezone)
    begin = first_hour_s(start, timezone)
    try:
        following = start.replace(year=start.year + 1)
    except ValueError:  # begins on 29 February
        following = date(start.year + 1, 3, 1)
    hours = (following - start).days * 24
    local_s = begin + HOUR_S * np.arange(hours, dtype=np.int64) + _offsets_s(begin, hours, tz)
    days = local_s // 86_400
    local = (days.astype("datetime64[D]")).astype("datetime64[M]").astype(np.int64)
    utc = (
        ((begin + HOUR_S * np.arange(hours)) // 86_400).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    )
    billing = local - local[0]
    hour = local_s % 86_400 // HOUR_S
    # The last local hour can spill into the next month's first where the year's clock changes do not cancel.
    billing = np.minimum(billing, 11 if start.day == 1 else 12)
    return Calendar(
        start_s=begin,
        hours=hours,
        how=(days + 3) % 7 * 24 + hour,
        hour=hour,
        month=local % 12,
        billing=billing,
        billed_frac=_billed_frac(billing, local, whole=start.day == 1),
        utc_month=utc % 12,
        day_of_year=days - days[0],
    )


def _billed_frac(billing: Integers, local: Integers, *, whole: bool) -> Floats:
    share = np.ones(int(billing[-1]) + 1)
    if not whole:
        for month, at in ((0, 0), (share.size - 1, -1)):
            first, following = (np.datetime64(int(local[at]) + more, "M").astype("datetime64[D]") for more in (0, 1))
            days = int((following - first).astype(np.int64))
            share[month] = min((billing == month).sum() / (24 * days), 1.0)
    return share


def _offsets_s(begin_s: int, hours: int, tz: ZoneInfo) -> Integers:
    def offset(at_s: int) -> int:
        shift = datetime.fromtimestamp(at_s, tz=tz).utcoffset()
        return int((shift or timedelta(0)).total_seconds())

    found = np.empty(hours, np.int64)
    for first in range(0, hours, 24):
        last = min(first + 24, hours)
        low, high = offset(begin_s + HOUR_S * first), offset(begin_s + HOUR_S * (last - 1))
        if low == high:
            found[first:last] = low
        else:
            found[first:last] = [offset(begin_s + HOUR_S * hour) for hour in range(first, last)]
    return found


def utc_text(at_s: int) -> str:
    """ISO text of an hour [s, unix], as it is shown: 2026-03-08T07:00Z."""
    return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")


def unix_s(when: datetime | date) -> int:
    """Seconds [unix] of a date or time; what has no offset is UTC."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 (made UTC on the next line)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
