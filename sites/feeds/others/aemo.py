"""Prices of AEMO (Australia's national market): UTC+10 all year, each time the end of an interval.

An interval has 30 minutes until 2021-10-01 and five minutes since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_ZONE = "UTC+10:00"
_FIVE_MINUTES_SINCE_S = 1_633_010_400  # [s, unix] 2021-10-01 00:00 in the market's time: the end of the last half-hour


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, "%Y/%m/%d")
    region, kind, ends, price = (rows.at(key) for key in ("region", "kind", "ends", "price"))
    for cells in rows:
        if not selection.takes(cells[region], cells[kind]):
            continue
        date, blank, time = cells[ends].partition(" ")
        if not blank:
            raise CellError("SETTLEMENTDATE", expected="YYYY/MM/DD HH:MM:SS", got=cells[ends])
        day, time_s = clock.day(date, "SETTLEMENTDATE"), clock.time_s(time, "SETTLEMENTDATE")
        end_s = clock.unix_s(day, time_s, "SETTLEMENTDATE")
        length_s = 300 if end_s > _FIVE_MINUTES_SINCE_S else 1800
        yield Entry(end_s - length_s, end_s, number(cells[price], "RRP"))


LAYOUTS = (
    Layout(
        name="aemo",
        title="AEMO regional reference prices",
        quantity="price",
        unit="AUD/MWh",
        timezone=_ZONE,
        label="end",
        repeated_hour="no repeated hour: UTC+10 all year",
        choices=("region", "type"),
        headings=(
            Heading(
                (
                    Column("region", ("REGION",)),
                    Column("ends", ("SETTLEMENTDATE",)),
                    Column("demand", ("TOTALDEMAND",)),
                    Column("price", ("RRP",)),
                    Column("kind", ("PERIODTYPE",)),
                )
            ),
        ),
        read=_read,
    ),
)
