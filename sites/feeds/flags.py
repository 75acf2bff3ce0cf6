"""What in a series deserves a second look, although every value of it is legal: a flag is no error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import shown
from sites.feeds.wall_time import DAY_S, zone_of
from sites.hours.calendar import HOUR_S, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from sites.feeds.intervals import Ordered
    from sites.feeds.read import Feed


def flags(feed: Feed) -> tuple[str, ...]:
    """Return the flags of a series, one sentence each.

    References
    ----------
    .. [1] EnergieID/entsoe-py, issue 468: zeros in place of an hour of 2025-10-26, the next one shifted.
    """
    return (*_files_without(feed), *_zeros(feed))


def _files_without(feed: Feed) -> Iterator[str]:
    if feed.without:
        chosen = ", ".join(feed.chosen.values()) or "the series"
        yield (
            f"{len(feed.without)} of {feed.files} files have no row of {shown(chosen)}; the first is "
            f"{shown(feed.without[0])}."
        )


def _zeros(feed: Feed) -> tuple[str, ...]:
    timezone = feed.layout.market_timezone or feed.layout.timezone
    if feed.layout.quantity != "price" or "/" not in timezone:  # UTC, or times with offsets of their own
        return ()
    return tuple(
        f"The prices from {utc_text(start_s)} to {utc_text(end_s)} are exactly 0, at a change of the clock in "
        f"{timezone}: compare that day with another source, because platforms have served zeros and a shifted hour."
        for start_s, end_s in zeros_at_clock_change(feed.intervals, timezone)
    )


def zeros_at_clock_change(intervals: Ordered, timezone: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end [s, unix] of runs of exact zeros that reach within an hour of a clock change.

    Parameters
    ----------
    intervals
        The series.
    timezone
        IANA name, or a fixed offset, whose clock does not change.
    """
    if not intervals.values.size:
        return
    first_s, last_s = int(intervals.start_s[0]), int(intervals.end_s[-1])
    for change_s in clock_changes(first_s, last_s, zone_of(timezone)):
        near = (intervals.end_s > change_s - HOUR_S) & (intervals.start_s < change_s + HOUR_S)
        zeros = np.flatnonzero(near & (intervals.values == 0))
        if int((intervals.end_s[zeros] - intervals.start_s[zeros]).sum()) >= HOUR_S:
            yield int(intervals.start_s[zeros[0]]), int(intervals.end_s[zeros[-1]])


def clock_changes(first_s: int, last_s: int, zone: tzinfo) -> Iterator[int]:
    """Yield the times [s, unix] at which a clock changes, from a day before the first to a day after the last one."""

    def offset(at_s: int) -> object:
        return datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()

    for day_s in range(first_s - DAY_S, last_s + DAY_S, DAY_S):
        before_s, after_s = day_s, day_s + DAY_S
        if offset(before_s) == offset(after_s):
            continue
        while after_s - before_s > 1:
            middle_s = (before_s + after_s) // 2
            if offset(middle_s) == offset(before_s):
                before_s = middle_s
            else:
                after_s = middle_s
        yield after_s
