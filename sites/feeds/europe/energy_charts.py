"""Day-ahead prices of Energy-Charts (Fraunhofer ISE): a second row with units, and times of the start only.

An hour whose rows stand at quarters has quarters, and so have all hours after it: the market went from hours to
quarters, and a quarter that is absent is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.europe.periods import CENTRAL_EUROPE, HOUR_S, LocalPeriods
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows, Variable
    from sites.feeds.selection import Selection

_UTC = ("Datum (UTC)", "Date (UTC)")
_LOCAL = ("Datum (MEZ)", "Datum (GMT+1)", "Date (CET)", "Date (GMT+1)")
_LENGTHS_S = (3600, 1800, 900)
_NAIVE = re.compile(r"(?P<date>[0-9]{2}\.[0-9]{2}\.[0-9]{4}) (?P<time>[0-9]{2}:[0-9]{2})")


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    prices = [column for column in rows.variables("price") if selection.takes(column.match["area"])]
    times = _Times(rows)
    hour: list[tuple[int, list[float]]] = []
    finest_s = HOUR_S
    for cells in rows:
        if not cells[times.at].strip():
            _check_units(cells, prices)
            continue
        start_s = times.start_s(cells[times.at])
        if hour and hour[0][0] // HOUR_S != start_s // HOUR_S:
            finest_s = _length_s(hour, finest_s, times.column)
            yield from _entries(hour, finest_s)
            hour.clear()
        hour.append((start_s, [number(cells[price.at], rows.names[price.at]) for price in prices]))
    if hour:
        yield from _entries(hour, _length_s(hour, finest_s, times.column))


class _Times:
    """The times of a file: with an offset, in UTC, or in German local time."""

    def __init__(self, rows: Rows) -> None:
        self.at, self.column = rows.at("time"), rows.name("time")
        self._periods = LocalPeriods("%d.%m.%Y")

    def start_s(self, text: str) -> int:
        """Return a time [s, unix]."""
        match = _NAIVE.fullmatch(text.strip())
        if not match:
            return iso_unix_s(text, self.column)
        clock = self._periods.clock
        day, time_s = clock.day(match["date"], self.column), clock.time_s(match["time"], self.column)
        if self.column in _UTC:
            return day * DAY_S + time_s
        return self._periods.start_s("", day, time_s, self.column)


def _check_units(cells: list[str], prices: list[Variable]) -> None:
    for price in prices:
        unit = cells[price.at]
        if "EUR/MWh" not in unit:
            raise CellError(price.match[0], expected="a price in EUR/MWh by the row of units", got=unit)


def _length_s(hour: list[tuple[int, list[float]]], finest_s: int, column: str) -> int:
    """Return the length [s] of the periods of an hour, by the minutes at which its rows stand."""
    for length_s in _LENGTHS_S:
        if length_s <= finest_s and all(start_s % length_s == 0 for start_s, _ in hour):
            return length_s
    raise CellError(column, expected="times at whole quarters of an hour", got=hour[-1][0] % HOUR_S // 60)


def _entries(hour: list[tuple[int, list[float]]], length_s: int) -> Iterator[Entry]:
    for start_s, values in hour:
        for value in values:
            yield Entry(start_s, start_s + length_s, value)


_PRICE = Column("price", pattern=re.compile(r"Day Ahead Au(ktion|ction) \((?P<area>[^)]+)\)"))
_OTHERS = Column("others", pattern=re.compile(r".+"), needed=False)  # generation, other prices: they are not read

LAYOUTS = (
    Layout(
        name="energy-charts",
        title="Energy-Charts day-ahead auction",
        quantity="price",
        unit="EUR/MWh",
        timezone=CENTRAL_EUROPE,
        label="start",
        repeated_hour="times have an offset; where they do not, the second one in the file is winter time",
        choices=("area",),
        headings=tuple(
            Heading((Column("time", (*_LOCAL, *_UTC)), _PRICE, _OTHERS), separator=separator) for separator in ",;"
        ),
        read=_read,
    ),
)
