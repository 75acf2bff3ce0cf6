"""The reader of hourly series from CSV and Parquet files, which checks that every hour has one valid value."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError, near_names, shown
from sites.file.csv_rows import csv_rows
from sites.file.ranges import Range
from sites.hours.calendar import HOUR_S, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sites.arrays import Floats

TIME_COLUMN = "time"
ANY = Range(-1e12, 1e12, "in the column's unit")


def read_series(path: Path, column: str, start_s: int, hours: int, within: Range = ANY) -> Floats:
    """Return the values of one column for every hour, shape [hours], in the unit of the file.

    The file has a column `time` (ISO 8601, start of the hour; UTC unless it has an offset). Rows may come in any
    order; rows outside the hours are ignored.

    Parameters
    ----------
    path
        CSV file, or Parquet file with the suffix .parquet.
    column
        Name of the column.
    start_s
        Start of the first hour [s, unix].
    hours
        Number of hours.
    within
        Range of valid values.

    Raises
    ------
    InputError
        An hour is missing or repeated, a time is not a whole hour, a value is not a number within the range, a row has
        more or fewer cells than the heading, a column is missing or repeated, or the file cannot be read.
    """
    series = np.full(hours, math.nan)
    seen = np.zeros(hours, np.int64)
    last_s = start_s + hours * HOUR_S
    for location, time, value in _cells(path, column):
        at_s = _unix_s(time, location)
        if not start_s <= at_s < last_s:
            continue
        index, rest = divmod(at_s - start_s, HOUR_S)
        if rest:
            raise InputError(f"{location}: {TIME_COLUMN}: expected the start of a whole hour, got {shown(time)}")
        if seen[index]:
            raise InputError(
                f"{location}: {TIME_COLUMN}: expected each hour once, got {utc_text(at_s)} again "
                "(an hour repeated by daylight saving? use UTC or offsets)"
            )
        seen[index] = 1
        series[index] = _within(value, location, column, within, at_s)
    missing = np.flatnonzero(seen == 0)
    if missing.size:
        raise InputError(
            f"{path}: {TIME_COLUMN}: expected all {hours} hours from {utc_text(start_s)}, got none for "
            f"{utc_text(start_s + int(missing[0]) * HOUR_S)} ({missing.size} missing)"
        )
    return series


def _cells(path: Path, column: str) -> Iterator[tuple[str, object, object]]:
    if path.suffix.lower() == ".parquet":
        yield from _parquet_cells(path, column)
        return
    rows = csv_rows(path, "hourly series")
    _, heading = next(rows, (0, []))
    _need(path, heading, column)
    time_at, value_at = heading.index(TIME_COLUMN), heading.index(column)
    for line, row in rows:
        yield f"{path}: line {line}", row[time_at], row[value_at]


def _parquet_cells(path: Path, column: str) -> Iterator[tuple[str, object, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        heading = pq.read_schema(path).names
        _need(path, heading, column)
        table = pq.read_table(path, columns=[TIME_COLUMN, column])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: expected a readable Parquet file, got {error}") from None
    times, values = table[TIME_COLUMN].to_pylist(), table[column].to_pylist()
    for row, (time, value) in enumerate(zip(times, values, strict=True)):
        yield f"{path}: row {row}", time, value


def _need(path: Path, heading: Iterable[str], column: str) -> None:
    known = list(heading)
    if column == TIME_COLUMN:
        raise InputError.at(path, "column", expected=f"a column of values other than {TIME_COLUMN}", got=column)
    for name in (TIME_COLUMN, column):
        if known.count(name) > 1:
            raise InputError(f"{path}: column {name}: expected it once, got it {known.count(name)} times")
        if name not in known:
            raise InputError.at(path, name, expected="this column", near=near_names(name, known) or known[:6])


def _unix_s(time: object, location: str) -> int:
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError:
            raise InputError(f"{location}: {TIME_COLUMN}: expected ISO 8601, got {shown(time)}") from None
    if not isinstance(time, datetime):
        raise InputError(f"{location}: {TIME_COLUMN}: expected a time, got {shown(time)}")
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _within(value: object, location: str, column: str, within: Range, at_s: int) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float | Decimal) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or number not in within:
        expected = f"a number of {within}" if math.isfinite(number) else "a finite number"
        raise InputError(f"{location}: {column}: expected {expected}, got {shown(value)} at {utc_text(at_s)}")
    return number
