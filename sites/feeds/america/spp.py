"""SPP: day-ahead and real-time prices (LMP) by settlement location.

Both times of a row name the end of the interval, and only the one in GMT is free of doubt in autumn. Since 2026 a
column names the balancing authority; before that, all rows are those of SPP. Hourly and five-minute files have the same
columns, so the distance of the times tells which one a file has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.lengths import Moment, from_ends
from sites.feeds.model import Column, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.model import Entry
    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_FIRST_AUTHORITY = "SPP"
_INTERVAL_FILE_S = 300  # a file of one time holds one interval of the real-time market


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    return from_ends(_moments(rows, selection), selection, rows.name("end"), lone_s=_INTERVAL_FILE_S)


def _moments(rows: Rows, selection: Selection) -> Iterator[Moment]:
    clock = WallClock("UTC", "%m/%d/%Y")
    end, location, price = rows.at("end"), rows.at("location"), rows.at("price")
    authority = rows.at("authority") if rows.has("authority") else None
    end_name, price_name = rows.name("end"), rows.name("price")
    for cells in rows:
        if selection.takes(cells[location], _FIRST_AUTHORITY if authority is None else cells[authority]):
            day, _, time_of_day = cells[end].strip().partition(" ")
            end_s = clock.day(day, end_name) * DAY_S + clock.time_s(time_of_day, end_name)
            yield Moment(end_s, number(cells[price], price_name))


LAYOUTS = (
    Layout(
        name="spp",
        title="SPP prices by settlement location: day-ahead hourly, or real-time five-minute",
        quantity="price",
        unit="USD/MWh",
        timezone="UTC",
        market_timezone="America/Chicago",
        label="end",
        repeated_hour="no repeated hour: the column in GMT is used",
        choices=("point", "BAA"),
        headings=(
            Heading(
                (
                    Column("end", ("GMTIntervalEnd", "GMTINTERVALEND", "GMT Interval", "GMTInterval")),
                    Column("location", ("Settlement Location", "SETTLEMENT_LOCATION", "Settlement Location Name")),
                    Column("price", ("LMP",)),
                    Column("authority", ("BAA",), needed=False),
                    Column("local", ("Interval", "INTERVAL"), needed=False),
                    Column("node", ("Pnode", "PNODE", "PNODE Name"), needed=False),
                    *(Column(part, (part,), needed=False) for part in ("MLC", "MCC", "MEC")),
                )
            ),
        ),
        read=_read,
    ),
)
