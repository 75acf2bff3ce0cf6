"""Read a recorded power log: a CSV of time and watts, or the log of SPEC's PTDaemon.

References
----------
A PTDaemon line is `Time,07-17-2024 09:44:23.305,Watts,2406.5,Volts,…` in the local time of the machine that logged.
"""

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hardware_profiles.errors import InputError, near_names

MAX_BYTES = 512 * 2**20
MALFORMED_LIMIT_FRAC = 0.05
PTDAEMON_TIME = "%m-%d-%Y %H:%M:%S.%f"
SETTINGS = ("time", "column", "time_format")

_TIME_NAMES = (
    "time",
    "timestamp",
    "datetime",
    "date_time",
    "utc",
    "time_utc",
    "unix",
    "epoch",
    "unixtime",
    "time_s",
    "t_s",
    "t",
)
_POWER_NAMES = (
    "w",
    "watt",
    "watts",
    "power",
    "power_w",
    "watts_w",
    "active_power",
    "active_power_w",
    "apower",
    "p_w",
    "p",
)
_SCALES = (("kw", 1e3), ("kilowatt", 1e3), ("kilowatts", 1e3), ("mw", 1e-3), ("milliwatts", 1e-3))


class EmptyLogError(InputError):
    """A log without a single sample yet: wrong after a run, in order before it."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log's samples: its own clock [s since 1970, before any offset] and power [W], None where unreadable."""

    form: str
    samples: tuple[tuple[float, float | None], ...]
    malformed: tuple[int, ...]
    clock_back: tuple[float, ...]


def read_log(path: Path, settings: Mapping[str, str] | None = None) -> Log:
    """Return the samples of a log.

    Settings: `time` and `column` name the columns, `time_format` is a strptime pattern.

    Raises
    ------
    InputError
        No such file, not a log of a known form, more than 5 % of unreadable lines.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError.at(path, expected=f"a log of at most {MAX_BYTES} bytes", got=f"{path.stat().st_size}")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError.at(path, expected="a log of time and watts", got="no such file") from None
    except UnicodeDecodeError as error:
        raise InputError.at(path, expected="UTF-8 text", got=f"byte 0x{error.object[error.start]:02x}") from None
    except OSError as error:
        raise InputError.at(path, expected="a readable log", got=error.strerror) from None
    lines = text.splitlines()
    if lines and not text.endswith(("\n", "\r")):
        lines.pop()  # still being written
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not rows:
        raise EmptyLogError(f"{path}: expected lines of time and watts, got none")
    if rows[0][1].startswith("Time,"):
        return _collect(path, "ptdaemon", rows, _ptdaemon_row)
    return _read_csv(path, rows, settings or {})


def _collect(
    path: Path, form: str, rows: Sequence[tuple[int, str]], parse: Callable[[str], tuple[float, float | None]]
) -> Log:
    if not rows:
        raise EmptyLogError(f"{path}: expected lines of time and watts, got a heading alone")
    samples: list[tuple[float, float | None]] = []
    malformed: list[int] = []
    back: list[float] = []
    for number, line in rows:
        try:
            when, watts = parse(line)
        except (ValueError, IndexError, OverflowError):
            malformed.append(number)
            continue
        if samples and when < samples[-1][0]:
            back.append(samples[-1][0])
            continue
        samples.append((when, watts if watts is not None and math.isfinite(watts) else None))
    if not samples or len(malformed) > MALFORMED_LIMIT_FRAC * len(rows):
        raise InputError(
            f"{path}: line {malformed[0]}: expected time and watts, got {len(malformed)} of {len(rows)} "
            "lines unreadable; name the columns as in trace:FILE,time=NAME,column=NAME,time_format=%d.%m.%Y %H:%M:%S"
        )
    return Log(form, tuple(samples), tuple(malformed), tuple(back))


def _ptdaemon_row(line: str) -> tuple[float, float | None]:
    fields = line.split(",", 4)
    if fields[0] != "Time" or fields[2] != "Watts":
        raise ValueError(line)
    return datetime.strptime(fields[1], PTDAEMON_TIME).replace(tzinfo=UTC).timestamp(), float(fields[3])


def _read_csv(path: Path, rows: Sequence[tuple[int, str]], settings: Mapping[str, str]) -> Log:
    separator = max(",;\t", key=rows[0][1].count)
    if separator not in rows[0][1]:
        raise InputError.at(path, expected="columns separated by comma, semicolon or tab", got=rows[0][1])
    comma_decimals = separator != ","
    first = _split(rows[0][1], separator)
    headed = not _is_number(first[-1], comma_decimals)
    names = [_plain(name) for name in first] if headed else ["time", "watts", *(f"c{i}" for i in range(2, len(first)))]
    power, scale = _power_column(path, names, settings.get("column"))
    times = _time_columns(path, names, settings.get("time"))
    pattern = settings.get("time_format")

    def parse(line: str) -> tuple[float, float | None]:
        cells = _split(line, separator)
        when = _moment(" ".join(cells[i].strip() for i in times), pattern)
        cell = cells[power].strip()
        return when, None if cell in {"", "-", "null", "NA"} else _number(cell, comma_decimals) * scale

    return _collect(path, "csv", rows[1:] if headed else rows, parse)


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _plain(name: str) -> str:
    """Return `Power (W)` as `power_w`."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _power_column(path: Path, names: Sequence[str], wanted: str | None) -> tuple[int, float]:
    if wanted is not None:
        index = _named(path, names, "column", wanted)
        return index, _scale(names[index])
    found = [i for i, name in enumerate(names) if name in _POWER_NAMES or _scale(name) != 1.0]
    found = found or [i for i, name in enumerate(names) if "power" in name or "watt" in name]
    if len(found) != 1:
        had = f"{len(found)} of them in {', '.join(names)}"
        raise InputError.at(
            path, "column", expected="one column of watts (or name it: trace:FILE,column=NAME)", got=had
        )
    return found[0], _scale(names[found[0]])


