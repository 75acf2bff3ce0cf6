"""The difficulty of a site: its points from the site file or a CSV table, and its growth."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import DIFFICULTY_TABLE
from sites.file.build_blocks import frac
from sites.file.csv_rows import csv_rows
from sites.file.ranges import DIFFICULTY, FIRST_DAY, LAST_DAY
from sites.hours.calendar import HOUR_S, unix_s, utc_text
from sites.market.bitcoin import DifficultyPath

if TYPE_CHECKING:
    from pathlib import Path

    from sites.file.site_file import MarketTable
    from sites.hours.calendar import Calendar

    Point = tuple[int, float]

COLUMNS = ("start", "difficulty")


def difficulty_path(market: MarketTable, calendar: Calendar, path: Path) -> DifficultyPath:
    """Return the difficulty path of a site.

    Parameters
    ----------
    market
        Table [market] of the site file.
    calendar
        Hours of the site's year.
    path
        The site file; the path of a table of difficulty is relative to its folder.

    Raises
    ------
    InputError
        Two points are not in the order of time, a point of the site file begins after the year, or the table cannot
        be read.
    """
    points = tuple((unix_s(point.start), point.difficulty.value) for point in market.difficulty)
    end_s = calendar.start_s + calendar.hours * HOUR_S
    for index, (start_s, _) in enumerate(points):
        if start_s >= end_s:
            raise InputError(
                f"{path}: key market.difficulty[{index}].start: expected a time before the end of the year, "
                f"{utc_text(end_s)}, because a later point has no effect in it, got {utc_text(start_s)} "
                "(a longer table is a difficulty_file)"
            )
    if market.difficulty_file is not None:
        points = read_points(path.parent / market.difficulty_file)
    try:
        return DifficultyPath(frac(market.difficulty_growth_percent_per_year), points)
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
    _, heading = next(rows, (0, []))
    for column in COLUMNS:
        if heading.count(column) != 1:
            near = near_names(column, heading) or heading[:6]
            raise InputError.at(path, column, expected="this column, once", near=near)
    start_at, value_at = (heading.index(column) for column in COLUMNS)
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
