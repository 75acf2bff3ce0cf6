"""The lines of a log that cannot be read: a few are left out, many refuse the log, a second header always does."""

from array import array
from collections.abc import Callable
from pathlib import Path

from bench import limits
from bench.meters.logs.table import Table, is_heading
from bench.meters.logs.text import MOST_LINES
from hardware_profiles.errors import InputError, shown


class Malformed:
    """The unreadable lines of a log.

    Parameters
    ----------
    path
        The file, for messages.
    table
        Its table, None if it is none.
    line
        Returns the line of a number.
    """

    def __init__(self, path: Path, table: Table | None, line: Callable[[int], str]) -> None:
        self._path, self._table, self._line = path, table, line
        self._numbers = array("L")
        self._suspects = 0
        self._second_header: tuple[int, str] | None = None

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self._numbers)

    def add(self, number: int, line: str) -> None:
        """Add a line that is no row.

        Raises
        ------
        InputError
            As `suspect`.
        """
        self._numbers.append(number)
        self.suspect(number, line)

    def suspect(self, number: int, line: str) -> None:
        """Look at an unreadable line, which may be a second header.

        Raises
        ------
        InputError
            There are more than the longest log may have.
        """
        self._suspects += 1
        if self._table is not None and is_heading(line, self._table.separator):
            self._second_header = min(self._second_header or (number, line), (number, line))
        if self._suspects > limits.MALFORMED_LINES_FRAC * MOST_LINES:
            raise self._too_many(number, self._suspects, number)

    def accepted(self, late: "array[int]", rows: int) -> tuple[int, ...]:
        """Return the numbers of all unreadable lines, in order.

        Parameters
        ----------
        late
            More of them, which only the whole log shows.
        rows
            How many rows the log has, readable or not.

        Raises
        ------
        InputError
            One of them is a header, so that the columns may have moved, or they are more than the method allows.
        """
        if self._second_header is not None and self._table is not None:
            number, line = self._second_header
            expected = f"one header, {', '.join(self._table.names)} (cut the file before the second)"
            raise InputError.at(f"{self._path}: line {number}", expected=expected, got=line)
        numbers = sorted(self._numbers + late)
        if len(numbers) > limits.MALFORMED_LINES_FRAC * rows:
            raise self._too_many(numbers[0], len(numbers), rows)
        return tuple(numbers)

    def _too_many(self, first: int, count: int, rows: int) -> InputError:
        return InputError(
            f"{self._path}: line {first}: expected time and watts, got {count} of {rows} lines "
            f"unreadable, the first is {shown(self._line(first))}; settings that may help: time=NAME, column=NAME, "
            "time_format=%d.%m.%Y %H:%M:%S, decimal=comma, skip=LINES"
        )
