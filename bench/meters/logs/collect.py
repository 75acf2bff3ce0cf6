"""The cells of a log's rows that are needed, column by column."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.meters.logs.rows import Filter
from bench.meters.logs.table import COMMENT, Table, row_of


class Cells(NamedTuple):
    """The cells of complete rows, and the numbers of the lines that are none."""

    lines: "array[int]"  # number of each row's line
    columns: dict[int, list[str]]  # cells by column, without spaces around them
    kept: dict[int, list[str]]  # the same of columns with few different cells
    malformed: list[int]  # numbers of lines with another number of cells

    @property
    def total(self) -> int:
        """Return the number of rows, whole or not."""
        return len(self.lines) + len(self.malformed)


def collect(lines: Iterable[str], table: Table, chosen: Filter, needed: Sequence[int], kept: Sequence[int]) -> Cells:
    """Return the cells of a log's rows.

    Parameters
    ----------
    lines
        All lines of the log.
    table
        Its layout; repeats of the header and of the row of units are left out.
    chosen
        The rows to read.
    needed
        Columns of times and power.
    kept
        Columns that may name devices or units; equal cells share their memory.
    """
    cells = Cells(array("L"), {i: [] for i in needed}, {i: [] for i in kept}, [])
    appends = [(i, cells.columns[i].append) for i in needed]
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if number <= table.start or not line or line.startswith(COMMENT) or line.isspace() or line in table.heading:
            continue
        row = row_of(line, table)
        if chosen.wanted and not chosen.admits(row):
            continue
        if len(row) != table.width:
            cells.malformed.append(number)
            continue
        if table.names and row[0].strip() == table.names[0] and [cell.strip() for cell in row] == list(table.names):
            continue
        cells.lines.append(number)
        for i, append in appends:
            append(row[i].strip())
        for i in kept:
            cell = row[i].strip()
            cells.kept[i].append(texts.setdefault(cell, cell))
    return cells
