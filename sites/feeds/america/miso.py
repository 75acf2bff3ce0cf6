"""MISO: prices (LMP) of a day in 24 columns, the archives of many days, and final five-minute prices.

MISO keeps Eastern Standard Time all year, so every day has 24 hours. The ex-post, the ex-ante and the real-time file
have the same columns; only the title above them differs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.lengths import Moment, from_starts
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_ZONE = "UTC-05:00"
_HOUR_S = 3600
_HOURS = re.compile(r"HE ?(1?[0-9]|2[0-4])")
_DATE = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}")
_PRODUCTS = (("expost", "da-expost"), ("exante", "da-exante"), ("realtime", "rt"))


def _read_day(rows: Rows, selection: Selection) -> Iterator[Entry]:
    cells_above = [cell.strip() for row in rows.before for cell in row if cell.strip()]
    if not any("Eastern Standard Time" in cell for cell in cells_above):
        raise CellError("the lines above the heading", expected="the note on Eastern Standard Time (EST)")
    date = next((cell for cell in cells_above if _DATE.fullmatch(cell)), "")
    day = WallClock(_ZONE, "%m/%d/%Y").day(date, "the date above the heading")
    product = _product(cells_above[0])
    node, kind = rows.at("node"), rows.at("value")
    for cells in rows:
        if selection.takes(cells[node], cells[kind], product):
            yield from _hours(rows, cells, day)


def _product(title: str) -> str:
    letters = re.sub(r"[^a-z]", "", title.casefold())
    for mark, product in _PRODUCTS:
        if mark in letters:
            return product
    raise CellError(
        "the title", expected="Day Ahead Market ExPost LMPs, ExAnte LMPs or Realtime Market LMPs", got=title
    )


def _hours(rows: Rows, cells: list[str], day: int) -> Iterator[Entry]:
    midnight_s = day * 86_400 + 5 * _HOUR_S
    for at, match in rows.variables("hour"):
        end_s = midnight_s + int(match[1]) * _HOUR_S
        yield Entry(end_s - _HOUR_S, end_s, number(cells[at], match[0]))


def _read_archive(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, "%m/%d/%Y")
    date, node, kind = rows.at("day"), rows.at("node"), rows.at("value")
    for cells in rows:
        if selection.takes(cells[node], cells[kind]):
            yield from _hours(rows, cells, clock.day(cells[date], rows.name("day")))


def _read_five_minute(rows: Rows, selection: Selection) -> Iterator[Entry]:
    return from_starts(_moments(rows, selection), selection, rows.name("time"), lengths_s=(300,))


def _moments(rows: Rows, selection: Selection) -> Iterator[Moment]:
    clock = WallClock(_ZONE, "%m/%d/%Y")
    time, node, price = rows.at("time"), rows.at("node"), rows.at("price")
    width = len(rows.names)
    for cells in rows:
        if len(cells) < width and not cells[0][:1].isdigit():  # the last line
            continue
        if len(cells) != width:
            raise CellError("row", expected=f"{width} cells, as in the heading", got=len(cells))
        if selection.takes(cells[node]):
            day, _, time_of_day = cells[time].strip().partition(" ")
            name = rows.name("time")
            start_s = clock.unix_s(clock.day(day, name), clock.time_s(time_of_day, name), name)
            yield Moment(start_s, number(cells[price], rows.name("price")))


_WIDE = (
    Column("node", ("Node", "NODE")),
    Column("type", ("Type", "TYPE")),
    Column("value", ("Value", "VALUE")),
    Column("hour", pattern=_HOURS),
)

LAYOUTS = (
    Layout(
        name="miso-hourly",
        title="MISO hourly prices, a day a file: day-ahead ex-post or ex-ante, or real-time",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="end",
        repeated_hour="no repeated hour: Eastern Standard Time all year",
        choices=("point", "value", "product"),
        headings=(Heading(_WIDE),),
        read=_read_day,
    ),
    Layout(
        name="miso-archive",
        title="MISO hourly prices, archives of many days",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="end",
        repeated_hour="no repeated hour: Eastern Standard Time all year",
        choices=("point", "value"),
        headings=(Heading((Column("day", ("MARKET_DAY",)), *_WIDE)),),
        read=_read_archive,
    ),
    Layout(
        name="miso-rt-5min",
        title="MISO final five-minute prices, a week a file",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="start",
        repeated_hour="no repeated hour: Eastern Standard Time all year",
        choices=("point",),
        headings=(
            Heading(
                (
                    Column("time", ("MKTHOUR_EST",)),
                    Column("node", ("PNODENAME",)),
                    Column("price", ("LMP",)),
                    Column("congestion", ("CON_LMP",), needed=False),
                    Column("loss", ("LOSS_LMP",), needed=False),
                ),
                ragged=True,
            ),
        ),
        read=_read_five_minute,
    ),
)
