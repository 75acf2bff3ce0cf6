"""The reader of series from CSV and Parquet files, which checks that valid values cover every hour."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
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
from sites.hours.intervals import MARKET_LENGTHS_S, MINUTE_S, Intervals, lengths_of_rows, step_means
from sites.parquet import read_table, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sites.arrays import Floats, Integers

TIME_COLUMN = "time"
UTC_COLUMN = "time_utc"  # of the plans and tables that perwatt writes
_PARQUET = "a readable Parquet file"
HALF_SECOND = timedelta(milliseconds=500)
ANY = Range(-1e12, 1e12, "in the column's unit")


class Span(NamedTuple):
    """The equal steps of a series: the hours of a year, or shorter ones."""

    start_s: int  # [s, unix] start of the first step
    steps: int
    step_s: int = HOUR_S  # [s]

    @property
    def end_s(self) -> int:
        """End of the last step [s, unix]."""
        return self.start_s + self.steps * self.step_s


class SeriesColumn(NamedTuple):
    """A column of values, and what is valid in it."""

    name: str
    within: Range = ANY
    lengths_s: tuple[int, ...] = MARKET_LENGTHS_S  # [s] lengths that an interval may have, the longest last


class _Row(NamedTuple):
    """A row of a series, with its location and its time as written, for errors."""

    value: float
    location: str
    cell: object
    clock_s: int  # [s] since the whole hour, on the clock that the time is written in
    local: bool  # whether the time has no offset


def read_series(path: Path, column: str, span: Span, within: Range = ANY, clock: Clock | None = None) -> Floats:
    """Return the time-weighted mean of one column over every step, shape [steps], in the unit of the file.

    `column` is its name, `within` the range of valid values. Errors are those of `read_intervals` and `means`.
    """
    return means(read_intervals(path, SeriesColumn(column, within), span, clock), span, path)


def read_intervals(path: Path, column: SeriesColumn, span: Span, clock: Clock | None = None) -> Intervals:
    """Return the intervals of one column that reach into the steps, in the unit of the file.

    The file has a column `time` (ISO 8601, start of the interval; local time unless it has an offset). An interval
    lasts as long as the distance of the rows, 5 to 60 minutes. Rows may come in any order; rows outside the steps are
    ignored. A plan that perwatt wrote is read as well: its column is `time_utc`, and an hour may be repeated with the
    same value (once for each part).

    Parameters
    ----------
    path
        CSV file, or Parquet file with the suffix .parquet.
    column
        The column.
    span
        The steps.
    clock
        Clock of the site, which reads times without an offset and notes their column; UTC if None.

    Raises
    ------
    InputError
        An interval is repeated, a time is not the start of an interval or does not exist once on the local clock, a
        value is not a number within the range, a row has more or fewer cells than the heading, a column is missing or
        repeated, or the file cannot be read.
    """
    rows: dict[int, _Row] = {}
    from_plan, cells = _cells(path, column.name)
    if from_plan or clock is None:
        clock = Clock.of("UTC")
    for location, cell, value in cells:
        time = _time(cell, location)
        local = time.tzinfo is None
        rough_s = (time.replace(tzinfo=clock.zone) if local else time).timestamp()
        if not span.start_s - column.lengths_s[-1] < rough_s < span.end_s:
            continue
        at_s = int(rough_s)
        if local:
            at_s = clock.unix_s(time, f"{location}: {TIME_COLUMN}")
            clock.local_keys[f"{TIME_COLUMN} of {path.name}"] = None
        number = _within(value, location, column.name, column.within, at_s)
        if at_s in rows and not (from_plan and number == rows[at_s].value):
            what = "interval" if (at_s - span.start_s) % HOUR_S else "hour"
            raise InputError(
                f"{location}: {TIME_COLUMN}: expected each {what} once, got {utc_text(at_s)} again "
                "(an hour repeated by daylight saving? use UTC or offsets)"
            )
        rows[at_s] = _Row(number, location, cell, time.minute * MINUTE_S + time.second, local)
    begin = np.array(sorted(rows), np.int64)
    length = lengths_of_rows(begin, column.lengths_s)
    _check_starts(begin, length, rows, span)
    length[:-1] = np.minimum(length[:-1], np.diff(begin))
    return Intervals(begin, begin + length, np.array([rows[at_s].value for at_s in begin.tolist()]))


def _check_starts(begin: Integers, length: Integers, rows: dict[int, _Row], span: Span) -> None:
    """Refuse a start that is not a whole number of its own lengths after the hour.

    The hour is that of the clock in which the time is written. With an offset it may also be the site's.
    """
    clock_s = np.array([rows[at_s].clock_s for at_s in begin.tolist()], np.int64)
    local = np.array([rows[at_s].local for at_s in begin.tolist()], bool)
    off = np.flatnonzero((clock_s % length != 0) & (local | ((begin - span.start_s) % length != 0)))
    if off.size:
        at_s, length_s = int(begin[off[0]]), int(length[off[0]])
        row = rows[at_s]
        whole = "a whole hour" if length_s == HOUR_S else f"an interval of {length_s // MINUTE_S} minutes"
        utc = f" ({utc_text(at_s)})" if row.local else ""
        *most, last = (str(each_s // MINUTE_S) for each_s in MARKET_LENGTHS_S)
        raise InputError(
            f"{row.location}: {TIME_COLUMN}: expected the start of {whole}, got {shown(row.cell)}{utc} "
            f"(rows may be {', '.join(most)} or {last} minutes apart)"
        )


def means(intervals: Intervals, span: Span, path: object, cure: str = "") -> Floats:
    """Return the time-weighted mean of a file's intervals over every step, shape [steps].

    Parameters
    ----------
    intervals
        The intervals of the file.
    span
        The steps.
    path
        The file, for errors.
    cure
        What the user may state about a gap between intervals, for the error.

    Raises
    ------
    InputError
        The intervals do not cover a whole step; the first moment without an interval is named.
    """
    mean = step_means(intervals, *span)
    lacking = np.isnan(mean.value)
    if not lacking.any():
        return mean.value
    first_s = _gap_s(intervals, span.start_s + int(lacking.argmax()) * span.step_s)
    kind = "hours" if span.step_s == HOUR_S else f"intervals of {span.step_s // MINUTE_S} minutes"
    missing = int((mean.covered_s == 0).sum())
    partly = int(lacking.sum()) - missing
    between = cure and intervals.start_s[0] <= span.start_s and intervals.end_s[-1] >= span.end_s
    raise InputError(
        f"{path}: {TIME_COLUMN}: expected all {span.steps} {kind} from {utc_text(span.start_s)}, got none for "
        f"{utc_text(first_s)} ({missing} missing{f', {partly} incomplete' if partly else ''})"
        f"{f'; {cure}' if between else ''}"
    )


def _gap_s(intervals: Intervals, at_s: int) -> int:
    """Return the first moment from a time on [s, unix] that is in no interval."""
    for begin_s, end_s in zip(intervals.start_s.tolist(), intervals.end_s.tolist(), strict=True):
        if begin_s > at_s:
            break
        at_s = max(at_s, end_s)
    return at_s


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
    if time.microsecond:  # spreadsheets store days as fractions: 06:59:59.993 for 07:00
        time = (time + HALF_SECOND).replace(microsecond=0)
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
