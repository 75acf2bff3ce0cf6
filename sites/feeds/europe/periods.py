"""Periods of the European day-ahead market in local time, which are at most an hour long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sites.feeds.model import CellError
from sites.feeds.wall_time import DAY_S, FileOrder, WallClock

if TYPE_CHECKING:
    from collections.abc import Hashable

CENTRAL_EUROPE = "Europe/Brussels"
HOUR_S = 3600


class LocalPeriods:
    """The periods of a file in Central European time.

    Parameters
    ----------
    forms
        The forms of its dates, as for `WallClock`.
    """

    def __init__(self, *forms: str) -> None:
        self.clock = WallClock(CENTRAL_EUROPE, *forms)
        self._order = FileOrder(self.clock)

    def start_s(self, series: Hashable, day: int, time_s: int, column: str, mark: str | None = None) -> int:
        """Return the start [s, unix] of a period.

        Parameters
        ----------
        series
            What the row belongs to, such as its area.
        day, time_s
            Days since 1970-01-01, and seconds [s] from midnight by the clock.
        column
            Name of the column, for errors.
        mark
            CET or CEST where the file says it of this time.

        Raises
        ------
        CellError
            The clock skips the time, does not have the mark then, or the rows go back in time.
        """
        if mark is None:
            return self._order.unix_s(series, day, time_s, column)
        at_s = day * DAY_S + time_s - (HOUR_S if mark == "CET" else 2 * HOUR_S)
        if at_s not in self.clock.both_s(day, time_s, column):
            other = "CEST" if mark == "CET" else "CET"
            raise CellError(column, expected=f"{other} at this time of the year", got=mark)
        return at_s

    def is_empty_gap(self, day: int, time_s: int, value: float) -> bool:
        """Return whether a row is the hour that spring skips, which some exports write without a value."""
        return math.isnan(value) and self.clock.skips(day, time_s)


def length_s(start_s: int, end_s: int, column: str) -> int:
    """Return the length [s] of a period from the labels of its start and its end [s, local].

    Around a clock change the labels are an hour further or nearer than the period is long: exports write 02:45 to 02:00
    and 01:00 to 03:00. No period is longer than an hour, so the rest of an hour is right.

    Raises
    ------
    CellError
        The labels fit no period of at most an hour.
    """
    between_s = end_s - start_s
    if not -HOUR_S < between_s <= 2 * HOUR_S:
        raise CellError(column, expected="a period of at most an hour", got=f"{between_s} s")
    return between_s % HOUR_S or HOUR_S
