"""Logs that are no tables: SPEC's PTDaemon, and the power reading of ipmitool and FreeIPMI.

References
----------
A PTDaemon line is `Time,07-17-2024 09:44:23.305,Watts,2406.5,Volts,…` in the local time of the logging machine.
`ipmitool dcmi power reading` prints `Instantaneous power reading: 90 Watts` and `IPMI timestamp: Thu Jan  1 …`;
`ipmi-dcmi --get-system-power-statistics` prints `Current Power : 90 Watts` and `Time Stamp : 01/01/2026 - 12:00:00`.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_PTDAEMON = re.compile(r"Time,(\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\.\d+),Watts,([^,]*)(?:,|$)")
_IPMI = re.compile(
    r"\s*(?P<power>instantaneous power reading|current power)\s*:\s*(?P<watts>\d+)?"
    r"|\s*(?P<time>ipmi timestamp|time stamp)\s*:\s*(?P<moment>.*)"
    r"|\s*(?:power reading state is|power measurement)\s*:\s*(?P<state>.*)",
    re.IGNORECASE,
)
_IPMI_TIMES = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y - %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%a %b %d %H:%M:%S %Y %Z")
_NOTES = ("#", "NOTICE", "WARNING", "ERROR")  # what PTDaemon writes between its readings
Rows = list[tuple[int, float, float | None]]  # line, time [s since 1970], power [W]


class Form(NamedTuple):
    """The rows of a log that is no table."""

    name: str
    column: str
    rows: Rows
    malformed: list[int]


def read_form(head: Sequence[str], lines: Iterable[str]) -> Form | None:
    """Return the rows of a log that is no table, None if the first lines are of none of the forms."""
    if any(_PTDAEMON.match(line) for line in head):
        return _ptdaemon(lines)
    if any((match := _IPMI.match(line)) and match["power"] for line in head):
        return _ipmi(lines)
    return None


def _ptdaemon(lines: Iterable[str]) -> Form:
    rows: Rows = []
    malformed = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(_NOTES):
            continue
        match = _PTDAEMON.match(line)
        try:
            when = datetime.strptime(match[1], "%m-%d-%Y %H:%M:%S.%f") if match else None  # noqa: DTZ007
            watts = float(match[2]) if match else math.nan
        except ValueError:
            when = None
        if when is None:
            malformed.append(number)
        else:
            rows.append((number, when.replace(tzinfo=UTC).timestamp(), watts if math.isfinite(watts) else None))
    return Form("ptdaemon", "Watts", rows, malformed)


def _ipmi(lines: Iterable[str]) -> Form:
    """Return the readings of a text of blocks: power first, then its time and whether it is active."""
    rows: Rows = []
    malformed = []
    name, power, start, stamped = "", math.nan, 0, math.nan
    active = True

    def close() -> None:
        if start and math.isnan(stamped):
            malformed.append(start)
        elif start:
            rows.append((start, stamped, power if active and power > 0.0 else None))

    for number, line in enumerate(lines, 1):
        match = _IPMI.match(line)
        if match is None:
            continue
        if match["power"]:
            close()
            name, start, stamped, active = match["power"], number, math.nan, True
            power = float(match["watts"] or "nan")
        elif match["time"]:
            stamped = _ipmi_time(match["moment"])
        else:
            active = match["state"].strip().casefold() in {"activated", "active"}
    close()
    return Form("ipmi", name, rows, malformed)


def _ipmi_time(text: str) -> float:
    for form in _IPMI_TIMES:
        try:
            return datetime.strptime(" ".join(text.split()), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return math.nan
