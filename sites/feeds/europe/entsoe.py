"""Prices of ENTSO-E's transparency platform: the export of its web pages, and the monthly files of its library.

Where a bidding zone has two auctions, their rows differ only in the sequence: one must be chosen.

References
----------
.. [1] ENTSO-E, "Energy prices [12.1.D]", transparency platform.
.. [2] EnergieID/entsoe-py, issues 445 and 469: two sequences mixed into one series.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sites.feeds.cells import number
from sites.feeds.europe.periods import CENTRAL_EUROPE, LocalPeriods, length_s
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_DATES = ("%d/%m/%Y", "%d.%m.%Y")
_PERIOD = re.compile(
    r"(?P<start>[0-9./]{10}) (?P<from>[0-9:]{5,8})( \((?P<mark>CES?T)\))? - "
    r"(?P<end>[0-9./]{10}) (?P<to>[0-9:]{5,8})( \((CES?T|CET/CEST|UTC)\))?"
)
WITHOUT_SEQUENCE = "Without Sequence"
_RESOLUTIONS_S = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600}


def _periods(text: str, column: str) -> re.Match[str]:
    match = _PERIOD.fullmatch(text.strip())
    if not match:
        raise CellError(column, expected="DD/MM/YYYY HH:MM - DD/MM/YYYY HH:MM", got=text)
    return match


def _utc(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock("UTC", *_DATES)
    column = rows.name("period")
    for _, text, value in _series(rows, selection):
        match = _periods(text, column)
        start_s = clock.day(match["start"], column) * DAY_S + clock.time_s(match["from"], column)
        end_s = clock.day(match["end"], column) * DAY_S + clock.time_s(match["to"], column)
        if match["mark"] or end_s <= start_s:
            raise CellError(column, expected="a period in UTC whose end follows its start", got=text)
        yield Entry(start_s, end_s, value)


def _central_europe(rows: Rows, selection: Selection) -> Iterator[Entry]:
    periods = LocalPeriods(*_DATES)
    clock, column = periods.clock, rows.name("period")
    for series, text, value in _series(rows, selection):
        match = _periods(text, column)
        day, time_s = clock.day(match["start"], column), clock.time_s(match["from"], column)
        if periods.is_empty_gap(day, time_s, value):
            continue
        end_s = clock.day(match["end"], column) * DAY_S + clock.time_s(match["to"], column)
        start_s = periods.start_s(series, day, time_s, column, match["mark"])
        yield Entry(start_s, start_s + length_s(day * DAY_S + time_s, end_s, column), value)


def _series(rows: Rows, selection: Selection) -> Iterator[tuple[tuple[str, str], str, float]]:
    """Yield the series, the period and the value of each row that the user chooses."""
    price = rows.variables("price")[0]
    selection.states_unit(f"{price.match['currency']}/MWh")
    period = rows.at("period")
    areas, sequences, currency = (rows.at(key) if rows.has(key) else None for key in ("area", "sequence", "currency"))
    series = (rows.name("named") if rows.has("named") else "", WITHOUT_SEQUENCE)  # before 2024 a file has one area
    for cells in rows:
        if not (cells[period].strip() or cells[price.at].strip()):
            continue  # a row of the intraday market
        if areas is not None and sequences is not None:
            series = (cells[areas], _sequence(cells[sequences]))
        if selection.takes(*series):
            if currency is not None and cells[currency].strip() not in {"", price.match["currency"]}:
                expected = f"{price.match['currency']}, as in the heading"
                raise CellError("Currency", expected=expected, got=cells[currency])
            yield series, cells[period], number(cells[price.at], rows.names[price.at])


@lru_cache(maxsize=64)
def _sequence(text: str) -> str:
    """Return an auction by the one name that it has in all layouts: 1, 2, … or Without Sequence."""
    return text.strip().removeprefix("Sequence ") or WITHOUT_SEQUENCE


def _library(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock("UTC", "%Y-%m-%d")
    keys = ("area", "type", "contract", "sequence", "price", "currency", "start", "resolution", "update")
    area, kind, contract, sequence, price, currency, start, resolution, update = (rows.at(key) for key in keys)
    for cells in rows:
        if not selection.takes(cells[area], cells[kind], cells[contract], _sequence(cells[sequence])):
            continue
        selection.states_unit(f"{cells[currency].strip()}/MWh")
        length = _RESOLUTIONS_S.get(cells[resolution].strip())
        if length is None:
            raise CellError("ResolutionCode", expected=", ".join(_RESOLUTIONS_S), got=cells[resolution])
        start_s = _utc_s(cells[start], rows.name("start"), clock)
        version = _utc_s(cells[update], rows.name("update"), clock)
        yield Entry(start_s, start_s + length, number(cells[price], rows.name("price")), version)


def _utc_s(text: str, column: str, clock: WallClock) -> int:
    date, blank, time = text.strip().partition(" ")
    if not blank:
        raise CellError(column, expected="YYYY-MM-DD HH:MM:SS", got=text)
    return clock.day(date, column) * DAY_S + clock.time_s(time, column)


def _web(
    name: str, clocks: tuple[str, ...], read: Callable[[Rows, Selection], Iterator[Entry]], timezone: str, rule: str
) -> Layout:
    """Return the layout of the web export in a clock: the current columns, and those of the platform before 2024."""
    period = Column("period", tuple(f"MTU ({clock})" for clock in clocks))
    return Layout(
        name=name,
        title=f"ENTSO-E day-ahead prices, web export in {clocks[0]}",
        quantity="price",
        unit="",
        timezone=timezone,
        market_timezone=CENTRAL_EUROPE,
        label="start and end",
        repeated_hour=rule,
        choices=("area", "sequence"),
        headings=(
            Heading(
                (
                    period,
                    Column("area", ("Area",)),
                    Column("sequence", ("Sequence",)),
                    Column("price", pattern=re.compile(r"Day-ahead Price [(\[](?P<currency>[A-Z]{3})/MWh[)\]]")),
                    Column("intraday", pattern=re.compile(r"Intraday (Period|Price) \(.+\)"), needed=False),
                )
            ),
            Heading(
                (
                    period,
                    Column("price", pattern=re.compile(r"Day-ahead Price \[(?P<currency>[A-Z]{3})/MWh\]")),
                    Column("currency", ("Currency",), needed=False),
                    Column("named", pattern=re.compile(r"(BZN|CTY|CTA|MBA)\|.+"), needed=False),
                )
            ),
        ),
        read=read,
    )


LAYOUTS = (
    _web("entsoe-utc", ("UTC",), _utc, "UTC", "no repeated hour: UTC"),
    _web(
        "entsoe-cet",
        ("CET/CEST", "CET"),  # before 2021 CET means the clock with summer time
        _central_europe,
        CENTRAL_EUROPE,
        "a time says (CET) or (CEST); otherwise the second one in the file is CET",
    ),
    Layout(
        name="entsoe-library",
        title="ENTSO-E energy prices, monthly file of the file library",
        quantity="price",
        unit="",
        timezone="UTC",
        market_timezone=CENTRAL_EUROPE,
        label="start",
        repeated_hour="no repeated hour: UTC",
        choices=("area", "area_type", "contract", "sequence"),
        headings=(
            Heading(
                (
                    Column("instance", ("InstanceCode",), needed=False),
                    Column("start", ("DateTime(UTC)", "DateTime")),
                    Column("resolution", ("ResolutionCode",)),
                    Column("code", ("AreaCode",)),
                    Column("area", ("AreaDisplayName", "AreaName")),
                    Column("type", ("AreaTypeCode",)),
                    Column("map", ("MapCode", "AreaMapCode")),
                    Column("contract", ("ContractType",)),
                    Column("sequence", ("Sequence",)),
                    Column("price", ("Price[Currency/MWh]",)),
                    Column("currency", ("Currency",)),
                    Column("update", ("UpdateTime(UTC)", "UpdateTime")),
                ),
                separator="\t",
            ),
        ),
        read=_library,
    ),
)
