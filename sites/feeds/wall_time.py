"""Times of a market file's own clock as seconds of UTC, with one function for each rule of the repeated hour.

A rule says which of two equal times of the clock is meant in the hour that the end of daylight saving repeats: a flag
(`WallClock.unix_s`), a label of its own (`02X`, hour 25: the reader turns it into the flag), or only the order of the
rows (`FileOrder`). Clocks with a fixed offset repeat no hour.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from sites.feeds.model import CellError
from sites.hours.calendar import zone

if TYPE_CHECKING:
    from collections.abc import Hashable

DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
FIRST_DAY, LAST_DAY = 0, (date(2199, 12, 31) - _EPOCH).days
_FIXED = re.compile(r"UTC([+-])([0-9]{2}):([0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(:([0-9]{2})(\.[0-9]+)?)?( ?([AaPp])\.?[Mm]\.?)?")


def zone_of(name: str) -> tzinfo:
    """Return the time zone of an IANA name or of a fixed offset such as UTC+10:00."""
    fixed = _FIXED.fullmatch(name)
    if not fixed:
        return zone(name)
    sign = -1 if fixed[1] == "-" else 1
    return timezone(sign * timedelta(hours=int(fixed[2]), minutes=int(fixed[3])))


class WallClock:
    """The clock of a file: dates and times of day as they are written, and the seconds of UTC that they mean.

    Parameters
    ----------
    timezone
        IANA name, or a fixed offset such as UTC+10:00.
    forms
        The forms of dates, as for `strptime`, such as `%m/%d/%Y`.
    """

    def __init__(self, timezone: str, *forms: str) -> None:
        self._zone, self._forms = zone_of(timezone), forms
        self._name = timezone
        self._days: dict[str, int] = {}
        self._clocks: dict[str, int] = {}
        self._offsets: dict[int, int | None] = {}

    def day(self, text: str, column: str) -> int:
        """Return the days since 1970-01-01 of a date.

        Raises
        ------
        CellError
            The text has none of the clock's forms.
        """
        known = self._days.get(text)
        if known is None:
            known = self._days[text] = self._parsed(text, column)
        return known

    def _parsed(self, text: str, column: str) -> int:
        for form in self._forms:
            try:
                return (datetime.strptime(text.strip(), form).date() - _EPOCH).days  # noqa: DTZ007 (a date)
            except ValueError:
                continue
        forms = " or ".join(_readable(form) for form in self._forms)
        raise CellError(column, expected=f"a date as {forms}", got=text)

    def time_s(self, text: str, column: str) -> int:
        """Return the seconds [s] from midnight of a time of day; 24:00 is the end of the day.

        Raises
        ------
        CellError
            The text is not HH:MM or HH:MM:SS, with or without AM or PM.
        """
        known = self._clocks.get(text)
        if known is None:
            known = self._clocks[text] = _time_s(text, column)
        return known

    def unix_s(self, day: int, time_s: int, column: str, *, second: bool = False) -> int:
        """Return the seconds [s, unix] of a time of the clock.

        Parameters
        ----------
        day, time_s
            Days since 1970-01-01, and seconds [s] from midnight by the clock.
        column
            Name of the column, for errors.
        second
            Whether the time is the second one of an hour that the clock repeats.

        Raises
        ------
        CellError
            The clock skips the time, or it does not repeat a time that is said to be the second one.
        """
        local_s = day * DAY_S + time_s
        offset = self._offset(day, column)
        if offset is not None:
            if second:
                raise CellError(column, expected="a flag only on the second of two equal hours", got=_local(local_s))
            return local_s - offset
        first_s, second_s = self.both_s(day, time_s, column)
        if second and first_s == second_s:
            raise CellError(column, expected="a flag only on the second of two equal hours", got=_local(local_s))
        return second_s if second else first_s

    def both_s(self, day: int, time_s: int, column: str) -> tuple[int, int]:
        """Return the seconds [s, unix] of the first and of the second time of the clock; they are equal on most days.

        Raises
        ------
        CellError
            The clock skips the time.
        """
        local_s = day * DAY_S + time_s
        offset = self._offset(day, column)
        if offset is not None:
            return local_s - offset, local_s - offset
        naive = datetime.fromtimestamp(local_s, UTC).replace(tzinfo=self._zone)
        first_s, second_s = (int(naive.replace(fold=fold).timestamp()) for fold in (0, 1))
        if first_s > second_s:
            raise CellError(column, expected=f"a time that exists in {self._name}", got=_local(local_s))
        return first_s, second_s

    def skips(self, day: int, time_s: int) -> bool:
        """Return whether the clock skips a time, because daylight saving begins."""
        if self._offset(day, "time") is not None:
            return False
        naive = datetime.fromtimestamp(day * DAY_S + time_s, UTC).replace(tzinfo=self._zone)
        return naive.timestamp() > naive.replace(fold=1).timestamp()

    def _offset(self, day: int, column: str) -> int | None:
        """Return the offset [s] of a day; None if the clock changes on it, or at its start or end."""
        if day not in self._offsets:
            if not FIRST_DAY <= day <= LAST_DAY:
                raise CellError(column, expected="a time of the years 1970 to 2199", got=_local(day * DAY_S))
            ends = (datetime.fromtimestamp((day + step) * DAY_S, UTC).replace(tzinfo=self._zone) for step in (-1, 2))
            offsets = {round((at.utcoffset() or timedelta()).total_seconds()) for at in ends}
            self._offsets[day] = offsets.pop() if len(offsets) == 1 else None
        return self._offsets[day]


class FileOrder:
    """The rule of files in which only the order of the rows tells the first from the second of two equal hours.

    Parameters
    ----------
    clock
        The clock of the file.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._last: dict[Hashable, int] = {}

    def unix_s(self, series: Hashable, day: int, time_s: int, column: str) -> int:
        """Return the seconds [s, unix] of a time: the first one unless the series has passed it.

        Parameters
        ----------
        series
            What the row belongs to, such as its point: each series has its own order.
        day, time_s, column
            As for `WallClock.unix_s`.

        Raises
        ------
        CellError
            The clock skips the time, or the rows go back in time.
        """
        first_s, second_s = self._clock.both_s(day, time_s, column)
        last_s = self._last.get(series, first_s - 1)
        at_s = first_s if first_s > last_s else second_s
        if at_s < last_s:
            order = "rows in the order of time, because only their order tells the repeated hour"
            raise CellError(column, expected=order, got=_local(day * DAY_S + time_s))
        self._last[series] = at_s
        return at_s


