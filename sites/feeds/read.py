"""The reader of market files: from a path and a choice to one series in the order of time."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown
from sites.feeds.cells import cell_text
from sites.feeds.files.source import FEED, Source, checked, document_of, opened, text_lines
from sites.feeds.files.workbook import Sheet, sheets
from sites.feeds.intervals import MOST_ENTRIES, Entries, Ordered
from sites.feeds.layouts import LAYOUTS, layout_of
from sites.feeds.model import CellError
from sites.feeds.recognise import HEAD_LINES, document_layout, split, table_of
from sites.feeds.rows import Rows
from sites.feeds.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hardware_profiles.opening import Kind
    from sites.feeds.model import Entry, Layout
    from sites.feeds.recognise import Table

_LISTED_ROWS = 200_000  # that are read on to list what the file offers


@dataclass(frozen=True, slots=True)
class Feed:
    """One series of a market file, or of several of the same layout."""

    paths: tuple[Path, ...]
    layout: Layout
    chosen: dict[str, str]  # what was read, by the names of the layout's choices
    unit: str  # such as "USD/MWh"
    intervals: Ordered
    without: tuple[str, ...] = ()  # the files that have no row of the choice
    files: int = 1  # with the members of archives

    @property
    def path(self) -> Path:
        """The first file."""
        return self.paths[0]


def read_feed(
    path: Path | Sequence[Path],
    choices: Mapping[str, str] | None = None,
    feed: str | None = None,
    kind: Kind = FEED,
    layouts: tuple[Layout, ...] = LAYOUTS,
) -> Feed:
    """Return one series of a market file, or of several of the same layout, such as one file for each day.

    Parameters
    ----------
    path
        The file as it was downloaded, or a zip archive, or several of them. All files of an archive are read.
    choices
        Values by the names of the layout's choices, such as {"point": "HB_WEST"}.
    feed
        Name of the layout; None to recognise it.
    kind
        Kind of the file, with its limit of size.
    layouts
        The layouts to recognise.

    Raises
    ------
    InputError
        A file is not of a known layout, of the named one or of that of the first file, a cell is faulty, or the choice
        does not leave one series.
    """
    paths = (path,) if isinstance(path, Path) else tuple(path)
    place = f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else str(paths[0])
    if feed is not None and all(feed != layout.name for layout in layouts):
        layout_of(feed, f"{place}: feed")
    reading = _Reading(choices or {}, place, feed, layouts)
    for each in paths:
        with opened(each, kind) as sources:
            for source in sources:
                reading.add(source)
    return reading.feed(paths)


def recognised(path: Path, kind: Kind = FEED) -> Layout | None:
    """Return the layout of a market file by its columns or its document; None if it has none, or several fit."""
    try:
        with opened(path, kind) as sources:
            return _layout_and_tables(next(sources), LAYOUTS, None)[0]
    except InputError:
        return None


class _Reading:
    """What several files, or the members of an archive, have of one series."""

    def __init__(self, choices: Mapping[str, str], place: str, feed: str | None, layouts: tuple[Layout, ...]) -> None:
        self._choices, self._place, self._feed, self._layouts = choices, place, feed, layouts
        self._entries = Entries()
        self._selection: Selection | None = None
        self._layout: Layout | None = None
        self._files = 0
        self._without: list[str] = []

    def add(self, source: Source) -> None:
        """Read a file; the first one decides on the layout of all."""
        layout, tables = _layout_and_tables(source, self._layouts, self._feed)
        if self._selection is None:
            self._selection = Selection(layout.choices, self._choices, self._place)
            self._layout, self._feed = layout, layout.name
        before = len(self._entries)
        _collect_tables(source.path, layout, tables, self._selection, self._entries)
        self._files += 1
        if len(self._entries) == before:
            self._without.append(source.path.name)

    def feed(self, paths: tuple[Path, ...]) -> Feed:
        """Return the series."""
        if self._selection is None or self._layout is None:
            raise InputError(f"{self._place}: expected a file in the archive, got none")
        chosen = self._selection.settled()
        if not len(self._entries):
            raise InputError(f"{self._place}: expected at least one interval, got none")
        unit = _unit(self._place, self._layout, self._selection.unit)
        intervals = self._entries.ordered(self._place)
        return Feed(paths, self._layout, chosen, unit, intervals, tuple(self._without), self._files)


def _unit(path: str, layout: Layout, stated: str) -> str:
    if layout.unit and stated and stated != layout.unit:
        raise InputError(f"{path}: expected the unit {layout.unit} of {layout.name}, got {shown(stated)}")
    if not (layout.unit or stated):
        raise InputError(f"{path}: expected a unit in the file, got none")
    return layout.unit or stated


def _layout_and_tables(source: Source, layouts: tuple[Layout, ...], feed: str | None) -> tuple[Layout, Iterable[Any]]:
    """Return the layout of a file, and its tables or its document."""
    if source.form == "text":
        return _text_table(source, layouts, feed)
    if source.form == "workbook":
        return _workbook(source, layouts, feed)
    return _document(source, layouts, feed)


def _text_table(source: Source, layouts: tuple[Layout, ...], feed: str | None) -> tuple[Layout, Iterable[Any]]:
    lines = text_lines(source)
    head = list(islice(lines, HEAD_LINES))
    table = table_of(source.path, [_shown_text(line, layouts) for line in head], layouts, feed)
    before = [split(line, table.heading.separator) for line in head[: table.at]]
    numbered = _csv_rows(chain(head[table.at + 1 :], lines), table, source.path)
    return table.layout, [Rows(table.names, table.heading, numbered, before)]


def _shown_text(line: str, layouts: tuple[Layout, ...]) -> str:
    """Return a line for recognition: in UTF-8, or else in an encoding that a layout has."""
    for encoding in dict.fromkeys(("utf-8", *(layout.encoding for layout in layouts))):
        try:
            return checked(line, encoding)
        except ValueError:
            continue
    return line.encode("utf-8", "replace").decode()


def _csv_rows(lines: Iterable[str], table: Table, path: Path) -> Iterator[tuple[int, list[str]]]:
    number = table.at + 1
    encoding = table.layout.encoding

    def kept() -> Iterator[str]:
        nonlocal number
        for line in lines:
            number += 1
            try:
                yield checked(line, encoding)
            except ValueError as fault:
                raise InputError(f"{path}: line {number}: {fault}") from None

    rows = csv.reader(kept(), delimiter=table.heading.separator, skipinitialspace=True, strict=True)
    try:
        for row in rows:
            if row and any(row):
                yield number, row
    except csv.Error as error:
        raise InputError(f"{path}: line {number}: expected CSV, got {error} (a truncated download?)") from None


def _workbook(source: Source, layouts: tuple[Layout, ...], feed: str | None) -> tuple[Layout, Iterator[Rows]]:
    """Return the layout of the first sheet, and the table of every sheet, each read when its turn comes."""
    parts = sheets(source)
    first = next(parts, None)
    if first is None:
        raise InputError(f"{source.path}: expected a sheet with cells, got none")
    layout, rows = _sheet(first, source.path, layouts, feed)
    return layout, chain((rows,), (_sheet(part, source.path, (layout,), layout.name)[1] for part in parts))


def _sheet(sheet: Sheet, path: Path, layouts: tuple[Layout, ...], feed: str | None) -> tuple[Layout, Rows]:
    lines = enumerate(sheet.rows, 1)
    head = list(islice(lines, HEAD_LINES))
    place = f"{path}: sheet {shown(sheet.name)}"
    table = table_of(place, [cells for _, cells in head], layouts, feed)
    filled = ((at, cells) for at, cells in chain(head[table.at + 1 :], lines) if any(cells))
    before = [cells for _, cells in head[: table.at]]
    return table.layout, Rows(table.names, table.heading, filled, before, unit=f"sheet {shown(sheet.name)}: row")


def _document(source: Source, layouts: tuple[Layout, ...], feed: str | None) -> tuple[Layout, Iterable[Any]]:
    document = document_of(source)
    if isinstance(document, dict) and isinstance(document.get("fields"), list):
        return _json_table(source.path, document, layouts, feed)
    layout = document_layout(source.path, document, source.form, layouts, feed)
    return layout, [document]


def _json_table(
    path: Path, document: Any, layouts: tuple[Layout, ...], feed: str | None
) -> tuple[Layout, Iterable[Any]]:
    """Return the table of a JSON object with the names of columns in `fields` and rows of values in `data`."""
    fields = [field.get("name", "") if isinstance(field, dict) else field for field in document["fields"]]
    table = table_of(path, [[cell_text(name) for name in fields]], layouts, feed)
    data = document.get("data")
    if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        raise InputError(f"{path}: key data: expected a list of rows, got {shown(data)}")
    numbered = ((at, [cell_text(value) for value in row]) for at, row in enumerate(data, 1))
    return table.layout, [Rows(table.names, table.heading, numbered, unit="row")]


def _collect_tables(path: Path, layout: Layout, tables: Iterable[Any], selection: Selection, entries: Entries) -> None:
    for table in tables:
        try:
            _collect(_read(layout, table, selection), entries, selection, path)
        except CellError as fault:
            place = f" {table.unit} {table.line}:" if isinstance(table, Rows) and table.line else ""
            raise InputError(f"{path}:{place} {fault}") from None


def _read(layout: Layout, table: Any, selection: Selection) -> Iterator[Entry]:
    if isinstance(table, Rows):
        return layout.read(table, selection) if layout.read else iter(())
    return layout.document.read(table, selection) if layout.document else iter(())


def _collect(found: Iterator[Entry], entries: Entries, selection: Selection, path: Path) -> None:
    add = entries.add
    for entry in found:
        add(entry)
        if selection.is_ambiguous:
            next(islice(found, _LISTED_ROWS, None), None)  # only to list what the file offers
            return
        if len(entries) > MOST_ENTRIES:
            raise InputError(f"{path}: expected at most {MOST_ENTRIES} intervals of one series, got more")
