"""A reader of CSV files that yields rows with their line numbers and reports errors on one line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def csv_rows(path: Path, kind: str, *, empty: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the heading and the rows of a CSV file, each with the number of its last line; skip lines starting with #.

    Parameters
    ----------
    path
        The file.
    kind
        What the file is, for errors ("hourly series").
    empty
        Yield empty lines as well, as rows without cells.

    Raises
    ------
    InputError
        The file cannot be read or is not CSV in UTF-8, or a row has more or fewer cells than the heading.
    """
    heading: list[str] | None = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _numbered(file):
                if not row:
                    if empty:
                        yield line, row
                    continue
                heading = heading or row
                if len(row) != len(heading):
                    raise InputError(
                        f"{path}: line {line}: expected {len(heading)} cells, as in the heading, got {len(row)} "
                        "(a decimal comma? write a point)"
                    )
                yield line, row
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8 text, got byte {error.object[error.start]:#04x}") from None
    except csv.Error as error:
        raise InputError(f"{path}: expected CSV, got {error}") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable {kind}, got {error.strerror or error}") from None


def _numbered(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    number = 0

    def lines() -> Iterator[str]:
        nonlocal number
        for number, line in enumerate(file, 1):  # noqa: B007 (read below, as the reader goes on)
            if not line.startswith("#"):
                yield line

    for row in csv.reader(lines()):
        yield number, row
