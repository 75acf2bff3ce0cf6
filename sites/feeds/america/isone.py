"""ISO New England: reports of hourly prices (LMP), and answers of the web services in hours or in five minutes.

The first cell of a row is the type of its record: C comment, H heading, D data, T trailer. The title, a comment, tells
the day-ahead from the real-time report, which have the same columns. The repeated hour is 02X.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number, whole
from sites.feeds.model import CellError, Column, Document, Entry, Heading, Layout
from sites.feeds.wall_time import WallClock, iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_ZONE = "America/New_York"
_HOUR_S = 3600
_MARKETS = (("dayahead", "day-ahead"), ("realtime", "real-time"))
_PARTS = ("Energy Component", "Congestion Component", "Marginal Loss Component")
_ANSWERS = {"HourlyLmps": ("HourlyLmp", _HOUR_S), "FiveMinLmps": ("FiveMinLmp", 300)}


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, "%m/%d/%Y")
    market = next((_market(row) for row in rows.before if row and row[0] == "C"), "")
    if not market:
        raise CellError("the lines above the heading", expected="a title, as in a report of ISO New England")
    point, price, date, hour = (rows.at(key) for key in ("point", "price", "date", "hour"))
    width = len(rows.names)
    for cells in rows:
        if cells[0] != "D":
            continue
        if len(cells) != width:
            raise CellError("row", expected=f"{width} cells, as in the heading", got=len(cells))
        if selection.takes(cells[point], market):
            label = cells[hour].strip()
            start_s = (whole(label.removesuffix("X"), "Hour Ending", 1, 24) - 1) * _HOUR_S
            day = clock.day(cells[date], "Date")
            at_s = clock.unix_s(day, start_s, "Hour Ending", second=label.endswith("X"))
            yield Entry(at_s, at_s + _HOUR_S, number(cells[price], "Locational Marginal Price"))


def _market(title: tuple[str, ...]) -> str:
    letters = re.sub(r"[^a-z]", "", "".join(title[1:]).casefold())
    for mark, market in _MARKETS:
        if mark in letters:
            return market
    raise CellError(
        "the title", expected="a Day-Ahead or Real-Time Energy Market Hourly LMP Report", got=" ".join(title[1:])
    )


def _fits(document: Any) -> bool:
    return isinstance(document, dict) and len(document) == 1 and next(iter(document)) in _ANSWERS


def _read_answer(document: Any, selection: Selection) -> Iterator[Entry]:
    outer, content = next(iter(document.items()))
    inner, length_s = _ANSWERS[outer]
    items = content.get(inner) if isinstance(content, dict) else None
    if items is None:
        raise CellError(outer, expected=f"an object with {inner}", got=content)
    for at, item in enumerate(items if isinstance(items, list) else [items], 1):
        location = item.get("Location") if isinstance(item, dict) else None
        if not isinstance(location, dict):
            raise CellError(f"{inner} number {at}", expected="an object with a Location", got=item)
        if selection.takes(cell_text(location.get("$"))):
            where = f"{inner} number {at}"
            start_s = iso_unix_s(cell_text(item.get("BeginDate")), f"{where}: BeginDate")
            price = number(cell_text(item.get("LmpTotal")), f"{where}: LmpTotal")
            yield Entry(start_s, start_s + length_s, price)


LAYOUTS = (
    Layout(
        name="isone",
        title="ISO New England hourly prices, day-ahead or real-time reports",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="end",
        repeated_hour="02X is the second one",
        choices=("point", "market"),
        headings=(
            Heading(
                (
                    Column("record", ("H",)),
                    Column("date", ("Date",)),
                    Column("hour", ("Hour Ending",)),
                    Column("point", ("Location Name", "Location")),
                    Column("price", ("Locational Marginal Price",)),
                    Column("id", ("Location ID",), needed=False),
                    Column("type", ("Location Type",), needed=False),
                    *(Column(part, (part,), needed=False) for part in _PARTS),
                ),
                ragged=True,
            ),
        ),
        read=_read,
    ),
    Layout(
        name="isone-api",
        title="ISO New England prices from its web services, in hours or five minutes (the market is not stated)",
        quantity="price",
        unit="USD/MWh",
        timezone="times with their offset",
        market_timezone=_ZONE,
        label="start",
        repeated_hour="no repeated hour: times have their offset",
        choices=("point",),
        document=Document("json", _fits, _read_answer),
    ),
)
