"""The rows of a log that are to be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.meters.logs.table import Table, find_column
from hardware_profiles.errors import InputError, near_names


class Filter(NamedTuple):
    """The rows to read: those whose cells have these values."""

    wanted: tuple[tuple[int, str], ...]
    text: str  # as it was stated

    def admits(self, cells: Sequence[str]) -> bool:
        """Return whether a row is to be read."""
        return all(column < len(cells) and cells[column].strip() == value for column, value in self.wanted)


def filter_of(path: Path, table: Table, stated: str | None) -> Filter:
    """Return the filter of `where=COLUMN=VALUE`, several joined by `&`.

    Raises
    ------
    InputError
        A part has no `=`, or its column does not exist.
    """
    wanted = []
    for part in (stated or "").split("&") if stated else ():
        ends = [i for i, character in enumerate(part) if character == "="]
        matches = [(column, part[i + 1 :]) for i in ends if (column := find_column(table.names, part[:i])) is not None]
        if not ends:
            raise InputError.at(path, "where", expected="COLUMN=VALUE, as in where=index=0", got=part)
        if not matches:
            name = part[: ends[0]]
            raise InputError.at(
                path, "where", expected=f"a column of {', '.join(table.names)}", got=name,
                near=near_names(name, table.names),
            )  # fmt: skip
        wanted.append((matches[0][0], matches[0][1].strip()))
    return Filter(tuple(wanted), f"where={stated}" if stated else "")
