"""NYISO: zonal and generator prices (LBMP), hourly and real-time.

A day-ahead or an hourly real-time file writes the local start of the hour without seconds. The real-time file writes
the local end of the interval with seconds. Nothing but the order of the rows tells the two hours of autumn apart.
Real-time dispatch sometimes runs between two regular times, and these intervals are shorter.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sites.feeds.cells import number
from sites.feeds.lengths import Moment, from_ends
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import FileOrder, WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_HOUR_S = 3600
_LATEST_S = 300  # a file of one time holds the latest interval
_ZONE = "America/New_York"


class _Form(NamedTuple):
    """A form of the times of a file."""

    market: str
    colons: int  # in a time
    example: str


_HOURLY = _Form("hourly", 1, "MM/DD/YYYY HH:MM")
_REAL_TIME = _Form("real-time", 2, "MM/DD/YYYY HH:MM:SS")


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    lines = iter(rows)
    first = next(lines, None)
    if first is None:
        return
    form = _REAL_TIME if first[rows.at("time")].count(":") == _REAL_TIME.colons else _HOURLY
    moments = _moments(rows, chain([first], lines), selection, form)
    if form is _REAL_TIME:
        yield from from_ends(moments, selection, rows.name("time"), lone_s=_LATEST_S)
    else:
        for start_s, price, _ in moments:
            yield Entry(start_s, start_s + _HOUR_S, price)


def _moments(rows: Rows, lines: Iterator[list[str]], selection: Selection, form: _Form) -> Iterator[Moment]:
    clock = WallClock(_ZONE, "%m/%d/%Y")
    order = FileOrder(clock)
    time, point, price = rows.at("time"), rows.at("point"), rows.at("price")
    time_name, price_name = rows.name("time"), rows.name("price")
    for cells in lines:
        if selection.takes(cells[point], form.market):
            text = cells[time].strip()
            if text.count(":") != form.colons:
                raise CellError(time_name, expected=f"a time as {form.example}, as in the first row", got=text)
            day, _, time_of_day = text.partition(" ")
            local = clock.day(day, time_name), clock.time_s(time_of_day, time_name)
            yield Moment(order.unix_s(cells[point], *local, time_name), number(cells[price], price_name))


LAYOUTS = (
    Layout(
        name="nyiso",
        title="NYISO prices (LBMP), real-time or hourly (which does not say day-ahead or real-time)",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="start (real-time: the end)",
        repeated_hour="the second one in the file is standard time",
        choices=("point", "market"),
        headings=(
            Heading(
                (
                    Column("time", ("Time Stamp",)),
                    Column("point", ("Name",)),
                    Column("id", ("PTID",), needed=False),
                    Column("price", ("LBMP ($/MWHr)",)),
                    Column("losses", ("Marginal Cost Losses ($/MWHr)",), needed=False),
                    Column("congestion", ("Marginal Cost Congestion ($/MWHr)",), needed=False),
                )
            ),
        ),
        read=_read,
    ),
)
