"""The cells of a log's rows that are needed, column by column, and the doubt whether a comma split one of them."""

import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.meters.logs.cells.numbers import take_apart
from bench.meters.logs.rows import Filter
from bench.meters.logs.table import COMMENT, Table, row_of, split
from hardware_profiles.errors import InputError

_WHOLE = re.compile(r"(?:.*[^.\d])?\d+")  # digits at the end, without a fraction
_FRACTION = re.compile(r"\d{1,9}(?:\s*[^\d\s.,].*)?")  # digits, and a unit behind them


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


def refuse_split_numbers(path: Path, table: Table, lines: Iterable[str], chosen: Filter, power: int) -> None:
    """Refuse rows that are longer than the header and may hold a decimal comma without quotes.

    Parameters
    ----------
    path
        The file, for messages.
    table
        Its table.
    lines
        All lines of the log.
    chosen
        The rows to read.
    power
        The last column of power.

    Raises
    ------
    InputError
        A row such as `12:00:00,140,91,` below the header `time,power,note`: 140 and a note, or 140.91 and none.

    Notes
    -----
    An empty last cell beyond the header is the only sign of it, because the other cells fill the columns.
    """
    if table.separator != "," or not table.names or power + 1 >= table.width:
        return
    written = max(len(split(line, ",")) for line in table.heading)
    for number, line in enumerate(lines, 1):
        if number <= table.start or not line.rstrip().endswith(",") or line in table.heading:
            continue
        cells = [cell.strip() for cell in split(line, ",")]
        if len(cells) <= written or not chosen.admits(cells) or take_apart(cells[power + 1]) is None:
            continue
        if any(_WHOLE.fullmatch(a) and _FRACTION.fullmatch(b) for a, b in pairwise(cells[: power + 2])):
            expected = "as many cells as the header has, decimal commas in quotes (or decimal=point if it has none)"
            raise InputError.at(f"{path}: line {number}", expected=expected, got=line.strip())
