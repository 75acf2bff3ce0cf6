"""The calendar of a site's year: hours from local midnight on, with local hour, month and billing month.

The hours are those of the local clock. In a zone such as Asia/Kolkata (UTC+5:30) they begin at half past in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers

HOUR_S = 3600
WEEK_HOURS = 168
MEAN_YEAR_HOURS = 8766.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """The T steps of one local year and its M billing months; a step is an hour, or shorter for a native dispatch."""

    start_s: int  # [s, unix] start of the first step
    hours: int  # 8760 or 8784
    how: Integers  # [T] local hour of the week; 0 is the first of Monday
    hour: Integers  # [T] local hour of the day
    month: Integers  # [T] local calendar month, 0 to 11
    billing: Integers  # [T] billing month, counted from the first
    billed_frac: Floats  # [M] share of the month's hours within the year; below 1 only for a year starting mid-month
    utc_month: Integers  # [T] UTC calendar month of the start of the hour, 0 to 11
    day_of_year: Integers  # [T] local, from 0
    step_s: int = HOUR_S  # [s] length of a step, which divides the hour

    @property
    def steps(self) -> int:
        """Number of steps, T."""
        return self.hours * (HOUR_S // self.step_s)

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step_s / HOUR_S

    def hours_where(self, mask: NDArray[np.bool_]) -> float:
        """Return the hours [h] of the steps in a mask, [T]."""
        return float(mask.sum()) * self.step_h


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raise InputError with similar names for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = near_names(name, available_timezones())
        raise InputError.at("timezone", expected="an IANA time zone", got=name, near=near) from None


def first_hour_s(start: date, timezone: str) -> int:
    """Return the start [s, unix] of the first hour of a local day."""
    return int(datetime(start.year, start.month, start.day, tzinfo=zone(timezone)).timestamp())


def anniversary(start: date, years: int) -> date:
    """Return the day a number of years after a day; 1 March where a 29 February has none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


@lru_cache(maxsize=256)
def local_year(start: date, timezone: str, step_s: int = HOUR_S) -> Calendar:
    """Return the calendar of the local year that begins on a day: 8760 hours, or 8784 with a 29 February.

    Parameters
    ----------
    start, timezone
        First local day, and IANA name of the zone.
    step_s
        Length of a step [s], which divides the hour.
    """
    days = (anniversary(start, 1) - start).days
    return _calendar(start, first_hour_s(start, timezone), days * 24, zone(timezone), step_s)


@lru_cache(maxsize=256)
def year_of_horizon(start: date, timezone: str, year: int) -> Calendar:
    """Return the calendar of a year of a horizon, whose end is the start of the following one.

    Where the clock changes between the anniversaries do not cancel, the year has an hour more or less than local_year.

    Parameters
    ----------
    start, timezone
        First local day of the horizon, and IANA name of the zone.
    year
        Number of the year, from 0.
    """
    begin_s, end_s = (first_hour_s(anniversary(start, after), timezone) for after in (year, year + 1))
    return _calendar(anniversary(start, year), begin_s, (end_s - begin_s) // HOUR_S, zone(timezone), HOUR_S)


def _calendar(start: date, begin: int, hours: int, tz: ZoneInfo, step_s: int) -> Calendar:
    each = HOUR_S // step_s
    utc_s = begin + step_s * np.arange(hours * each, dtype=np.int64)
    local_s = utc_s + np.repeat(_offsets_s(begin, hours, tz), each)
    days = local_s // 86_400
    local = (days.astype("datetime64[D]")).astype("datetime64[M]").astype(np.int64)
    utc = (utc_s // 86_400).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    billing = local - local[0]
    hour = local_s % 86_400 // HOUR_S
    # The last local hour can fall into the next month if the clock changes of the year do not cancel.
    billing = np.minimum(billing, 11 if start.day == 1 else 12)
    return Calendar(
        start_s=begin,
        hours=hours,
        how=(days + 3) % 7 * 24 + hour,
        hour=hour,
        month=local % 12,
        billing=billing,
        billed_frac=_billed_frac(billing, local, each, whole=start.day == 1),
        utc_month=utc % 12,
        day_of_year=days - days[0],
        step_s=step_s,
    )


def _billed_frac(billing: Integers, local: Integers, each: int, *, whole: bool) -> Floats:
    """Return the share of each billing month's hours within the year, for `each` steps an hour.

    `whole` says that the year starts on the 1st.
    """
    share = np.ones(int(billing[-1]) + 1)
    if not whole:
        for month, at in ((0, 0), (share.size - 1, -1)):
            first, following = (np.datetime64(int(local[at]) + more, "M").astype("datetime64[D]") for more in (0, 1))
            days = int((following - first).astype(np.int64))
            share[month] = min((billing == month).sum() / (24 * each * days), 1.0)
    return share


def _offsets_s(begin_s: int, hours: int, tz: ZoneInfo) -> Integers:
    """Return the offset of local time from UTC [s] in each hour."""

    def offset(at_s: int) -> int:
        shift = datetime.fromtimestamp(at_s, tz=tz).utcoffset()
        return int((shift or timedelta(0)).total_seconds())

    offsets = np.empty(hours, np.int64)
    for first in range(0, hours, 24):
        last = min(first + 24, hours)
        low, high = offset(begin_s + HOUR_S * first), offset(begin_s + HOUR_S * (last - 1))
        if low == high:
            offsets[first:last] = low
        else:
            offsets[first:last] = [offset(begin_s + HOUR_S * hour) for hour in range(first, last)]
    return offsets


def utc_text(at_s: int) -> str:
    """Return the ISO text of an hour [s, unix]: 2026-03-08T07:00Z."""
    return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")


def local_text(at_s: int, timezone: ZoneInfo) -> str:
    """Return the ISO text of an hour [s, unix] in local time: 2026-03-08T03:00:00-04:00."""
    return datetime.fromtimestamp(at_s, tz=timezone).isoformat()


def unix_s(when: datetime | date) -> int:
    """Return the seconds [s, unix] of a date or time, which is UTC unless it has an offset."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 (made UTC on the next line)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
