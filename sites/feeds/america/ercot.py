"""Prices of ERCOT (Texas): the hour and quarter are named by their end, and a flag marks the second repeated hour.

`DSTFlag` is Y only in the repeated hour after the clock is set back, in standard time, whatever the order of the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import flag, number, whole
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_ZONE = "America/Chicago"
_DATES = ("%m/%d/%Y", "%Y-%m-%d")
_HOUR_S = 3600
_QUARTER_S = 900
_DATE = Column("date", ("DeliveryDate", "deliveryDate", "Delivery Date", "DELIVERY_DATE", "OperDay", "Date"))
_HOUR = Column(
    "hour", ("HourEnding", "hourEnding", "Hour Ending", "HOUR_ENDING", "DeliveryHour", "deliveryHour", "Delivery Hour")
)
_FLAG = Column("flag", ("DSTFlag", "dstFlag", "Repeated Hour Flag", "RepeatedHourFlag"))
_POINT = Column("point", ("SettlementPoint", "settlementPoint", "Settlement Point"))
_PRICE = Column("price", ("SettlementPointPrice", "settlementPointPrice", "Settlement Point Price"))


def _day_ahead(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, *_DATES)
    date, hour, mark, point, price = (rows.at(key) for key in ("date", "hour", "flag", "point", "price"))
    name = rows.name("price")
    for cells in rows:
        if not selection.takes(cells[point]):
            continue
        second = flag(cells[mark], rows.name("flag"))
        ends_s = _hour_s(cells[hour], clock)
        start_s = clock.unix_s(clock.day(cells[date], "date"), ends_s - _HOUR_S, "hour", second=second)
        yield Entry(start_s, start_s + _HOUR_S, number(cells[price], name))


def _hour_s(text: str, clock: WallClock) -> int:
    """Return the end of an hour [s] from midnight: `01:00` to `24:00`, or 1 to 24."""
    if ":" not in text:
        return whole(text, "hour", 1, 24) * _HOUR_S
    ends_s = clock.time_s(text, "hour")
    if ends_s % _HOUR_S or not ends_s:
        raise CellError("hour", expected="a whole hour from 01:00 to 24:00", got=text)
    return ends_s


LAYOUTS = (
    Layout(
        name="ercot-dam",
        title="ERCOT day-ahead settlement point prices",
        quantity="price",
        unit="USD/MWh",
        timezone=_ZONE,
        label="end",
        repeated_hour="DSTFlag is Y on the second one",
        choices=("point",),
        headings=(Heading((_DATE, _HOUR, _FLAG, _POINT, _PRICE)),),
        read=_day_ahead,
    ),
)
