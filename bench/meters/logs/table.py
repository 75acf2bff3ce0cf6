"""The table in a log's text: its separator, the lines before it, its header and its row of units."""

import csv
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench.meters.logs.cells.numbers import is_missing, take_apart
from bench.meters.logs.cells.times import is_time
from bench.meters.logs.log import EmptyLogError
from bench.meters.logs.names import words
from bench.meters.logs.names.meaning import Kind, meaning
from bench.meters.logs.names.units import normal, unit_of
from hardware_profiles.errors import InputError

_SEPARATORS = ("\t", ";", "|", ",", " ")
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{2,4}|\d{4}年\d+月\d+日")
_RULE = re.compile(r"[-=+|:,;\s]*(?:--|==)[-=+|:,;\s]*")  # between header and rows
COMMENT = ("#", "%", "//")
# what a row of units holds apart from units: words and patterns for the format of a time
_FORMAT = re.compile(r"|-|iso ?-?8601|iso|utc|local|epoch|unix|[yYmMdDhHsSfT:/\-. aApP%]+", re.IGNORECASE)


class Table(NamedTuple):
    """The layout of a table."""

    separator: str
    names: tuple[str, ...]  # as the file writes them, without repeats; empty without a header
    units: tuple[str, ...]  # of the row below the header, empty without one
    width: int  # number of columns
    start: int  # number of lines before the first row
    heading: frozenset[str]  # the lines of the header and of the units


def split(line: str, separator: str) -> list[str]:
    """Return the cells of a line."""
    if separator == " ":
        return line.split()
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def row_of(line: str, table: Table) -> list[str]:
    """Return the cells of a row, without empty ones beyond the last column."""
    cells = split(line, table.separator)
    while len(cells) > table.width and not cells[-1].strip():
        cells.pop()
    return cells


def find_table(path: Path, head: Sequence[str], time_format: str | None) -> Table:
    """Return the layout of the table in the first lines of a log.

    Parameters
    ----------
    path
        The file, for messages.
    head
        The first lines; those that are no part of the table are empty.
    time_format
        A stated format of times.

    Raises
    ------
    InputError
        There is no row with a time and a number below a header, or several columns have no header.
    EmptyLogError
        There is a header and no row yet.
    """
    stated = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", next(iter(head), ""), re.IGNORECASE)
    layouts = [
        layout
        for separator in ((stated[1],) if stated else _SEPARATORS)
        if (layout := _layout(head, separator, _timely(time_format))) is not None
    ]
    best = max(layouts, key=lambda layout: (bool(layout.table.names), layout.rows), default=None)
    if best is None:
        if _header_alone(head):
            raise EmptyLogError(f"{path}: expected lines of time and watts, got a heading alone")
        expected = (
            "columns separated by comma, semicolon, tab or space, with a header and a time in each row (or a setting "
            "time_format= or skip=)"
        )
        raise InputError.at(path, expected=expected, got=next((line for line in head if line.strip()), ""))
    has_names = bool(best.above) and is_heading(best.above, best.table.separator)
    if not best.table.names and (best.table.width > 2 or has_names):
        row = head[best.table.start]
        if best.above:
            expected = f"as many names as cells: {best.above.strip()} above {row.strip()}"
            raise InputError.at(path, "header", expected=expected, got=f"{best.table.width} cells in a row")
        expected = "a header above more than two columns (write one as the first line of the file)"
        raise InputError.at(path, "header", expected=expected, got=row)
    return best.table


def _header_alone(head: Sequence[str]) -> bool:
    """Return whether the last line that is not empty names columns, as no more than one line above it does."""
    texts = [line for line in head if line.strip()]
    headings = [any(is_heading(line, separator) for separator in _SEPARATORS) for line in texts]
    return bool(headings) and headings[-1] and sum(headings) <= 2


class _Layout(NamedTuple):
    """A table that one separator gives."""

    table: Table
    rows: int  # number of rows that it fits
    above: str  # the line of text next above the first row


def _timely(time_format: str | None) -> Callable[[str], bool]:
    def timely(cell: str) -> bool:
        if is_time(cell) or _DATE.fullmatch(cell) is not None:
            return True
        try:
            return time_format is not None and bool(datetime.strptime(cell, time_format))  # noqa: DTZ007
        except (ValueError, re.error):
            return False

    return timely


