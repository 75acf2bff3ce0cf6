"""Prices of ERCOT (Texas): the hour and quarter are named by their end, and a flag marks the second repeated hour.

`DSTFlag` is Y only in the repeated hour after the clock is set back, in standard time, whatever the order of the rows.
"""

from __future__ import annotations

from dataclasses import replace
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
_RUN_S = 300
_LONGEST_RUN_S = 900  # two runs further apart leave a gap
_DATE = Column("date", ("DeliveryDate", "deliveryDate", "Delivery Date", "DELIVERY_DATE", "OperDay", "Date"))
_HOUR = Column(
    "hour", ("HourEnding", "hourEnding", "Hour Ending", "HOUR_ENDING", "DeliveryHour", "deliveryHour", "Delivery Hour")
)
_FLAG = Column("flag", ("DSTFlag", "dstFlag", "Repeated Hour Flag", "RepeatedHourFlag"))
_POINT = Column(
    "point",
    (
        "SettlementPoint",
        "settlementPoint",
        "Settlement Point",
        "SettlementPointName",
        "settlementPointName",
        "Settlement Point Name",
    ),
)
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


def _real_time(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(_ZONE, *_DATES)
    keys = ("date", "hour", "quarter", "flag", "point", "type", "price")
    date, hour, quarter, mark, point, kind, price = (rows.at(key) for key in keys)
    name = rows.name("price")
    for cells in rows:
        if not selection.takes(cells[point], cells[kind]):
            continue
        second = flag(cells[mark], rows.name("flag"))
        ends_s = _hour_s(cells[hour], clock) + _QUARTER_S * whole(cells[quarter], "interval", 1, 4)
        day = clock.day(cells[date], "date")
        start_s = clock.unix_s(day, ends_s - _HOUR_S - _QUARTER_S, "hour", second=second)
        yield Entry(start_s, start_s + _QUARTER_S, number(cells[price], name))


def _by_run(rows: Rows, selection: Selection) -> Iterator[Entry]:
    """Yield what each run of the dispatch (SCED) sets, from the time of the run to that of the next one."""
    clock = WallClock(_ZONE, *_DATES)
    time, mark, price = (rows.at(key) for key in ("time", "flag", "price"))
    name = rows.name("price")
    runs: list[tuple[int, float]] = []
    for cells in rows:
        taken = selection.takes(cells[rows.at("point")]) if rows.has("point") else selection.takes()
        if not taken or selection.is_ambiguous:
            continue
        date, _, clock_time = cells[time].strip().replace("T", " ").partition(" ")
        day, time_s = clock.day(date, "time"), clock.time_s(clock_time, "time")
        start_s = clock.unix_s(day, time_s, "time", second=flag(cells[mark], rows.name("flag")))
        runs.append((start_s, number(cells[price], name)))
    runs = sorted(set(runs))
    for at, (start_s, value) in enumerate(runs):
        next_s = runs[at + 1][0] if at + 1 < len(runs) else start_s
        length_s = next_s - start_s if 0 < next_s - start_s <= _LONGEST_RUN_S else _RUN_S
        yield Entry(start_s, start_s + length_s, value)


_PRICES = (_DATE, _HOUR, _FLAG, _POINT, _PRICE)
_QUARTER = Column("quarter", ("DeliveryInterval", "deliveryInterval", "Delivery Interval"))
_TYPE = Column("type", ("SettlementPointType", "settlementPointType", "Settlement Point Type"))
_RUN = Column("time", ("SCEDTimestamp", "SCEDTimeStamp", "SCED Time Stamp"))
_DAY_AHEAD = Layout(
    name="ercot-dam",
    title="ERCOT day-ahead settlement point prices",
    quantity="price",
    unit="USD/MWh",
    timezone=_ZONE,
    label="end",
    repeated_hour="a flag is Y on the second one",
    choices=("point",),
    headings=(Heading(_PRICES),),
    read=_day_ahead,
)
_SCED = replace(
    _DAY_AHEAD,
    name="ercot-sced",
    title="ERCOT locational prices by run of the dispatch (SCED)",
    label="start",
    headings=(Heading((_RUN, _FLAG, _POINT, Column("price", ("LMP",)))),),
    read=_by_run,
)
LAYOUTS = (
    _DAY_AHEAD,
    replace(
        _DAY_AHEAD,
        name="ercot-rtm",
        title="ERCOT real-time settlement point prices, 15 minutes",
        choices=("point", "type"),
        headings=(Heading((*_PRICES, _QUARTER, _TYPE)),),
        read=_real_time,
    ),
    _SCED,
    replace(
        _SCED,
        name="ercot-lambda",
        title="ERCOT system lambda by run of the dispatch (SCED)",
        choices=(),
        headings=(Heading((_RUN, _FLAG, Column("price", ("SystemLambda",)))),),
    ),
)
