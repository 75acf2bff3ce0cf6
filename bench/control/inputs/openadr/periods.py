"""Times and durations of OpenADR 3 (ISO 8601).

References
----------
OpenADR 3.1.0, User Guide, "intervalPeriod" (https://www.openadr.org/specification).
"""

import re
from datetime import datetime

from hardware_profiles.errors import InputError, shown

ENDLESS_YEARS = 100  # the specification writes "for ever" as P9999Y
_DURATION = re.compile(
    r"P(?:(?P<years>[0-9]{1,6})Y)?(?:(?P<months>[0-9]{1,6})M)?(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}


def duration_s(text: object, place: str) -> float | None:
    """Return a duration [s]; None for one without an end: `PT0S`, or a hundred years and more.

    Raises
    ------
    InputError
        It is no duration, or it counts in months or years, whose length varies.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groupdict().values()):
        raise InputError(f"{place}: expected a duration such as PT15M, got {shown(text)}")
    if int(match["years"] or 0) >= ENDLESS_YEARS:
        return None
    if int(match["years"] or 0) or int(match["months"] or 0):
        raise InputError(f"{place}: expected a duration without months and years, got {shown(text)}")
    return sum(float(match[name] or 0) * unit_s for name, unit_s in _SECONDS.items()) or None


def time_s(text: object, place: str) -> float | None:
    """Return a time [s, Unix]; None for the year 1, which means now.

    Raises
    ------
    InputError
        It is no time with an offset.
    """
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else None
        if when is not None and when.tzinfo is not None:
            return None if when.year == 1 else when.timestamp()
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{place}: expected a time with an offset such as 2026-12-01T08:00:00Z, got {shown(text)}")
