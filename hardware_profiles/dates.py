"""Dates as sources give them: a day, a month, a quarter, a year or `unknown`, and none in the future."""

import datetime as dt
import re
from collections.abc import Callable

from hardware_profiles.errors import shown

# A clock that lags behind the bundled data must not make them future; the extra day is for time zones.
_BUNDLED = dt.date(2026, 11, 21)
# What JSON Schema can check of a date: its form. That the day exists and is not in the future, only the reader checks.
DATE_PATTERN = r"^(unknown|(19|20)[0-9][0-9](-Q[1-4]|-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?)$"


def partial_date(years_ahead: int = 0) -> Callable[[str], str]:
    """Return a validator of dates up to today, or up to some years ahead for announced devices.

    The validator raises ValueError, "expected X, got Y", if the text is not a date, the day does not exist, or it is
    too far ahead.
    """

    def check(text: str) -> str:
        if text == "unknown":
            return text
        first = _first_day(text)
        if first is None:
            raise ValueError(
                f"expected a date that exists (YYYY, YYYY-MM, YYYY-MM-DD, YYYY-Qn) or unknown, got {shown(text)}"
            )
        now = max(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1), _BUNDLED)
        if first > now + dt.timedelta(days=366 * years_ahead):
            until = f"at most {years_ahead} years ahead" if years_ahead else "that is not in the future"
            raise ValueError(f"expected a date {until}, got {shown(text)}")
        return text

    return check


def _first_day(text: str) -> dt.date | None:
    quarter = re.fullmatch(r"((?:19|20)[0-9]{2})-Q([1-4])", text)
    if quarter:
        return dt.date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1)
    if not re.fullmatch(r"(19|20)[0-9]{2}(-[0-9]{2}){0,2}", text):
        return None
    try:
        return dt.date(*[*map(int, text.split("-")), 1, 1][:3])
    except ValueError:
        return None
