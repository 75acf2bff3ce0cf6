"""A reader of CSV files that yields rows with their line numbers and reports errors on one line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def csv_rows(path: Path, kind: str, *, empty: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the heading and the rows of a CSV file as `parse_rows` does.

    Parameters
    ----------
    path
        The file, with or without a byte order mark.
    kind
        What the file is, for errors ("hourly series").
    empty
        Yield empty rows as well, without cells.

    Raises
    ------
    InputError
        The file cannot be read, is not UTF-8 or is not a table as `parse_rows` expects it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from parse_rows(file, path, empty=empty)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8 text, got byte {error.object[error.start]:#04x}") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable {kind}, got {error.strerror or error}") from None


def parse_rows(lines: Iterable[str], path: object, *, empty: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the heading and the rows of CSV text, each with the number of its last line.

    Blanks around a cell are removed; lines that start with # and rows of empty cells are skipped.

    Parameters
    ----------
    lines
        The lines of the text, with their ends.
    path
        Name of the text, for errors.
    empty
        Yield empty rows as well, without cells.

    Raises
    ------
    InputError
        The text is not CSV, its columns are not separated by commas, or a row has more or fewer cells than the heading.
    """
    heading: list[str] | None = None
    for line, row in _numbered(lines, path):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            if empty:
                yield line, []
            continue
        if heading is None:
            heading = cells
            _check_separator(heading, f"{path}: line {line}")
        if len(cells) != len(heading):
            raise InputError(
                f"{path}: line {line}: expected {len(heading)} cells, as in the heading, got {len(cells)} "
                "(a decimal comma? write a point)"
            )
        yield line, cells


def _check_separator(heading: list[str], location: str) -> None:
    for mark, name in SEPARATORS.items():
        if len(heading) == 1 and mark in heading[0]:
            raise InputError(
                f"{location}: expected columns separated by commas and numbers with a decimal point, got columns "
                f"separated by {name}"
            )


def _numbered(lines: Iterable[str], path: object) -> Iterator[tuple[int, list[str]]]:
    number = 0

    def kept() -> Iterator[str]:
        nonlocal number
        for number, line in enumerate(lines, 1):
            if "\0" in line:
                raise InputError(f"{path}: line {number}: expected CSV text, got a NUL byte")
            if not line.startswith("#"):
                yield line

    rows = csv.reader(kept(), skipinitialspace=True, strict=True)
    try:
        for row in rows:
            yield number, row
    except csv.Error as error:
        raise InputError(f"{path}: line {number}: expected CSV, got {error}") from None