def _scale(name: str) -> float:
    for unit, scale in _SCALES:
        if name == unit or name.endswith(f"_{unit}"):
            return scale
    return 1.0


def _time_columns(path: Path, names: Sequence[str], wanted: str | None) -> list[int]:
    if wanted is not None:
        return [_named(path, names, "time", wanted)]
    if "date" in names and "time" in names:
        return [names.index("date"), names.index("time")]
    found = [i for i, name in enumerate(names) if name in _TIME_NAMES]
    found = found or [i for i, name in enumerate(names) if "time" in name or "date" in name]
    if not found:
        had = f"none in {', '.join(names)}"
        raise InputError.at(path, "time", expected="a column of time (or name it: trace:FILE,time=NAME)", got=had)
    return found[:1]


def _named(path: Path, names: Sequence[str], key: str, wanted: str) -> int:
    if _plain(wanted) not in names:
        raise InputError.at(
            path, key, expected=f"one of {', '.join(names)}", got=wanted, near=near_names(wanted, names)
        )
    return names.index(_plain(wanted))


def _moment(text: str, pattern: str | None) -> float:
    """Return a moment of the log's clock [s since 1970]; a time without a zone is taken as UTC."""
    if pattern is not None:
        return _as_utc(datetime.strptime(text, pattern))  # noqa: DTZ007 (the zone is added where there is none)
    try:
        value = float(text)
    except ValueError:
        return _as_utc(datetime.fromisoformat(text))
    if not math.isfinite(value):
        raise ValueError(text)
    for limit, scale in ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3)):
        if abs(value) >= limit:
            return value * scale
    return value


def _as_utc(moment: datetime) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _is_number(text: str, comma_decimals: bool) -> bool:
    try:
        _number(text.strip(), comma_decimals)
    except ValueError:
        return False
    return True


def _number(text: str, comma_decimals: bool) -> float:
    return float(text.replace(",", ".") if comma_decimals and "." not in text else text)
