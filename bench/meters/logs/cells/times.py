"""Times of a log: formats, zones, and the order of day and month, decided over the whole column."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from bench.meters.logs.cells.dates import ORDERS, Dates, Order, date_of
from hardware_profiles.errors import InputError

_NUMBER = re.compile(r"\d+(?:[.,]\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)
_COMPACT = re.compile(r"20\d{12}(?:[.,]\d+)?")
_TEXT = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]?\s+)?"
    r"(?P<date>\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)"
    r"|\d{1,2}[-\s]?[a-z]{3,9}[-\s,.]+\d{4}"
    r"|\d{1,2}-[a-z]{3}-\d\d|[a-z]{3,9}\.?\s+\d{1,2}(?:,\s?|\s)\d{4})"
    r"(?:(?:[T\s,_]+|:|\s+-\s+)(?P<clock>\d{1,2}:\d\d(?::\d\d)?)(?P<fraction>[.,:]\d+)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?P<zone>z|(?:utc|gmt)?\s?[+-]\d\d?(?::?\d\d)?|utc|gmt)?)?",
    re.IGNORECASE,
)
_CTIME = re.compile(r"(?:[a-z]{3}\s+)?([a-z]{3})\s+(\d{1,2})\s+(\d\d?:\d\d:\d\d)\s+(\d{4})", re.IGNORECASE)
FIRST_ROWS = 1000  # the rows that show whether times are text or numbers
_HEADER_OFFSET = re.compile(r"\b(?:gmt|utc)\s?([+-]\d\d?)?:?(\d\d)?\b", re.IGNORECASE)
# abbreviations of zones; some of them mean several zones
_ABBREVIATION = re.compile(
    r"(?<![^\W_])(?:WES?T|CES?T|EES?T|BST|MSK|IST|[ECMP][SD]T|AK[SD]T|HST|JST|KST|HKT|SGT|A[CEW][SD]T|NZ[SD]T)(?![^\W_])"
)
EARLIEST_S, LATEST_S = 631_152_000.0, 4_102_444_800.0  # [s since 1970] 1990 and 2100


def is_time(cell: str) -> bool:
    """Return whether a cell is a time that needs no format: a date with or without a clock, or seconds since 1970."""
    if _NUMBER.fullmatch(cell):
        return bool(_COMPACT.fullmatch(cell)) or EARLIEST_S <= _epoch(cell) <= LATEST_S
    return _TEXT.fullmatch(cell) is not None or _CTIME.fullmatch(cell) is not None or _iso(cell) is not None


def has_zone(cell: str) -> bool:
    """Return whether a time is one moment in every zone: it states its zone, or counts seconds."""
    moment = _iso(cell)
    return _NUMBER.fullmatch(cell) is not None or (moment is not None and moment.tzinfo is not None)


def header_zone(name: str) -> tzinfo | None:
    """Return the zone that a column's name states, such as `Date Time, GMT-07:00` or `Time Bucket (America/Denver)`."""
    for content in re.findall(r"\(([A-Za-z_]+/[A-Za-z_/+-]+)\)", name):
        try:
            return ZoneInfo(content)
        except (ZoneInfoNotFoundError, ValueError):
            return None
    if match := _HEADER_OFFSET.search(name.replace("_", " ")):
        hours, minutes = int(match[1] or 0), int(match[2] or 0)
        return timezone(timedelta(hours=hours, minutes=-minutes if (match[1] or "").startswith("-") else minutes))
    return None


def zone_not_clear(name: str) -> str:
    """Return the abbreviation of a zone in a column's name, such as `CET`, or an empty text."""
    match = _ABBREVIATION.search(name)
    return match[0] if match else ""


