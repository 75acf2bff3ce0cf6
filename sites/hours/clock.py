"""The clock of a site: dates and times without an offset are its local time, and an offset takes precedence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.hours.calendar import zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NO_SHIFT = timedelta(0)
INDEX = re.compile(r"\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Clock:
    """The local time of a site, with the keys whose times it has read without an offset."""

    zone: ZoneInfo
    local_keys: dict[str, None] = field(default_factory=dict)  # in the order of reading

    @classmethod
    def of(cls, timezone: str) -> Clock:
        """Return the clock of an IANA time zone."""
        return cls(zone(timezone))

    def unix_s(self, when: datetime | date, location: str) -> int:
        """Return the seconds [s, unix] of a date or time.

        Parameters
        ----------
        when
            A time with an offset, or a local one. A date is the start of the local day.
        location
            File and key, for errors.

        Raises
        ------
        InputError
            The local time is skipped or repeated by daylight saving.
        """
        if not isinstance(when, datetime):
            return int(datetime(when.year, when.month, when.day, tzinfo=self.zone).timestamp())
        if when.tzinfo is not None:
            return int(when.timestamp())
        first, second = (when.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        before, after = first.utcoffset() or NO_SHIFT, second.utcoffset() or NO_SHIFT
        if before == after:
            return int(first.timestamp())
        text, *offered = (
            at.isoformat(timespec="seconds" if when.second else "minutes") for at in (when, first, second)
        )
        fault = f"{text} does not exist in {self.zone.key}; the clock is put forward over it"
        if before > after:
            fault = f"{text} happens twice in {self.zone.key}; write the offset, {' or '.join(offered)}"
        raise InputError(f"{location}: expected a local time that exists once: {fault}")

    def noted_unix_s(self, when: datetime | date, path: str, key: str) -> int:
        """Return the seconds [s, unix] of the value of a key, and note the key if it has no offset."""
        if not isinstance(when, datetime) or when.tzinfo is None:
            self.local_keys[INDEX.sub("", key)] = None
        return self.unix_s(when, f"{path}: key {key}")

    def note(self) -> str | None:
        """Return a line that names the keys whose times are local; None if every time has an offset."""
        if not self.local_keys:
            return None
        return f"times without an offset are local time in {self.zone.key}: {', '.join(self.local_keys)}"
