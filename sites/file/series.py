"""The reader of hourly series from CSV and Parquet files, which checks that every hour has one valid value."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.decoding import decimal
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import HOURLY_SERIES, read_input
from sites.file.csv_rows import csv_rows
from sites.file.ranges import Range
from sites.hours.calendar import HOUR_S, utc_text
from sites.hours.clock import Clock
from sites.parquet import read_table, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sites.arrays import Floats

TIME_COLUMN = "time"
UTC_COLUMN = "time_utc"  # of the plans and tables that perwatt writes
_PARQUET = "a readable Parquet file"
ANY = Range(-1e12, 1e12, "in the column's unit")


class Span(NamedTuple):
    """The hours of a series."""

    start_s: int  # [s, unix] start of the first hour
    hours: int


def read_series(path: Path, column: str, span: Span, within: Range = ANY, clock: Clock | None = None) -> Floats:
    """Return the values of one column for every hour, shape [hours], in the unit of the file.

    The file has a column `time` (ISO 8601, start of the hour; local time unless it has an offset). Rows may come in
    any order; rows outside the hours are ignored. A plan that perwatt wrote is read as well: its column is `time_utc`,
    and an hour may be repeated with the same value (once for each part).

    Parameters
    ----------
    path
        CSV file, or Parquet file with the suffix .parquet.
    column
        Name of the column.
    span
        The hours.
    within
        Range of valid values.
    clock
        Clock of the site, which reads times without an offset and notes their column; UTC if None.

    Raises
    ------
    InputError
        An hour is missing or repeated, a time is not a whole hour or does not exist once on the local clock, a value
        is not a number within the range, a row has more or fewer cells than the heading, a column is missing or
        repeated, or the file cannot be read.
    """
    start_s, hours = span
    series = np.full(hours, math.nan)
    seen = np.zeros(hours, np.int64)
    last_s = start_s + hours * HOUR_S
    from_plan, cells = _cells(path, column)
    if from_plan or clock is None:
        clock = Clock.of("UTC")
    for location, cell, value in cells:
        time = _time(cell, location)
        local = time.tzinfo is None
        if not start_s <= (time.replace(tzinfo=clock.zone) if local else time).timestamp() < last_s:
            continue
        at_s = clock.unix_s(time, f"{location}: {TIME_COLUMN}")
        if local:
            clock.local_keys[f"{TIME_COLUMN} of {path.name}"] = None
        index, rest = divmod(at_s - start_s, HOUR_S)
        if rest:
            utc = f" ({utc_text(at_s)})" if local else ""
            raise InputError(f"{location}: {TIME_COLUMN}: expected the start of a whole hour, got {shown(cell)}{utc}")
        number = _within(value, location, column, within, at_s)
        if seen[index] and not (from_plan and number == series[index]):
            raise InputError(
                f"{location}: {TIME_COLUMN}: expected each hour once, got {utc_text(at_s)} again "
                "(an hour repeated by daylight saving? use UTC or offsets)"
            )
        seen[index] = 1
        series[index] = number
    missing = np.flatnonzero(seen == 0)
    if missing.size:
        raise InputError(
            f"{path}: {TIME_COLUMN}: expected all {hours} hours from {utc_text(start_s)}, got none for "
            f"{utc_text(start_s + int(missing[0]) * HOUR_S)} ({missing.size} missing)"
        )
    return series


def _cells(path: Path, column: str) -> tuple[bool, Iterator[tuple[str, object, object]]]:
    """Return whether a file is a plan, and the location, time and value of each of its rows."""
    if path.suffix.lower() == ".parquet":
        return _parquet_cells(path, column)
    rows = csv_rows(path, HOURLY_SERIES)
    _, heading = next(rows, (0, []))
    time_column = _time_column(path, heading, column)
    time_at, value_at = heading.index(time_column), heading.index(column)
    cells = ((f"{path}: line {line}", row[time_at], row[value_at]) for line, row in rows)
    return time_column == UTC_COLUMN, cells


def _parquet_cells(path: Path, column: str) -> tuple[bool, Iterator[tuple[str, object, object]]]:
    content = read_input(path, HOURLY_SERIES)
    time_column = _time_column(path, schema_of(content, path, _PARQUET).names, column)
    table = read_table(content, path, [time_column, column], _PARQUET)
    try:
        times = table[time_column].to_pylist()
    except (OverflowError, ValueError) as error:
        raise InputError(f"{path}: {time_column}: expected times of the years 1 to 9999, got {error}") from None
    try:
        values = table[column].to_pylist()
    except (OverflowError, ValueError) as error:
        raise InputError(f"{path}: {column}: expected numbers, got {error}") from None
    rows = enumerate(zip(times, values, strict=True))
    return time_column == UTC_COLUMN, ((f"{path}: row {row}", time, value) for row, (time, value) in rows)


def _time_column(path: Path, heading: Iterable[str], column: str) -> str:
    """Return the name of the column of times after a check that it and the column of values are there, once."""
    known = list(heading)
    time_column = UTC_COLUMN if UTC_COLUMN in known and TIME_COLUMN not in known else TIME_COLUMN
    if column == time_column:
        raise InputError.at(path, "column", expected=f"a column of values other than {time_column}", got=column)
    for name in (time_column, column):
        if known.count(name) > 1:
            raise InputError(f"{path}: column {name}: expected it once, got it {known.count(name)} times")
        if name not in known:
            raise InputError.at(path, name, expected="this column", near=near_names(name, known) or known[:6])
    return time_column


def _time(time: object, location: str) -> datetime:
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError:
            raise InputError(f"{location}: {TIME_COLUMN}: expected ISO 8601, got {shown(time)}") from None
    if not isinstance(time, datetime):
        raise InputError(f"{location}: {TIME_COLUMN}: expected a time, got {shown(time)}")
    return time


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else math.nan


def _within(value: object, location: str, column: str, within: Range, at_s: int) -> float:
    try:
        number = decimal(value) if isinstance(value, str) else _float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or number not in within:
        expected = f"a number of {within}" if math.isfinite(number) else "a finite number"
        raise InputError(f"{location}: {column}: expected {expected}, got {shown(value)} at {utc_text(at_s)}")
    return number
