"""The calibration of an uncertain input from a series of its values, as a random walk or a mean-reverting model."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from hardware_profiles.decoding import decimal
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import CSV
from sites.file.csv_rows import csv_rows
from sites.scenarios.model import Uncertain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MIN_VALUES = 3


def read_column(path: Path, column: str) -> list[float]:
    """Read a column of equally spaced numbers above 0 from a CSV file.

    Raises
    ------
    InputError
        The file cannot be read, the column is missing or repeated, a value (or an empty line between values) is not a
        number above 0, or there are fewer than three values; the message names file and line.
    """
    rows = csv_rows(path, CSV, empty=True)
    heading = next((row for _, row in rows if row), [])
    if column not in heading:
        near = near_names(column, heading) or heading[:6]
        raise InputError.at(path, column, expected="this column", near=near)
    if heading.count(column) > 1:
        raise InputError(f"{path}: column {column}: expected it once, got it {heading.count(column)} times")
    position, values, gap = heading.index(column), [], 0
    for line, row in rows:
        if not row:
            gap = gap or line
            continue
        if gap:
            raise InputError.at(f"{path}: line {gap}", column, expected="a number above 0", got="")
        values.append(_above_0(row[position], f"{path}: line {line}", column))
    if len(values) < MIN_VALUES:
        raise InputError.at(path, column, expected=f"at least {MIN_VALUES} values to calibrate from", got=len(values))
    return values


def _above_0(text: str, location: str, column: str) -> float:
    try:
        value = decimal(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InputError.at(location, column, expected="a number above 0", got=text)
    return value


def random_walk(values: Sequence[float], per_year: float) -> Uncertain:
    """Calibrate a geometric Brownian motion: standard deviation of log returns times sqrt(per_year).

    Parameters
    ----------
    values
        Equally spaced values, oldest first.
    per_year
        Number of values a year.

    Raises
    ------
    InputError
        There are fewer than three values, or one is not above 0.
    """
    logs = _logs(values)
    returns = [after - before for before, after in pairwise(logs)]
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((step - mean) ** 2 for step in returns) / (len(returns) - 1)
    return Uncertain(math.sqrt(variance * per_year), source=f"calibrated from {len(values)} values")


def mean_reverting(values: Sequence[float], per_year: float) -> Uncertain:
    """Calibrate an Ornstein-Uhlenbeck logarithm by a regression of each value on the one before.

    Parameters
    ----------
    values
        Equally spaced values, oldest first.
    per_year
        Number of values a year.

    Raises
    ------
    InputError
        There are fewer than three values, or one is not above 0.

    Notes
    -----
    A slope b and a residual deviation s give the reversion k = -ln(b) per_year and the volatility
    s sqrt(2 k / (1 - b^2)). A slope of 1 or more gives a random walk; a slope below 0.01 is taken as 0.01.
    """
    logs = _logs(values)
    before, after = logs[:-1], logs[1:]
    x, y = math.fsum(before) / len(before), math.fsum(after) / len(after)
    spread = math.fsum((value - x) ** 2 for value in before)
    if spread == 0:
        return Uncertain(0.0, source=f"calibrated from {len(values)} values")
    slope = math.fsum((p - x) * (q - y) for p, q in zip(before, after, strict=True)) / spread
    if slope >= 1.0:
        return random_walk(values, per_year)
    slope = max(slope, 0.01)
    residual = [q - y - slope * (p - x) for p, q in zip(before, after, strict=True)]
    variance = math.fsum(value**2 for value in residual) / max(1, len(residual) - 2)
    reversion = -math.log(slope) * per_year
    return Uncertain(
        math.sqrt(variance * 2.0 * reversion / (1.0 - slope**2)),
        reversion_per_year=reversion,
        source=f"calibrated from {len(values)} values",
    )


def _logs(values: Sequence[float]) -> list[float]:
    if len(values) < MIN_VALUES:
        raise InputError(f"calibration: expected at least {MIN_VALUES} values, got {len(values)}")
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise InputError("calibration: expected finite numbers above 0")
    return [math.log(value) for value in values]
