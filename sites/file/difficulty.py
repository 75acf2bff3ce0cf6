"""The difficulty of a site: its points from the site file or a CSV table, epochs of the network, and its growth."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import DIFFICULTY_TABLE
from sites.file.build_blocks import frac
from sites.file.csv_rows import csv_rows
from sites.file.ranges import DIFFICULTY, FIRST_DAY, LAST_DAY
from sites.hours.calendar import unix_s, utc_text
from sites.market.bitcoin import DifficultyPath
from sites.market.retarget import EpochData, check_against_bundled, check_bits, check_epochs

if TYPE_CHECKING:
    from pathlib import Path

    from hardware_profiles.opening import Kind
    from sites.file.site_file import MarketTable
    from sites.hours.calendar import Calendar
    from sites.market.bitcoin import Epoch

    Point = tuple[int, float]

COLUMNS = ("start", "difficulty")
EPOCH_COLUMNS = (*COLUMNS, "height", "bits", "last_unix")  # of a table of `perwatt feed difficulty`
_BITS, _WHOLE = re.compile(r"[0-9a-f]{8}"), re.compile(r"[0-9]{1,12}")


def difficulty_path(market: MarketTable, end_s: int, path: Path) -> DifficultyPath:
    """Return the difficulty path of a site.

    Parameters
    ----------
    market
        Table [market] of the site file.
    end_s
        End of the site's year, or of its horizon [s, unix].
    path
        The site file; the path of a table of difficulty is relative to its folder.

    Raises
    ------
    InputError
        Two points are not in the order of time, a point of the site file begins after the end, or the table cannot be
        read.
    """
    points = tuple((unix_s(point.start), point.difficulty.value) for point in market.difficulty)
    for index, (start_s, _) in enumerate(points):
        if start_s >= end_s:
            raise InputError(
                f"{path}: key market.difficulty[{index}].start: expected a time before the end of the year, "
                f"{utc_text(end_s)}, because a later point has no effect in it, got {utc_text(start_s)} "
                "(a longer table is a difficulty_file)"
            )
    growth = frac(market.difficulty_growth_percent_per_year)
    supplied: tuple[Epoch, ...] = ()
    if market.difficulty_file is not None:
        table = path.parent / market.difficulty_file
        if has_epochs(table):
            supplied = read_epochs(table)
        else:
            points = read_points(table)
    try:
        return DifficultyPath(growth, points, supplied)
    except InputError as error:
        raise InputError(f"{path}: market: {error}") from None


def superseded_note(market: MarketTable, calendar: Calendar) -> str:
    """Return a line about points of the site file that a later one replaces before the year; empty without any."""
    before = [point.start for point in market.difficulty if unix_s(point.start) <= calendar.start_s]
    if len(before) < 2:
        return ""
    points = "1 point" if len(before) == 2 else f"{len(before) - 1} points"
    return (
        f"market.difficulty: {points} before the year without effect, because the one of "
        f"{utc_text(unix_s(before[-1]))} holds at its start"
    )


def read_points(path: Path) -> tuple[Point, ...]:
    """Return the points (time [s, unix], difficulty) of a CSV table with the columns start and difficulty.

    A start is a day or a time in ISO 8601, in UTC unless it has an offset. Other columns are ignored.
    """
    rows = csv_rows(path, DIFFICULTY_TABLE)
    start_at, value_at = _places(path, next(rows, (0, []))[1], COLUMNS)
    points: list[Point] = []
    for line, cells in rows:
        location = f"{path}: line {line}"
        start_s, value = _start_s(cells[start_at], location), _difficulty(cells[value_at], location)
        if points and start_s <= points[-1][0]:
            raise InputError(
                f"{location}: start: expected a time after the row before, {utc_text(points[-1][0])}, "
                f"got {utc_text(start_s)}"
            )
        points.append((start_s, value))
    if not points:
        raise InputError(f"{path}: expected at least one row, got none")
    return tuple(points)


def has_epochs(path: Path) -> bool:
    """Return whether a table has the columns of `perwatt feed difficulty`, so that its rows are data of the network."""
    _, heading = next(csv_rows(path, DIFFICULTY_TABLE), (0, []))
    return set(EPOCH_COLUMNS) <= set(heading)


def read_epochs(path: Path, kind: Kind = DIFFICULTY_TABLE) -> tuple[Epoch, ...]:
    """Return the difficulty epochs of a table that `perwatt feed difficulty` wrote, each checked again.

    Parameters
    ----------
    path
        The table.
    kind
        Kind of the file: one that another file names, or one that the user names.

    Raises
    ------
    InputError
        The table cannot be read, a cell is invalid, an epoch does not follow from the one before by the rule of the
        network, or the epochs do not continue the bundled ones.
    """
    rows = csv_rows(path, kind)
    places = _places(path, next(rows, (0, []))[1], EPOCH_COLUMNS)
    epochs = [_epoch([cells[at] for at in places], f"{path}: line {line}") for line, cells in rows]
    if not epochs:
        raise InputError(f"{path}: expected at least one row, got none")
    check_epochs(path, epochs)
    check_against_bundled(path, epochs)
    return tuple(each.epoch() for each in epochs)


def _epoch(cells: list[str], location: str) -> EpochData:
    start, difficulty, height, bits, last = cells
    for column, text in (("height", height), ("last_unix", last)):
        if not _WHOLE.fullmatch(text) and (text or column == "height"):
            raise InputError(f"{location}: {column}: expected a whole number, got {shown(text)}")
    if not _BITS.fullmatch(bits):
        raise InputError(f"{location}: bits: expected 8 hexadecimal digits, got {shown(bits)}")
    check_bits(location, int(bits, 16), _difficulty(difficulty, location))
    return EpochData(int(height), int(bits, 16), _start_s(start, location), int(last) if last else None)


def _places(path: Path, heading: list[str], columns: tuple[str, ...]) -> list[int]:
    for column in columns:
        if heading.count(column) != 1:
            near = near_names(column, heading) or heading[:6]
            raise InputError.at(path, column, expected="this column, once", near=near)
    return [heading.index(column) for column in columns]


def _start_s(text: str, location: str) -> int:
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{location}: start: expected a day or time in ISO 8601, got {shown(text)}") from None
    if not FIRST_DAY <= when.date() <= LAST_DAY:
        raise InputError(f"{location}: start: expected a day of {FIRST_DAY} to {LAST_DAY}, got {when.date()}")
    return unix_s(when)


def _difficulty(text: str, location: str) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if value not in DIFFICULTY:
        raise InputError(f"{location}: difficulty: expected a number of {DIFFICULTY}, got {shown(text)}")
    return value
