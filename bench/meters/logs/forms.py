"""Logs that are no tables: SPEC's PTDaemon, and the power reading of ipmitool and FreeIPMI.

References
----------
A PTDaemon line is `Time,07-17-2024 09:44:23.305,Watts,2406.5,Volts,…` in the local time of the logging machine.
`ipmitool dcmi power reading` prints `Instantaneous power reading: 90 Watts` and `IPMI timestamp: Thu Jan  1 …`;
`ipmi-dcmi --get-system-power-statistics` prints `Current Power : 90 Watts` and `Time Stamp : 01/01/2026 - 12:00:00`.
"""

import math
import re
from array import array
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np

from bench.meters.logs.cells import plausible
from bench.meters.logs.cells.plausible import MISSING
from bench.meters.logs.log import EmptyLogError, Log
from bench.meters.logs.rows.malformed import Malformed
from bench.meters.logs.rows.order import Rows, in_order
from bench.meters.logs.source import Source
from hardware_profiles.errors import InputError

_PTDAEMON = re.compile(r"Time,(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d)\.(\d+),Watts,([^,]*)(?:,|$)")
_IPMI = re.compile(
    r"\s*(?P<power>instantaneous power reading|current power)\s*:\s*(?P<watts>\d+)?"
    r"|\s*(?P<time>ipmi timestamp|time stamp)\s*:\s*(?P<moment>.*)"
    r"|\s*(?:power reading state is|power measurement)\s*:\s*(?P<state>.*)",
    re.IGNORECASE,
)
_IPMI_TIMES = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y - %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%a %b %d %H:%M:%S %Y %Z")
_NOTES = ("#", "NOTICE", "WARNING", "ERROR")  # what PTDaemon writes between its readings


class Readings:
    """The readings of a log, and the numbers of the lines that are none."""

    def __init__(self) -> None:
        self.times_s, self.watts = array("d"), array("d")  # [s since 1970], [W] `MISSING` if there is none
        self.malformed = array("L")

    def add(self, line: int, when_s: float, watts: float) -> None:
        """Add the reading of a line, unreadable if its time is NaN."""
        if math.isnan(when_s):
            self.malformed.append(line)
        else:
            self.times_s.append(when_s)
            self.watts.append(watts if math.isfinite(watts) else MISSING)


class Ptdaemon:
    """Reads a log of PTDaemon."""

    name, column = "ptdaemon", "Watts"

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def add(self, number: int, line: str) -> None:
        """Read one line."""
        if not line.strip() or line.startswith(_NOTES):
            return
        match = _PTDAEMON.match(line)
        when_s = watts = math.nan
        if match is not None and len(match[7]) <= 6:
            month, day, year, hour, minute, second = map(int, match.groups()[:6])
            with suppress(ValueError):
                moment = datetime(year, month, day, hour, minute, second, int(match[7].ljust(6, "0")), UTC)
                watts, when_s = float(match[8]), moment.timestamp()
        self._readings.add(number, when_s, watts)

    def close(self) -> None:
        """Do nothing: each line is a reading of its own."""


class Ipmi:
    """Reads a text of blocks: power first, then its time and whether it is active."""

    name, column = "ipmi", ""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._power, self._line, self._stamped_s, self._active = math.nan, 0, math.nan, True

    def add(self, number: int, line: str) -> None:
        """Read one line."""
        match = _IPMI.match(line)
        if match is None:
            return
        if match["power"]:
            self.close()
            self.column, self._line, self._stamped_s, self._active = match["power"], number, math.nan, True
            self._power = float(match["watts"] or "nan")
        elif match["time"]:
            self._stamped_s = _ipmi_time(match["moment"])
        else:
            self._active = match["state"].strip().casefold() in {"activated", "active"}

    def close(self) -> None:
        """Add the block so far."""
        if self._line:
            is_read = self._active and self._power > 0.0
            self._readings.add(self._line, self._stamped_s, self._power if is_read else math.nan)


def _ipmi_time(text: str) -> float:
    for form in _IPMI_TIMES:
        try:
            return datetime.strptime(" ".join(text.split()), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return math.nan


def form_of(head: Sequence[str]) -> type[Ptdaemon] | type[Ipmi] | None:
    """Return the form of the first lines of a log that is no table, None if it is a table."""
    if any(_PTDAEMON.match(line) for line in head):
        return Ptdaemon
    if any((match := _IPMI.match(line)) and match["power"] for line in head):
        return Ipmi
    return None


class FormReader:
    """The reader of a log that is no table.

    Parameters
    ----------
    source
        The lines of the log.
    form
        Its form.
    """

    is_stale = False

    def __init__(self, source: Source, form: type[Ptdaemon] | type[Ipmi]) -> None:
        self._source = source
        self._readings = Readings()
        self._form = form(self._readings)

    @property
    def is_settled(self) -> bool:
        """Whether what was read stays as it is when the log grows: the last block of a text may be half of one."""
        return isinstance(self._form, Ptdaemon)

    def anew(self, source: Source) -> "FormReader":
        """Return a reader that begins anew."""
        return FormReader(source, type(self._form))

    def add(self, first: int, lines: Sequence[str]) -> None:
        """Read lines; `first` is the number of the first one."""
        for number, line in enumerate(lines, first):
            self._form.add(number, line)

    def log(self) -> Log:
        """Return the log so far.

        Raises
        ------
        InputError
            A setting does not suit the form, too many lines are unreadable, or the readings can be no power.
        EmptyLogError
            The log has no reading yet.
        """
        path, settings, form = self._source.path, self._source.settings, self._form
        form.close()
        for key, value in {"column": form.column, "time": "", "where": "", "time_format": "", "unit": "W"}.items():
            if settings.get(key, value) != value:
                raise InputError.at(path, key, expected=f"no {key}= for a log of {form.name}", got=settings[key])
        found = self._readings
        malformed = Malformed(path, None, self._source.line).accepted(
            found.malformed, len(found.malformed) + len(found.times_s)
        )
        if not found.times_s:
            raise EmptyLogError(f"{path}: expected lines of time and watts, got none")
        watts = np.array(found.watts)
        plausible.check(path, form.column, watts, watts)
        order = in_order(path, Rows(np.array(found.times_s), plausible.without_fill(watts)))
        return self._source.log(order, malformed, form=form.name, column=form.column, unit="W")
