"""CAISO OASIS: prices (LMP) of the day-ahead, fifteen-minute and real-time markets.

One file has the price (LMP_TYPE = LMP) and its parts (MCC, MCE, MCL, MGHG) in any order. The column of the price has
another name in each market, and its name is MW in the day-ahead market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_OTHERS = (
    "OPR_DT",
    "OPR_HR",
    "OPR_INTERVAL",
    "NODE_ID_XML",
    "NODE_ID",
    "XML_DATA_ITEM",
    "PNODE_RESMRID",
    "GRP_TYPE",
    "POS",
    "GROUP",
)


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    start, end, price = rows.at("start"), rows.at("end"), rows.at("price")
    node, run, kind = rows.at("point"), rows.at("market"), rows.at("kind")
    names = rows.name("start"), rows.name("end"), rows.name("price")
    for cells in rows:
        if selection.takes(cells[node], cells[kind], cells[run]):
            start_s, end_s = iso_unix_s(cells[start], names[0]), iso_unix_s(cells[end], names[1])
            if end_s <= start_s:
                raise CellError(names[1], expected="a time after the start of the interval", got=cells[end])
            yield Entry(start_s, end_s, number(cells[price], names[2]))


def _layout(name: str, title: str, price: str) -> Layout:
    heading = Heading(
        (
            Column("start", ("INTERVALSTARTTIME_GMT", "INTERVAL_START_GMT")),
            Column("end", ("INTERVALENDTIME_GMT", "INTERVAL_END_GMT")),
            Column("point", ("NODE",)),
            Column("market", ("MARKET_RUN_ID",)),
            Column("kind", ("LMP_TYPE",)),
            Column("price", (price,)),
            *(Column(other, (other,), needed=False) for other in _OTHERS),
        )
    )
    return Layout(
        name=name,
        title=title,
        quantity="price",
        unit="USD/MWh",
        timezone="UTC",
        market_timezone="America/Los_Angeles",
        label="start and end",
        repeated_hour="no repeated hour: UTC",
        choices=("point", "LMP_TYPE", "market"),
        headings=(heading,),
        read=_read,
    )


LAYOUTS = (
    _layout("caiso-dam", "CAISO day-ahead prices (PRC_LMP)", "MW"),
    _layout("caiso-fmm", "CAISO fifteen-minute prices (PRC_RTPD_LMP)", "PRC"),
    _layout("caiso-rtm", "CAISO five-minute prices (PRC_INTVL_LMP)", "VALUE"),
)
