"""Ember's hourly wholesale prices of European countries (CC BY 4.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.europe.periods import CENTRAL_EUROPE
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_HOUR_S = 3600
_UTC = "Datetime (UTC)"


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock("UTC", "%Y-%m-%d")
    country, time, price = (rows.at(key) for key in ("country", "time", "price"))
    name = rows.name("price")
    for cells in rows:
        if not selection.takes(cells[country]):
            continue
        date, _, clock_time = cells[time].strip().partition(" ")
        start_s = clock.day(date, _UTC) * DAY_S + clock.time_s(clock_time, _UTC)
        if start_s % _HOUR_S:
            raise CellError(_UTC, expected="the start of a whole hour", got=cells[time])
        yield Entry(start_s, start_s + _HOUR_S, number(cells[price], name))


LAYOUTS = (
    Layout(
        name="ember",
        title="Ember hourly wholesale prices",
        quantity="price",
        unit="EUR/MWh",  # written EUR/MWhe: electric energy
        timezone="UTC",
        market_timezone=CENTRAL_EUROPE,
        label="start",
        repeated_hour="no repeated hour: UTC",
        choices=("country",),
        headings=(
            Heading(
                (
                    Column("country", ("Country",)),
                    Column("code", ("ISO3 Code",)),
                    Column("time", (_UTC,)),
                    Column("local", ("Datetime (Local)",), needed=False),
                    Column("price", ("Price (EUR/MWhe)",)),
                )
            ),
        ),
        read=_read,
    ),
)
