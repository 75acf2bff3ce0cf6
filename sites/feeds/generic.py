"""The declared reader: a table of any source, whose columns, clock, unit and signs the user states."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.feeds.cells import number
from sites.feeds.files.source import FEED
from sites.feeds.model import CellError, Column, Entry, Heading, Layout
from sites.feeds.read import read_feed
from sites.feeds.recognise import SEPARATORS
from sites.feeds.wall_time import FileOrder, WallClock, zone_of
from sites.hours.intervals import DAY_S, MARKET_LENGTHS_S, lengths_of_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hardware_profiles.opening import Kind
    from sites.feeds.read import Feed
    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_LENGTHS_S = (*MARKET_LENGTHS_S, DAY_S)
_ANY = re.compile(r".*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a user states of a table."""

    time: str  # name of the column with the start or the end of each interval
    value: str  # name of the column of values
    unit: str  # such as "EUR/MWh"
    timezone: str | None = None  # IANA name, or UTC+10:00; times with an offset do not need it
    label: str = "start"  # what the time names: "start" or "end"
    separator: str = ","
    decimal: str = "."
    time_format: str | None = None  # as for strptime; None for ISO 8601
    minutes: int | None = None  # length of every interval; None to take it from the distances of the rows
    repeated_hour: str | None = None  # "order" if the order of the rows tells the hour that the clock repeats
    where: Mapping[str, str] = field(default_factory=dict)  # the cells that a row must have, by column


def read_declared(path: Path, declared: Declared, kind: Kind = FEED) -> Feed:
    """Return the series of a table that the user describes.

    Parameters
    ----------
    path
        The file.
    declared
        Its columns, clock, unit and signs.
    kind
        Kind of the file, with its limit of size.

    Raises
    ------
    InputError
        As `read_feed`; a column is not in the file, a time is not unique on the clock, or an interval has two values.
    """
    if declared.timezone is not None:
        try:
            zone_of(declared.timezone)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    named = tuple(Column(f"where.{name}", (name,)) for name in declared.where)
    columns = (Column("time", (declared.time,)), Column("value", (declared.value,)), *named)
    heading = Heading((*columns, Column("others", pattern=_ANY, needed=False)), declared.separator)
    layout = Layout(
        name="declared",
        title="a table as the user describes it",
        quantity="price",
        unit=declared.unit,
        timezone=declared.timezone or "UTC",
        label=declared.label,
        repeated_hour="",
        choices=tuple(declared.where),
        headings=(heading,),
        read=_Reader(declared),
    )
    try:
        return read_feed(path, declared.where, layout.name, kind, (layout,))
    except InputError as error:
        if "expected the columns of declared" not in str(error):
            raise
        raise _other_columns(path, declared, str(error)) from None


def _other_columns(path: Path, declared: Declared, text: str) -> InputError:
    names = ", ".join([declared.time, declared.value, *declared.where])
    mark = SEPARATORS.get(declared.separator, declared.separator)
    got = text.partition(", got ")[2].partition(" (nearest")[0].partition(" (`")[0]
    return InputError(f"{path}: expected columns {names}, separated by a {mark}, got {got}")


class _Reader:
    """The reader of a declared table."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def __call__(self, rows: Rows, selection: Selection) -> Iterator[Entry]:
        declared = self._declared
        wanted = [rows.at(f"where.{name}") for name in declared.where]
        time, value = rows.at("time"), rows.at("value")
        unix_s = _times(declared)
        times, values = [], []
        for cells in rows:
            if not selection.takes(*(cells[at] for at in wanted)):
                continue
            times.append(unix_s(cells[time]))
            values.append(number(cells[value], declared.value, declared.decimal))
        yield from _entries(times, values, declared)


def _entries(times: list[int], values: list[float], declared: Declared) -> Iterator[Entry]:
    if not times:
        return
    at_s = np.array(times, np.int64)
    known = np.unique(at_s)
    if declared.minutes is not None:
        lengths = dict.fromkeys(known.tolist(), declared.minutes * 60)
    elif declared.label == "start":
        lengths = dict(zip(known.tolist(), lengths_of_rows(known, _LENGTHS_S).tolist(), strict=True))
    else:  # from the last to the first, the distance to the next row is that to the one before
        lengths = dict(zip(known[::-1].tolist(), lengths_of_rows(-known[::-1], _LENGTHS_S).tolist(), strict=True))
    for when_s, value in zip(times, values, strict=True):
        start_s = when_s if declared.label == "start" else when_s - lengths[when_s]
        yield Entry(start_s, start_s + lengths[when_s], value)


def _times(declared: Declared) -> Callable[[str], int]:
    """Return the function from the text of a time to seconds [s, unix]."""
    clock = WallClock(declared.timezone or "UTC")
    order = FileOrder(clock) if declared.repeated_hour == "order" else None
    column = declared.time

    def unix_s(text: str) -> int:
        when = _parsed(text.strip(), declared)
        if when.tzinfo is not None:
            return round(when.timestamp())
        if declared.timezone is None:
            raise CellError(column, expected="a time with an offset, because no timezone is stated", got=text)
        day = when.toordinal() - _EPOCH_ORDINAL
        time_s = when.hour * 3600 + when.minute * 60 + round(when.second + when.microsecond / 1e6)
        if order is not None:
            return order.unix_s("", day, time_s, column)
        first_s, second_s = clock.both_s(day, time_s, column)
        if first_s != second_s:
            raise CellError(
                column,
                expected=f"a time that exists once in {declared.timezone}",
                got=text,
                hint='; if the order of the rows tells the two hours apart, state repeated_hour = "order"',
            )
        return first_s

    return unix_s


_EPOCH_ORDINAL = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 (a date)


def _parsed(text: str, declared: Declared) -> datetime:
    try:
        if declared.time_format is None:
            return datetime.fromisoformat(text)
        return datetime.strptime(text, declared.time_format)  # noqa: DTZ007 (the clock of the file adds the zone)
    except ValueError:
        form = declared.time_format or "ISO 8601 (else state time_format)"
        raise CellError(declared.time, expected=f"a time as {form}", got=text) from None
