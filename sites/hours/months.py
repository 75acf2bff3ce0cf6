"""The local calendar months of a horizon: their days, and the time in years at any of them.

There is one convention of years for money: a year runs from one anniversary of the start to the next, and within it
real days count, 365 or 366. Every anniversary is thus a whole number of years, which 8,766 hours or 365 days are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.hours.calendar import anniversary

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers

DAY = timedelta(days=1)
MONTHS_PER_YEAR = 12


def years_between(start: date, day: date) -> float:
    """Return the time between two days in years: whole ones to the last anniversary, and real days after it."""
    whole = day.year - start.year
    if anniversary(start, whole) > day:
        whole -= 1
    last, following = anniversary(start, whole), anniversary(start, whole + 1)
    return whole + (day - last).days / (following - last).days


def whole_years(start: date, day: date) -> int:
    """Return the number of anniversaries of a day that have passed on another; negative before it."""
    whole = day.year - start.year
    return whole - 1 if anniversary(start, whole) > day else whole


@dataclass(frozen=True, slots=True)
class Months:
    """The M local months of a horizon; the first and the last may be parts of months."""

    start: date  # first day
    end: date  # the day after the last one
    firsts: tuple[date, ...]  # first day of each month within the horizon
    ends: tuple[date, ...]  # the day after the last one of each month

    @classmethod
    def of(cls, start: date, years: int) -> Months:
        """Return the months of a number of years from a day on.

        Raises
        ------
        InputError
            The number of years is below 1.
        """
        if years < 1:
            raise InputError.at("horizon", "years", expected="a whole number of 1 or more", got=years)
        return cls.between(start, anniversary(start, years))

    @classmethod
    def between(cls, start: date, end: date) -> Months:
        """Return the months from a day to the day before another."""
        edges = [start]
        while edges[-1] < end:
            edges.append(min(_following(edges[-1]), end))
        return cls(start, end, tuple(edges[:-1]), tuple(edges[1:]))

    def __len__(self) -> int:
        """Return M, the number of months."""
        return len(self.firsts)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each month, YYYY-MM."""
        return tuple(f"{first:%Y-%m}" for first in self.firsts)

    @property
    def days(self) -> Integers:
        """Days of each month within the horizon, [M]."""
        return np.array([(end - first).days for first, end in zip(self.firsts, self.ends, strict=True)])

    @property
    def calendar_days(self) -> Integers:
        """Days of each whole calendar month, [M]."""
        return np.array([(_following(first) - first.replace(day=1)).days for first in self.firsts])

    @property
    def end_years(self) -> Floats:
        """Time from the start to the end of each month, when its payments fall due [years], [M]."""
        return np.array([years_between(self.start, end) for end in self.ends])

    @property
    def calendar_year(self) -> Integers:
        """Calendar year of each month, [M]."""
        return np.array([first.year for first in self.firsts])

    def index(self, day: date) -> int | None:
        """Return the month that holds a day; None for a day outside the horizon."""
        if not self.start <= day < self.end:
            return None
        return (day.year - self.start.year) * MONTHS_PER_YEAR + day.month - self.start.month

    def in_force(self, start: date | None = None, end: date | None = None) -> Floats:
        """Return the share of each calendar month's real days in which a contract is in force, [M].

        Parameters
        ----------
        start
            First day of the contract; that of the horizon if None.
        end
            Last day of the contract, included; the last of the horizon if None.
        """
        first = max(start or self.start, self.start)
        after = min(end + DAY if end else self.end, self.end)
        days = [
            max((min(until, after) - max(begin, first)).days, 0)
            for begin, until in zip(self.firsts, self.ends, strict=True)
        ]
        return np.array(days) / self.calendar_days

    def anniversaries(self, start: date) -> Integers:
        """Return the anniversaries of a contract's first day that have passed at the first of each month, [M].

        An anniversary within a month counts from the next month on. A contract that begins within a month has none.
        """
        return np.array([max(whole_years(start, first), 0) for first in self.firsts])


def _following(day: date) -> date:
    """Return the first of the month after that of a day."""
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month, MONTHS_PER_YEAR)
    return date(year, month + 1, 1)