def _layout(head: Sequence[str], separator: str, timely: Callable[[str], bool]) -> _Layout | None:
    """Return the table that a separator gives, None if there is none."""
    rows = [_Row(line, separator, timely) for line in head]
    bare = None
    for i, row in enumerate(rows):
        if row.shape != "data":
            continue
        names, units, j = _header(rows, i)
        fits = [other for other in rows[i:] if other.shape == "data" and other.fits(len(names) or len(row.cells))]
        data = [other for other in rows[i:] if other.shape == "data"]
        if len(fits) < len(data) / 2:
            continue
        above = next((other.line for other in reversed(rows[:i]) if other.shape == "text"), "")
        if names:
            heading = frozenset({rows[j].line, above})
            start = next(k for k in range(j + 1, i + 1) if (rows[k].timely and rows[k].fits(len(names))) or k == i)
            return _Layout(Table(separator, _unique(names), units, len(names), start, heading), len(fits), above)
        bare = bare or _Layout(Table(separator, (), (), len(row.cells), i, frozenset()), len(fits), above)
    return bare


def _header(rows: Sequence["_Row"], first: int) -> tuple[list[str], tuple[str, ...], int]:
    """Return the names and the units above the first row, and the header's index; no names if none fit."""
    texts = [j for j in range(first) if rows[j].shape == "text"]
    units: tuple[str, ...] = ()
    if len(texts) > 1 and _is_units(rows[texts[-1]].cells):
        above = rows[texts[-2]].names(len(rows[texts[-1]].cells))
        if len(above) >= len(rows[texts[-1]].cells) and not _is_units(above):
            units = tuple(cell.strip("[]()") for cell in rows[texts.pop()].cells)
    if not texts:
        return [], (), 0
    names = rows[texts[-1]].names(len(rows[first].cells))
    return (names, units, texts[-1]) if rows[first].fits(len(names)) else ([], (), 0)


class _Row:
    """One line of the head, taken apart."""

    def __init__(self, line: str, separator: str, timely: Callable[[str], bool]) -> None:
        self.line = line
        self.cells = [cell.strip() for cell in split(line, separator)]
        self.written = len(self.cells)
        while self.cells and not self.cells[-1]:
            self.cells.pop()
        self.timely = any(map(timely, self.cells))
        self.shape = self._shape(timely)

    def fits(self, width: int) -> bool:
        """Return whether the row has the cells of so many columns."""
        return len(self.cells) <= width <= self.written

    def names(self, width: int) -> list[str]:
        """Return the cells as names of columns; a comment sign before them is left out."""
        names = list(self.cells)
        sign = next((sign for sign in COMMENT if self.line.lstrip().startswith(sign)), "")
        if sign and names[0] == sign and len(names) > width:
            return names[1:]
        if sign:
            names[0] = names[0].lstrip("#%/ ") or names[0]
        return names

    def _shape(self, timely: Callable[[str], bool]) -> str:
        """Return `data` for a row with a time and a number, `text` for one that may name columns, else ``."""
        if len(self.cells) < 2 or _RULE.fullmatch(self.line):
            return ""
        times = [cell for cell in self.cells if timely(cell)]
        others = [cell for cell in self.cells if not timely(cell)]
        numbers = [cell for cell in others if (taken := take_apart(cell)) and (not taken.unit or unit_of(taken.unit))]
        if self.line.lstrip().startswith(COMMENT) and times:
            return ""
        if (times and (numbers or len(times) > 1 or any(map(is_missing, others)))) or len(numbers) == len(self.cells):
            return "data"
        return "text" if not times and len(numbers) < len(self.cells) / 2 else ""


def is_heading(line: str, separator: str) -> bool:
    """Return whether a line names columns: a time, or a power with its unit."""
    row = _Row(line, separator, lambda _: False)
    names = row.names(len(row.cells)) if row.cells else []
    return row.shape == "text" and bool(words.time_columns(names) or any(meaning(n).kind is Kind.WATTS for n in names))


def _is_units(cells: list[str]) -> bool:
    """Return whether a row holds the units of the columns above it."""
    plain = [normal(cell).strip("[]()") for cell in cells]
    return any(map(unit_of, plain)) and all(unit_of(cell) or _FORMAT.fullmatch(cell) for cell in plain)


def _unique(names: list[str]) -> tuple[str, ...]:
    """Return the names with a number behind each repeated one, so that every name is unique."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return tuple(unique)


def find_column(names: Sequence[str], name: str) -> int | None:
    """Return the column of a name: as it is written, else in other letters, else by its letters and digits alone."""
    for form in (str.strip, lambda text: normal(text).casefold(), words.key):
        matches = [i for i, known in enumerate(names) if form(known) == form(name) and form(name)]
        if len(matches) == 1 or (matches and form is str.strip):
            return matches[0]
    return None
