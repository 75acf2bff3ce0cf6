"""Day-ahead prices of OMIE (Spain and Portugal): the daily table of the market, and the daily list of marginal prices.

Periods are counted from midnight in Madrid without regard to the clock: a day has 23, 24 or 25 hours, and since
October 2025 92, 96 or 100 quarters. Files of several days that were joined into one are read too.
"""

from __future__ import annotations

import math
import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sites.feeds.cells import number, whole
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_ZONE = "Europe/Madrid"
_HOUR_S = 3600
_QUARTER_S = 900
_QUARTERS_SINCE = 20_362  # [days since 1970-01-01] 2025-10-01
_PERIOD = re.compile(r"(?P<number>[0-9]{1,2})|H(?P<hour>[0-9]{1,2})Q(?P<quarter>[1-4])")
# OMIE writes Latin-1. In a copy that somebody saved as UTF-8, ñ and é are two characters of Latin-1 each.
_PRICE = re.compile(
    r"Precio marginal en el sistema (espa.{1,2}ol|(?P<pt>portugu.{1,2}s)) \((?P<currency>[A-Z]{3})/MWh\)"
)


class _Day(NamedTuple):
    """A local day."""

    start_s: int  # [s, unix]
    end_s: int  # [s, unix]

    def entry(self, start_s: int, length_s: int, text: str, decimal: str) -> Entry | None:
        """Return the entry of a period from a time after midnight [s]; None for an empty cell after the day's end."""
        value = number(text, "price", decimal)
        begin_s = self.start_s + start_s
        if begin_s + length_s <= self.end_s:
            return Entry(begin_s, begin_s + length_s, value)
        if not math.isnan(value):
            count = (self.end_s - self.start_s) // length_s
            raise CellError("period", expected=f"{count} periods on this date", got=text)
        return None


def _table(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, "%d/%m/%Y")
    day: _Day | None = None
    periods: list[tuple[int, int, int]] = []
    for cells in chain((list(row) for row in rows.before), [list(rows.names)], rows):
        if not cells:
            continue
        price = _PRICE.fullmatch(cells[0].strip())
        if cells[0].startswith("OMIE"):
            day = _day(clock, cells[3] if len(cells) > 3 else "", "the date of the title")
        elif not cells[0]:
            periods = _periods(cells)
        elif price and selection.takes("PT" if price["pt"] else "ES"):
            selection.states_unit(f"{price['currency']}/MWh")
            if day is None:
                raise CellError("title", expected="a line with the date, as OMIE - Mercado de electricidad;…")
            for at, start_s, length_s in periods:
                entry = day.entry(start_s, length_s, cells[at] if at < len(cells) else "", ",")
                if entry:
                    yield entry


def _periods(names: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return the position, the time after midnight [s] and the length [s] of each period of a heading."""
    periods = []
    for at, name in enumerate(names):
        match = _PERIOD.fullmatch(name.strip())
        if match and match["number"]:
            periods.append((at, (int(match["number"]) - 1) * _HOUR_S, _HOUR_S))
        elif match:
            start_s = (int(match["hour"]) - 1) * _HOUR_S + (int(match["quarter"]) - 1) * _QUARTER_S
            periods.append((at, start_s, _QUARTER_S))
    return periods


def _day(clock: WallClock, text: str, column: str) -> _Day:
    day = clock.day(text, column)
    return _Day(clock.unix_s(day, 0, column), clock.unix_s(day + 1, 0, column))


def _list(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, "%Y-%m-%d")
    areas = [(at, area) for at, area in ((4, "PT"), (5, "ES")) if selection.takes(area)]
    cells: list[str] = []
    for cells in rows:
        if cells[0] in {"*", "MARGINALPDBC"}:
            continue
        if len(cells) < 6:
            raise CellError(
                "row", expected="year;month;day;period;price in Portugal;price in Spain", got=";".join(cells)
            )
        date = "-".join(cells[:3])
        day = _day(clock, date, "date")
        length_s = _QUARTER_S if clock.day(date, "date") >= _QUARTERS_SINCE else _HOUR_S
        start_s = (whole(cells[3], "period", 1, 100) - 1) * length_s
        for at, _ in areas:
            entry = day.entry(start_s, length_s, cells[at], ".")
            if entry:
                yield entry
    if cells and cells[0] != "*":
        raise CellError("row", expected="* at the end of the file", got=";".join(cells))


LAYOUTS = (
    Layout(
        name="omie",
        title="OMIE day-ahead market, daily table (INT_PBC_EV_H_1)",
        quantity="price",
        unit="",
        timezone=_ZONE,
        label="start and end",
        repeated_hour="periods are counted from midnight, to 25 hours or 100 quarters",
        choices=("area",),
        headings=(
            Heading(
                (Column("price", ("",)), Column("period", pattern=_PERIOD)),
                separator=";",
                ragged=True,
                decimal=",",
            ),
        ),
        read=_table,
        encoding="latin-1",
    ),
    Layout(
        name="omie-marginal",
        title="OMIE day-ahead marginal prices, daily list (marginalpdbc)",
        quantity="price",
        unit="EUR/MWh",
        timezone=_ZONE,
        label="start and end",
        repeated_hour="periods are counted from midnight, to 25 hours or 100 quarters",
        choices=("area",),
        headings=(Heading((Column("title", ("MARGINALPDBC",)),), separator=";", ragged=True),),
        read=_list,
        encoding="latin-1",
    ),
)