class TimeColumn:
    """Reads the times of a column by the log's own clock.

    Parameters
    ----------
    path
        The file, for messages.
    pattern
        A strptime format, or None to recognise the times.
    zone
        Zone of times that state none; None takes them as UTC.
    shown
        What an earlier reading of the whole log has shown of its dates, None at first.
    """

    def __init__(self, path: Path, pattern: str | None, zone: tzinfo | None, shown: Dates | None = None) -> None:
        self._path, self._pattern, self._zone = path, pattern, zone or UTC
        self._zones: set[bool] = set()
        self._read: Callable[[str], float] | None = None
        self._fixed = None if shown is None else shown.order(path)
        self._used: set[Order | None] = set()
        self.dates = Dates()

    @property
    def is_stale(self) -> bool:
        """Whether some times were read by another order of day and month than the whole log shows."""
        return bool(self._used) and self._used != {_order_or_none(self.dates, self._path)}

    def read(self, cells: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the times of more rows [s since 1970], NaN where one is unreadable.

        Raises
        ------
        InputError
            The times have no date, or do not fit the stated format.
        """
        if self._read is None:
            self._read = self._reader([cell for cell in cells[:FIRST_ROWS] if cell])
        if isinstance(self._read, _Text) and self.dates.add(cells):
            order = self._fixed or _order_or_none(self.dates, self._path)
            self._used.add(order)
            self._read.order = order or self._read.order
        try:
            return np.fromiter(map(self._read, cells), np.float64, len(cells))
        except InputError:
            raise
        except (ValueError, OverflowError, KeyError):
            return np.array([_or_nan(self._read, cell) for cell in cells])

    def check(self) -> None:
        """Refuse the column of a whole log.

        Raises
        ------
        InputError
            The order of day and month is not certain, or some times state a zone and others none.
        """
        self.dates.order(self._path)
        if len(self._zones) > 1:
            expected = "a zone on every time or on none"
            raise InputError.at(self._path, "time", expected=expected, got="some with and some without")

    def _reader(self, sample: Sequence[str]) -> Callable[[str], float]:
        if self._pattern is not None:
            return _Pattern(self._path, self._pattern, self._zone, self._zones)
        if sample and sum(_NUMBER.fullmatch(cell) is not None for cell in sample) > len(sample) / 2:
            return _numeric(self._path, sample)
        return _Text(self._zone, self._zones)


def _order_or_none(dates: Dates, path: Path) -> Order | None:
    """Return the order of day and month, None where the dates do not show it."""
    try:
        return dates.order(path)
    except InputError:
        return None


def _or_nan(read: Callable[[str], float], cell: str) -> float:
    try:
        return read(cell)
    except InputError:
        raise
    except (ValueError, OverflowError, KeyError):
        return math.nan


def _epoch(cell: str) -> float:
    """Return a number as seconds since 1970, from seconds, milliseconds, microseconds or nanoseconds."""
    value = float(cell.replace(",", "."))
    if value < 1e11:
        return value
    scale = next((scale for limit, scale in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)) if value >= limit), 1.0)
    return value / scale


def _numeric(path: Path, sample: Sequence[str]) -> Callable[[str], float]:
    numbers = [cell for cell in sample if _NUMBER.fullmatch(cell)]
    if all(_COMPACT.fullmatch(cell) for cell in numbers):
        return lambda cell: (
            datetime.strptime(cell[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
            + float(f"0{cell[14:].replace(',', '.')}")
        )
    middle_s = median(map(_epoch, numbers))
    if not EARLIEST_S <= middle_s <= LATEST_S:
        expected = "dates, or seconds since 1970; a log that counts from its own start cannot be joined to a run"
        raise InputError.at(path, "time", expected=expected, got=f"{numbers[0]} to {numbers[-1]}")
    return _epoch


def _iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


class _Pattern:
    """The reader of times in a stated format."""

    def __init__(self, path: Path, pattern: str, zone: tzinfo, zones: set[bool]) -> None:
        self._path, self._pattern, self._zone, self._zones = path, pattern, zone, zones

    def __call__(self, cell: str) -> float:
        """Return one time [s since 1970]."""
        try:
            moment = datetime.strptime(cell, self._pattern)  # noqa: DTZ007 (the zone is added if there is none)
        except re.error:
            raise InputError.at(self._path, "time_format", expected="a strptime format", got=self._pattern) from None
        if "%Z" in self._pattern and moment.tzinfo is None and not re.search(r"utc|gmt", cell, re.IGNORECASE):
            expected = "UTC or GMT where the format has %Z (%z reads an offset such as +0100)"
            raise InputError.at(self._path, "time", expected=expected, got=cell)
        if moment.year == 1900:
            raise InputError.at(self._path, "time_format", expected="a format with a date", got=self._pattern)
        self._zones.add(moment.tzinfo is not None)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)).timestamp()


class _Text:
    """The reader of times that are text."""

    def __init__(self, zone: tzinfo, zones: set[bool]) -> None:
        self.order = ORDERS["year/month/day"]  # of the numbers in a date
        self._zone, self._zones = zone, zones

    def __call__(self, cell: str) -> float:
        """Return one time [s since 1970]."""
        moment = _iso(cell)
        fraction_s = 0.0
        if moment is None:
            moment, fraction_s = self._read_parts(cell)
        self._zones.add(moment.tzinfo is not None)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.timestamp() + fraction_s

    def _read_parts(self, cell: str) -> tuple[datetime, float]:
        if match := _CTIME.fullmatch(cell):
            cell = f"{match[1]} {match[2]} {match[4]} {match[3]}"
        match = _TEXT.fullmatch(cell)
        if match is None:
            raise ValueError(cell)
        date, clock, fraction, half, zone = match.group("date", "clock", "fraction", "half", "zone")
        hour, minute, second = [*map(int, (clock or "0:00").split(":")), 0][:3]
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(cell)
            hour = hour % 12 + (12 if half[0] in "pP" else 0)
        moment = date_of(date, self.order).replace(hour=hour, minute=minute, second=second)
        if zone:
            moment = moment.replace(tzinfo=_offset(zone))
        return moment, float(f"0.{fraction[1:]}") if fraction else 0.0


def _offset(text: str) -> timezone:
    match = re.search(r"([+-])(\d\d?):?(\d\d)?", text)
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset)
