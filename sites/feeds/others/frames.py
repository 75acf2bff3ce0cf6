"""Frames of Python libraries saved as CSV: gridstatus, the answers of gridstatus.io, and entsoe-py.

A time without its offset, which a library drops when its time zone is removed, is refused: it cannot be placed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.lengths import Moment, from_starts
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_CLOCK, _REPEATED = "times with their offset", "no repeated hour: times have their offset"


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    start, end, price, point = (rows.at(key) for key in ("start", "end", "price", "point"))
    market = rows.at("market") if rows.has("market") else None
    names = rows.name("start"), rows.name("end"), rows.name("price")
    for cells in rows:
        if selection.takes(cells[point], "" if market is None else cells[market]):
            start_s, end_s = iso_unix_s(cells[start], names[0]), iso_unix_s(cells[end], names[1])
            if end_s <= start_s:
                raise CellError(names[1], expected="a time after the start of the interval", got=cells[end])
            yield Entry(start_s, end_s, number(cells[price], names[2]))


def _read_series(rows: Rows, selection: Selection) -> Iterator[Entry]:
    return from_starts(_moments(rows, selection), selection, "the time of a row")


def _moments(rows: Rows, selection: Selection) -> Iterator[Moment]:
    time, price = rows.at("time"), rows.at("price")
    for cells in rows:
        if selection.takes():
            yield Moment(iso_unix_s(cells[time], "the time of a row"), number(cells[price], rows.name("price")))


def _heading(start: str, end: str, point: str, price: tuple[str, ...], *others: str) -> Heading:
    return Heading(
        (
            Column("start", (start,)),
            Column("end", (end,)),
            Column("point", (point,)),
            Column("price", price),
            Column("market", ("Market", "market"), needed=False),
            Column("row", ("",), needed=False),  # the number of the row, which has no name
            *(Column(other, (other,), needed=False) for other in others),
        )
    )


LAYOUTS = (
    Layout(
        name="gridstatus",
        title="prices of the Python library gridstatus, saved as CSV (its US markets)",
        quantity="price",
        unit="USD/MWh",
        timezone=_CLOCK,
        label="start and end",
        repeated_hour=_REPEATED,
        choices=("point", "market"),
        headings=tuple(
            _heading(
                "Interval Start",
                "Interval End",
                point,
                ("LMP", "SPP"),
                "Time",
                *others,
                "Location Type",
                "Location Id",
                "Location Short Name",
                "PNode",
                "Energy",
                "Congestion",
                "Loss",
                "GHG",
            )
            for point, *others in (("Location", "Location Name"), ("Location Name",))
        ),
        read=_read,
    ),
    Layout(
        name="gridstatus-io",
        title="prices of gridstatus.io, as CSV (its US markets)",
        quantity="price",
        unit="USD/MWh",
        timezone="UTC",
        label="start and end",
        repeated_hour=_REPEATED,
        choices=("point", "market"),
        headings=tuple(
            _heading(
                "interval_start_utc",
                "interval_end_utc",
                point,
                ("lmp", "spp"),
                *others,
                "interval_start_local",
                "interval_end_local",
                "location_type",
                "location_id",
                "location_short_name",
                "pnode",
                "energy",
                "congestion",
                "loss",
                "ghg",
            )
            for point, *others in (("location", "location_name"), ("location_name",))
        ),
        read=_read,
    ),
    Layout(
        name="entsoe-py",
        title="day-ahead prices of the Python library entsoe-py, saved as CSV",
        quantity="price",
        unit="EUR/MWh",
        timezone=_CLOCK,
        market_timezone="Europe/Brussels",
        label="start",
        repeated_hour=_REPEATED,
        headings=(Heading((Column("time", ("",)), Column("price", ("0",)))),),
        read=_read_series,
    ),
)
