"""PJM Data Miner 2: hourly and five-minute prices (LMP), as downloaded and as the API answers.

The verified and the unverified real-time feeds come in hours and in five minutes with the same columns, so the distance
of the times tells which one a file has. A corrected row has a higher `version_nbr`, and `row_is_current` is true for
the last version. Unverified feeds have no energy part and no versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number, whole
from sites.feeds.lengths import Moment, from_starts
from sites.feeds.model import CellError, Column, Document, Heading, Layout
from sites.feeds.rows import Rows, bind
from sites.feeds.wall_time import DAY_S, WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.model import Entry
    from sites.feeds.selection import Selection

_CURRENT = 1_000_000  # above every version number: the current row counts
_IS_CURRENT = {"true": True, "1": True, "false": False, "0": False}
_OTHERS = (
    "datetime_beginning_ept",
    "voltage",
    "equipment",
    "type",
    "zone",
    "occ_check",
    "ref_caseid_used_multi_interval",
)


def _heading(market: str) -> Heading:
    return Heading(
        (
            Column("time", ("datetime_beginning_utc",)),
            Column("point", ("pnode_name",)),
            Column("price", (f"total_lmp_{market}",)),
            Column("id", ("pnode_id",), needed=False),
            Column("current", ("row_is_current",), needed=False),
            Column("version", ("version_nbr",), needed=False),
            *(
                Column(name, (f"{name}_{market}",), needed=False)
                for name in ("system_energy_price", "congestion_price", "marginal_loss_price")
            ),
            *(Column(name, (name,), needed=False) for name in _OTHERS),
        )
    )


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    return from_starts(_moments(rows, selection), selection, rows.name("time"))


def _moments(rows: Rows, selection: Selection) -> Iterator[Moment]:
    clock = WallClock("UTC", "%m/%d/%Y", "%Y-%m-%d")
    time, point, price = rows.at("time"), rows.at("point"), rows.at("price")
    id_at, version_at, current_at = (rows.at(key) if rows.has(key) else None for key in ("id", "version", "current"))
    time_name, price_name = rows.name("time"), rows.name("price")
    for cells in rows:
        if selection.takes(cells[point], "" if id_at is None else cells[id_at]):
            day, _, time_of_day = cells[time].strip().replace("T", " ", 1).partition(" ")
            start_s = clock.day(day, time_name) * DAY_S + clock.time_s(time_of_day, time_name)
            version = 0 if version_at is None else whole(cells[version_at], "version_nbr", 0, _CURRENT - 1)
            if current_at is not None and _is_current(cells[current_at]):
                version += _CURRENT
            yield Moment(start_s, number(cells[price], price_name), version)


def _is_current(text: str) -> bool:
    current = _IS_CURRENT.get(text.strip().casefold())
    if current is None:
        raise CellError("row_is_current", expected="true or false", got=text)
    return current


def _document(heading: Heading) -> Document:
    def fits(document: Any) -> bool:
        items = document.get("items") if isinstance(document, dict) else None
        first = items[0] if isinstance(items, list) and items else None
        return isinstance(first, dict) and bind(tuple(first), heading) is not None

    def read(document: Any, selection: Selection) -> Iterator[Entry]:
        names = tuple(document["items"][0])
        return _read(Rows(names, heading, _lines(document["items"], names)), selection)

    return Document("json", fits, read)


def _lines(items: list[Any], names: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    for at, item in enumerate(items, 1):
        if not isinstance(item, dict) or any(name not in item for name in names):
            raise CellError(f"items: number {at}", expected="an object with the keys of the first one", got=item)
        yield at, [cell_text(item[name]) for name in names]


def _layout(name: str, title: str, market: str) -> Layout:
    heading = _heading(market)
    return Layout(
        name=name,
        title=title,
        quantity="price",
        unit="USD/MWh",
        timezone="UTC",
        market_timezone="America/New_York",
        label="start",
        repeated_hour="no repeated hour: UTC",
        choices=("point", "pnode_id"),
        headings=(heading,),
        read=_read,
        document=_document(heading),
    )


LAYOUTS = (
    _layout("pjm-da", "PJM day-ahead hourly prices (da_hrl_lmps)", "da"),
    _layout("pjm-rt", "PJM real-time prices, hourly or five-minute, verified or not (rt_hrl_lmps and others)", "rt"),
)
