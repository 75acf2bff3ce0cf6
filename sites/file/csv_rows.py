"""A reader of CSV files that yields rows with their line numbers and reports errors on one line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from hardware_profiles.decoding import decode
from hardware_profiles.errors import InputError
from hardware_profiles.opening import read_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hardware_profiles.opening import Kind

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def csv_rows(path: Path, kind: Kind, *, empty: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the heading and the rows of a CSV file as `parse_rows` does.

    Parameters
    ----------
    path
        The file, with or without a byte order mark.
    kind
        Kind of the file, with its limit of size.
    empty
        Yield empty rows as well, without cells.

    Raises
    ------
    InputError
        As `read_input`, `decode` and `parse_rows`.
    """
    text = decode(read_input(path, kind), path)
    yield from parse_rows(io.StringIO(text, newline=""), path, empty=empty)


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
                f"separated by {name} (save it as CSV with commas)"
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
