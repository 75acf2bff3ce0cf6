"""Forward curves: a price for each local month, read from a CSV file and refused with a gap."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import FORWARD_CURVE
from sites.file.csv_rows import csv_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites.file.ranges import Range

MONTH_COLUMN = "month"
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def read_forward(path: Path, column: str, months: Sequence[str], within: Range) -> tuple[float, ...]:
    """Return the price of each month of a horizon.

    Parameters
    ----------
    path, column
        The CSV file, and its column of prices.
    months
        The months "YYYY-MM"; rows of other months are ignored.
    within
        Range of a price.

    Raises
    ------
    InputError
        The file cannot be read, a month is named twice, a price is invalid, or a month has none.
    """
    rows = csv_rows(path, FORWARD_CURVE)
    heading = next(rows, (0, []))[1]
    for name in (MONTH_COLUMN, column):
        if heading.count(name) != 1:
            near = near_names(name, heading) or heading[:6]
            raise InputError.at(path, name, expected="this column, once", near=near)
    month_at, price_at = heading.index(MONTH_COLUMN), heading.index(column)
    prices: dict[str, float] = {}
    for line, cells in rows:
        month, location = cells[month_at], f"{path}: line {line}"
        if not _MONTH.fullmatch(month):
            raise InputError.at(location, MONTH_COLUMN, expected="a month YYYY-MM", got=month)
        if month in prices:
            raise InputError.at(location, MONTH_COLUMN, expected="each month once", got=month)
        prices[month] = _price(cells[price_at], f"{location}: {column}", within)
    missing = [month for month in months if month not in prices]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path}: expected a price for each month of {months[0]} to {months[-1]}, got none for {missing[0]}{more}"
        )
    return tuple(prices[month] for month in months)


def _price(text: str, location: str, within: Range) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if value not in within:
        raise InputError(f"{location}: expected a number of {within}, got {shown(text)}")
    return value
