"""The cells of a log's rows that are needed, column by column."""

import csv
from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, compress, repeat

from bench.meters.logs.rows.choose import Filter
from bench.meters.logs.rows.malformed import Malformed
from bench.meters.logs.table import COMMENT, Table, row_of

CHUNK_ROWS = 32_768  # rows whose cells are kept as text at one time


class Cells:
    """The cells of some complete rows."""

    def __init__(self, needed: Sequence[int]) -> None:
        self.lines = array("L")  # number of each row's line
        self.texts: list[str] = []  # each row's line
        self.columns: dict[int, list[str]] = {i: [] for i in needed}  # cells by column, without spaces around them


class Collector:
    """Collects the cells of a log's rows from blocks of lines.

    Parameters
    ----------
    table
        The log's layout; repeats of the header and of the row of units are left out.
    chosen
        The rows to read.
    needed
        The columns to keep.
    malformed
        Gets the lines with another number of cells.
    """

    def __init__(self, table: Table, chosen: Filter, needed: Sequence[int], malformed: Malformed) -> None:
        self._table, self._chosen, self._needed = table, chosen, tuple(dict.fromkeys(needed))
        self._cells = Cells(self._needed)
        self._malformed = malformed

    def add(self, first: int, lines: Sequence[str]) -> None:
        """Collect the rows of lines; `first` is the number of the first one."""
        before = max(0, self._table.start + 1 - first)
        first, lines = first + before, lines[before:]
        if not self._add_all(first, lines):
            self._add_each(first, lines)

    def take(self, least: int = 1) -> Cells | None:
        """Return the cells so far, and begin anew; None if there are fewer rows than `least`."""
        if len(self._cells.lines) < least:
            return None
        cells, self._cells = self._cells, Cells(self._needed)
        return cells

    def _add_all(self, first: int, lines: Sequence[str]) -> bool:
        """Collect lines that all are plain rows of the table, column by column; return whether they are."""
        table, cells, n = self._table, self._cells, self._table.width
        if (
            table.separator == " "
            or any(map(str.startswith, lines, repeat(COMMENT)))
            or any(map(str.isspace, lines))
            or not table.heading.isdisjoint(lines)
        ):
            return False
        flat = _flat(lines, table.separator, n)
        if not flat or (table.names and table.names[0] in map(str.strip, flat[::n])):
            return False
        numbers: Iterable[int] = range(first, first + len(lines))
        columns: dict[int, Iterable[str]] = {i: map(str.strip, flat[i::n]) for i in self._needed}
        if self._chosen.wanted:
            admitted = [True] * len(lines)
            for i, value in self._chosen.wanted:
                admitted = [ok and cell.strip() == value for ok, cell in zip(admitted, flat[i::n], strict=True)]
            numbers, lines = compress(numbers, admitted), list(compress(lines, admitted))
            columns = {i: compress(column, admitted) for i, column in columns.items()}
        cells.lines.extend(numbers)
        cells.texts.extend(lines)
        for i, column in columns.items():
            cells.columns[i].extend(column)
        return True

    def _add_each(self, first: int, lines: Sequence[str]) -> None:
        table, cells = self._table, self._cells
        appends = [(i, cells.columns[i].append) for i in self._needed]
        for number, line in enumerate(lines, first):
            if not line or line.startswith(COMMENT) or line.isspace() or line in table.heading:
                continue
            row = row_of(line, table)
            if self._chosen.wanted and not self._chosen.admits(row):
                continue
            if len(row) != table.width:
                self._malformed.add(number, line)
                continue
            if table.names and row[0].strip() == table.names[0] and [cell.strip() for cell in row] == list(table.names):
                continue
            cells.lines.append(number)
            cells.texts.append(line)
            for i, append in appends:
                append(row[i].strip())


def _flat(lines: Sequence[str], separator: str, width: int) -> list[str]:
    """Return the cells of lines one after another; nothing if a line has another number of cells."""
    text = separator.join(lines)
    if '"' in text:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
        fit = len(rows) == len(lines) and set(map(len, rows)) == {width}  # a quote that does not end joins lines
        return list(chain.from_iterable(rows)) if fit else []
    fit = set(map(str.count, lines, repeat(separator))) == {width - 1}
    return text.split(separator) if fit else []
