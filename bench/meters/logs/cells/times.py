"""Times of a log: formats, zones, and the order of day and month, decided over the whole column."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hardware_profiles.errors import InputError

_NUMBER = re.compile(r"\d+(?:[.,]\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)
_COMPACT = re.compile(r"20\d{12}(?:[.,]\d+)?")
_MONTHS = {
    name: i
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
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
_NUMERIC_DATE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d\d)")
_ORDERS = {"month/day/year": (2, 0, 1), "day/month/year": (2, 1, 0), "year/month/day": (0, 1, 2)}
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


def read_times(path: Path, cells: Sequence[str], pattern: str | None, zone: tzinfo | None) -> list[float]:
    """Return the times of a column by the log's own clock [s since 1970], NaN where one is unreadable.

    Parameters
    ----------
    path
        The file, for messages.
    cells
        The column.
    pattern
        A strptime format, or None to recognise the times.
    zone
        Zone of times that state none; None takes them as UTC.

    Raises
    ------
    InputError
        The order of day and month is not certain, the times have no date, or some state a zone and others none.
    """
    sample = [cell for cell in cells[:1000] if cell]
    zones: set[bool] = set()
    read: Callable[[str], float]
    if pattern is not None:
        read = _Pattern(path, pattern, zone or UTC, zones).read
    elif sample and sum(_NUMBER.fullmatch(cell) is not None for cell in sample) > len(sample) / 2:
        read = _numeric(path, sample)
    else:
        read = _Text(_date_order(path, cells), zone or UTC, zones).read
    times = [_or_nan(read, cell) for cell in cells]
    if len(zones) > 1:
        raise InputError.at(path, "time", expected="a zone on every time or on none", got="some with and some without")
    return times


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

    def read(self, cell: str) -> float:
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

    def __init__(self, order: tuple[int, int, int], zone: tzinfo, zones: set[bool]) -> None:
        self._order, self._zone, self._zones = order, zone, zones
        self._dates: dict[str, datetime] = {}

    def read(self, cell: str) -> float:
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
        if date not in self._dates:
            self._dates[date] = _date(date, self._order)
        hour, minute, second = [*map(int, (clock or "0:00").split(":")), 0][:3]
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(cell)
            hour = hour % 12 + (12 if half[0] in "pP" else 0)
        moment = self._dates[date].replace(hour=hour, minute=minute, second=second)
        if zone:
            moment = moment.replace(tzinfo=_offset(zone))
        return moment, float(f"0.{fraction[1:]}") if fraction else 0.0


def _offset(text: str) -> timezone:
    match = re.search(r"([+-])(\d\d?):?(\d\d)?", text)
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset)


def _date(text: str, order: tuple[int, int, int]) -> datetime:
    """Return a date; `order` has the positions of year, month and day among three numbers."""
    if name := re.search(r"[a-z]{3,}", text, re.IGNORECASE):
        month = _MONTHS[name[0][:3].lower()]
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        day, year = sorted(numbers) if max(numbers) > 31 else numbers
    else:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        year, month, day = numbers if numbers[0] > 999 else (numbers[i] for i in order)
    return datetime(year + 2000 if year < 100 else year, month, day)  # noqa: DTZ001 (the zone is added later)


def _date_order(path: Path, cells: Iterable[str]) -> tuple[int, int, int]:
    """Return the positions of year, month and day in the dates of a column."""
    dates = {match[0] for cell in cells if (match := _NUMERIC_DATE.match(cell))}
    if not dates:
        return _ORDERS["year/month/day"]
    possible = {}
    for name, order in _ORDERS.items():
        if name.startswith("year") and any(len(re.split(r"[-/.]", date)[2]) == 4 for date in dates):
            continue
        try:
            possible[name] = tuple(_date(date, order) for date in sorted(dates))
        except ValueError:
            continue
    if (
        len(set(possible.values())) > 1
        and all(re.fullmatch(r"\d+\.\d+\.\d{4}", date) for date in dates)
        and "day/month/year" in possible
    ):
        return _ORDERS["day/month/year"]  # dates with points are written day first
    if len(set(possible.values())) > 1:
        expected = "dates that show which number is the day (or time_format=%d/%m/%Y %H:%M:%S, %m/%d/%Y %H:%M:%S …)"
        raise InputError.at(path, "time", expected=expected, got=min(dates))
    return _ORDERS[next(iter(possible), "day/month/year")]
