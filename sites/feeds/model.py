"""The layout of a market file, its headings and columns, and the entries that its reader yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hardware_profiles.errors import shown

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

Quantity = Literal["price", "carbon", "btc_price", "rent"]


class Entry(NamedTuple):
    """One interval of one series."""

    start_s: int  # [s, unix]
    end_s: int  # [s, unix] above the start
    value: float  # in the unit of the layout; NaN where the source leaves it empty
    version: int = 0  # the highest of an interval counts; the others are reported as revised


class CellError(ValueError):
    """A cell or a part of a document is faulty; the core adds the file and the line."""

    def __init__(self, column: str, *, expected: str, got: object = ..., hint: str = "") -> None:
        value = "nothing" if got is ... else shown(got)
        super().__init__(f"{column}: expected {expected}, got {value}{hint}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, by every known spelling of its name."""

    key: str  # what the reader calls it
    names: tuple[str, ...] = ()  # without blanks at the ends
    pattern: re.Pattern[str] | None = None  # of the whole name, where it varies; it may match several columns
    needed: bool = True  # False: some files have no such column


@dataclass(frozen=True, slots=True)
class Heading:
    """The line of column names that begins a table. It has every column that is needed, and no other one."""

    columns: tuple[Column, ...]
    separator: str = ","
    ragged: bool = False  # whether rows may have fewer or more cells than the heading, such as a trailer
    decimal: str = "."  # for the messages and the documentation; the reader passes it to `number`


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON or XML file that is not a table."""

    form: Literal["json", "xml"]
    fits: Callable[[Any], bool]  # whether a parsed document (JSON value, or root element) has this layout
    read: Callable[[Any, Selection], Iterator[Entry]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a source writes into one kind of file."""

    name: str  # such as "ercot-dam"
    title: str  # such as "ERCOT day-ahead settlement point prices"
    quantity: Quantity
    unit: str  # such as "USD/MWh"; empty where the file states it (`Selection.states_unit`)
    timezone: str  # IANA name or "UTC+10:00": the clock of the file
    label: str  # what a time in the file names: "start", "end" or "start and end", for the documentation
    repeated_hour: str  # how the file tells the hour that the clock repeats, for the documentation
    choices: tuple[str, ...] = ()  # what one file may hold several of, such as ("point",), in the order of `takes`
    headings: tuple[Heading, ...] = ()  # of tables: CSV, sheets, and JSON with `fields` and `data`
    read: Callable[[Rows, Selection], Iterator[Entry]] | None = None  # of tables
    document: Document | None = None
    encoding: str = "utf-8"  # of text without a byte order mark
    market_timezone: str = ""  # IANA name of the market's own clock, where the file is in UTC
