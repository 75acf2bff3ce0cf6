"""The doubt whether a decimal comma without quotes split a number into two cells."""

import re
from collections.abc import Sequence
from itertools import pairwise, repeat
from pathlib import Path

from bench.meters.logs.cells.numbers import take_apart
from bench.meters.logs.rows.choose import Filter
from bench.meters.logs.table import Table, split
from hardware_profiles.errors import InputError

_WHOLE = re.compile(r"(?:.*[^.\d])?\d+")  # digits at the end, without a fraction
_FRACTION = re.compile(r"\d{1,9}(?:\s*[^\d\s.,].*)?")  # digits, and a unit behind them


class SplitNumbers:
    """Refuses rows that are longer than the header and may hold a decimal comma without quotes.

    Parameters
    ----------
    path
        The file, for messages.
    table
        Its table.
    chosen
        The rows to read.
    power
        The last column of power.

    Notes
    -----
    An empty last cell beyond the header is the only sign of it, because the other cells fill the columns.
    """

    def __init__(self, path: Path, table: Table, chosen: Filter, power: int) -> None:
        self._path, self._table, self._chosen, self._power = path, table, chosen, power
        self._is_possible = table.separator == "," and bool(table.names) and power + 1 < table.width
        self._written = max((len(split(line, ",")) for line in table.heading), default=0)

    def refuse(self, first: int, lines: Sequence[str]) -> None:
        """Refuse such a row among lines, the first of which has this number.

        Raises
        ------
        InputError
            A row such as `12:00:00,140,91,` below the header `time,power,note`: 140 and a note, or 140.91 and none.
        """
        if not self._is_possible or not any(map(str.endswith, map(str.rstrip, lines), repeat(","))):
            return
        for number, line in enumerate(lines, first):
            if number <= self._table.start or not line.rstrip().endswith(",") or line in self._table.heading:
                continue
            cells = [cell.strip() for cell in split(line, ",")]
            power = self._power
            if len(cells) <= self._written or not self._chosen.admits(cells) or take_apart(cells[power + 1]) is None:
                continue
            if any(_WHOLE.fullmatch(a) and _FRACTION.fullmatch(b) for a, b in pairwise(cells[: power + 2])):
                expected = "as many cells as the header has, decimal commas in quotes (or decimal=point if it has none)"
                raise InputError.at(f"{self._path}: line {number}", expected=expected, got=line.strip())