def iso_unix_s(text: str, column: str) -> int:
    """Return the seconds [s, unix] of an ISO 8601 time with an offset or Z.

    Raises
    ------
    CellError
        The text is something else.
    """
    try:
        when = datetime.fromisoformat(text.strip())
        if when.tzinfo is not None:
            return round(when.timestamp())
    except (ValueError, OverflowError):
        pass
    raise CellError(column, expected="an ISO 8601 time with an offset", got=text)


def _time_s(text: str, column: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    if match:
        hour, minute, second = int(match[1]), int(match[2]), int(match[4] or 0)
        if match[7] and not 1 <= hour <= 12:
            hour = 99
        elif match[7]:
            hour = hour % 12 + (12 if match[7] in "Pp" else 0)
        total = hour * 3600 + minute * 60 + second
        if minute < 60 and second < 60 and total <= DAY_S:
            return total
    raise CellError(column, expected="a time of day from 00:00 to 24:00", got=text)


def _readable(form: str) -> str:
    for code, words in (("%Y", "YYYY"), ("%m", "MM"), ("%d", "DD"), ("%b", "Mon"), ("%y", "YY")):
        form = form.replace(code, words)
    return form


def _local(local_s: int) -> str:
    return f"{datetime(1970, 1, 1) + timedelta(seconds=local_s):%Y-%m-%d %H:%M}"  # noqa: DTZ001 (local)
