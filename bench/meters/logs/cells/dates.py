"""Dates in numbers: the order of day, month and year is decided over the whole column."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from hardware_profiles.errors import InputError

_MONTHS = {
    name: i
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_NUMERIC = re.compile(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d\d)")
_POINTS = re.compile(r"\d+\.\d+\.\d{4}")
Order = tuple[int, int, int]  # the positions of year, month and day among three numbers
ORDERS: dict[str, Order] = {"month/day/year": (2, 0, 1), "day/month/year": (2, 1, 0), "year/month/day": (0, 1, 2)}
_PAIRS = tuple(combinations(ORDERS, 2))


@lru_cache(maxsize=1024)
def date_of(text: str, order: tuple[int, int, int]) -> datetime:
    """Return a date; `order` has the positions of year, month and day among three numbers."""
    if name := re.search(r"[a-z]{3,}", text, re.IGNORECASE):
        month = _MONTHS[name[0][:3].lower()]
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        day, year = sorted(numbers) if max(numbers) > 31 else numbers
    else:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        year, month, day = numbers if numbers[0] > 999 else (numbers[i] for i in order)
    return datetime(year + 2000 if year < 100 else year, month, day)  # noqa: DTZ001 (the zone is added later)


class Dates:
    """What the dates of a column show of the order of their numbers."""

    def __init__(self) -> None:
        self._first = ""  # the first of the dates as text, empty without one
        self._have_points = True  # whether all are written with points and a year of four digits
        self._possible = dict.fromkeys(ORDERS, True)
        self._differ = dict.fromkeys(_PAIRS, False)  # whether two orders make different days of one of them
        self._last: set[str] = set()

    def add(self, cells: Iterable[str]) -> bool:
        """Add the dates of more cells; return whether there are any."""
        dates = {match[0] for cell in cells if (match := _NUMERIC.match(cell))}
        for date in dates - self._last:
            self._add(date)
        self._last = dates
        return bool(dates)

    def _add(self, date: str) -> None:
        self._first = min(self._first or date, date)
        self._have_points &= _POINTS.fullmatch(date) is not None
        days: dict[str, datetime | None] = {}
        for name, order in ORDERS.items():
            try:
                days[name] = date_of(date, order)
            except ValueError:
                days[name] = None
                self._possible[name] = False
        if len(re.split(r"[-/.]", date)[2]) == 4:
            self._possible["year/month/day"] = False
        for pair in _PAIRS:
            self._differ[pair] |= days[pair[0]] != days[pair[1]]

    def order(self, path: Path) -> Order:
        """Return the positions of year, month and day in the dates.

        Raises
        ------
        InputError
            They do not show which number is the day.
        """
        if not self._first:
            return ORDERS["year/month/day"]
        possible = [name for name, is_possible in self._possible.items() if is_possible]
        if any(self._differ[pair] for pair in _PAIRS if set(pair) <= set(possible)):
            if self._have_points and "day/month/year" in possible:
                return ORDERS["day/month/year"]  # dates with points are written day first
            expected = "dates that show which number is the day (or time_format=%d/%m/%Y %H:%M:%S, %m/%d/%Y %H:%M:%S …)"
            raise InputError.at(path, "time", expected=expected, got=self._first)
        return ORDERS[next(iter(possible), "day/month/year")]
