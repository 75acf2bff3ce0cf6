"""Wholesale prices of SMARD (Germany's Federal Network Agency): one column for each area, in German local time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.europe.periods import CENTRAL_EUROPE, LocalPeriods, length_s
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_PRICE = Column("price", pattern=re.compile(r"(?P<area>.+) \[€/MWh\]( .+)?"))
_ENGLISH = "Start date"


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    prices = [column for column in rows.variables("price") if selection.takes(column.match["area"])]
    decimal = "." if rows.name("start") == _ENGLISH else ","
    periods = LocalPeriods("%d.%m.%Y", "%b %d, %Y")
    column = rows.name("start")
    for cells in rows:
        (day, time_s), end_s = _labels(cells, rows, periods)
        values = [number(cells[price.at], rows.names[price.at], decimal) for price in prices]
        if all(periods.is_empty_gap(day, time_s, value) for value in values):
            continue
        start_s = periods.start_s("", day, time_s, column)
        stop_s = start_s + length_s(day * DAY_S + time_s, end_s, rows.name("end"))
        for value in values:
            yield Entry(start_s, stop_s, value)


def _labels(cells: list[str], rows: Rows, periods: LocalPeriods) -> tuple[tuple[int, int], int]:
    """Return the day and the time of day [s] of the start, and the end [s, local]."""
    clock = periods.clock
    start, end = cells[rows.at("start")].strip(), cells[rows.at("end")].strip()
    if not rows.has("date"):
        day, time_s = _stamp(start, rows.name("start"), periods)
        end_day, end_time_s = _stamp(end, rows.name("end"), periods)
        return (day, time_s), end_day * DAY_S + end_time_s
    day, time_s = clock.day(cells[rows.at("date")], rows.name("date")), clock.time_s(start, rows.name("start"))
    end_time_s = clock.time_s(end, rows.name("end")) or DAY_S  # the last period of a day ends at 00:00
    return (day, time_s), day * DAY_S + end_time_s


def _stamp(text: str, column: str, periods: LocalPeriods) -> tuple[int, int]:
    """Return the day and the time of day [s] of `01.09.2026 00:15` or `Sep 1, 2026 12:15 AM`."""
    match = _STAMP.fullmatch(text)
    if not match:
        raise CellError(column, expected="DD.MM.YYYY HH:MM", got=text)
    return periods.clock.day(match["date"], column), periods.clock.time_s(match["time"], column)


_STAMP = re.compile(r"(?P<date>[0-9]{2}\.[0-9]{2}\.[0-9]{4}|[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4}) (?P<time>[0-9].*)")

LAYOUTS = (
    Layout(
        name="smard",
        title="SMARD wholesale prices",
        quantity="price",
        unit="EUR/MWh",
        timezone=CENTRAL_EUROPE,
        label="start and end",
        repeated_hour="the second one in the file is winter time",
        choices=("area",),
        headings=(
            Heading(
                (Column("start", ("Datum von",)), Column("end", ("Datum bis",)), _PRICE),
                separator=";",
                decimal=",",
            ),
            Heading(
                (Column("date", ("Datum",)), Column("start", ("Anfang",)), Column("end", ("Ende",)), _PRICE),
                separator=";",
                decimal=",",
            ),
            Heading((Column("start", (_ENGLISH,)), Column("end", ("End date",)), _PRICE), separator=";"),
        ),
        read=_read,
    ),
)
