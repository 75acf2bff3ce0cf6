"""The doubt whether a decimal comma without quotes split a number into two cells."""

import re
from collections.abc import Sequence
from itertools import pairwise, repeat
from pathlib import Path

from bench.meters.logs.cells.numbers import take_apart
from bench.meters.logs.names import words
from bench.meters.logs.rows.choose import Filter
from bench.meters.logs.table import Table, split
from hardware_profiles.errors import InputError

_WHOLE = re.compile(r"(?:.*[^.\d])?\d+")  # digits at the end, without a fraction
_FRACTION = re.compile(r"\d{1,9}(?:\s*[^\d\s.,].*)?")  # digits, and a unit behind them
_DIGITS = re.compile(r"\d{1,9}")
_NOTES = frozenset({"note", "notes", "comment", "comments", "remark", "remarks", "bemerkung", "kommentar", "event"})


class SplitNumbers:
    """Refuses rows that may hold a decimal comma without quotes: longer ones, and those with a number for a note.

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
    An empty last cell beyond the header is a sign of it, because the other cells fill the columns. Where the header has
    a note after the power, another is a note of digits alone after a whole number.
    """

    def __init__(self, path: Path, table: Table, chosen: Filter, power: int) -> None:
        self._path, self._table, self._chosen, self._power = path, table, chosen, power
        self._is_possible = table.separator == "," and bool(table.names) and power + 1 < table.width
        self._has_note = self._is_possible and words.key(table.names[power + 1]) in _NOTES
        self._written = max((len(split(line, ",")) for line in table.heading), default=0)

    def refuse(self, first: int, lines: Sequence[str]) -> None:
        """Refuse such a row among lines; `first` is the number of the first one.

        Raises
        ------
        InputError
            A row such as `12:00:00,140,91,` below the header `time,power,note`: 140 and a note, or 140.91 and none.
        """
        has_longer = self._is_possible and any(map(str.endswith, map(str.rstrip, lines), repeat(",")))
        if not (has_longer or self._has_note):
            return
        for number, line in enumerate(lines, first):
            if number <= self._table.start or line in self._table.heading:
                continue
            cells = [cell.strip() for cell in split(line, ",")]
            if len(cells) > self._power + 1 and self._may_be_split(line, cells) and self._chosen.admits(cells):
                expected = "as many cells as the header has, decimal commas in quotes (or decimal=point if it has none)"
                raise InputError.at(f"{self._path}: line {number}", expected=expected, got=line.strip())

    def _may_be_split(self, line: str, cells: Sequence[str]) -> bool:
        before = cells[: self._power + 2]
        if self._has_note and _WHOLE.fullmatch(before[-2]) and _DIGITS.fullmatch(before[-1]):
            return True
        if not line.rstrip().endswith(",") or len(cells) <= self._written or take_apart(before[-1]) is None:
            return False
        return any(_WHOLE.fullmatch(a) and _FRACTION.fullmatch(b) for a, b in pairwise(before))
