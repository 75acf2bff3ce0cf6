"""The reader of recorded power logs: a CSV of time and watts, or the log of SPEC's PTDaemon.

References
----------
A PTDaemon line is `Time,07-17-2024 09:44:23.305,Watts,2406.5,Volts,…` in the local time of the logging machine.
"""

import csv
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench import limits
from bench.meters.logs.log import EmptyLogError, Log
from bench.meters.logs.steps import period_s, step_s
from hardware_profiles.errors import InputError, near_names

MAX_BYTES = 512 * 2**20
PTDAEMON_TIME = "%m-%d-%Y %H:%M:%S.%f"

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


def read_log(path: Path, settings: Mapping[str, str] | None = None) -> Log:
    """Return the content of a log.

    Parameters
    ----------
    path
        The file.
    settings
        Of `SETTINGS`: `time` and `column` name the columns, `time_format` is a strptime pattern.

    Raises
    ------
    InputError
        The file does not exist, is not a log of a known form, or has too many unreadable lines.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError.at(path, expected=f"a log of at most {MAX_BYTES} bytes", got=f"{path.stat().st_size}")
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
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
        return _collect(path, Shape("ptdaemon", "Watts", data), rows, _ptdaemon_row)
    return _read_csv(path, data, rows, settings or {})


def column_names(path: Path, settings: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of a log's columns as the file writes them, none if it has no header.

    Raises
    ------
    InputError
        The file does not exist or is not a log of a known form.
    """
    del settings
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return tuple(_split(lines[0], max(",;\t", key=lines[0].count))) if lines else ()


class Shape(NamedTuple):
    """The form of a log, its column and its bytes."""

    form: str
    column: str
    data: bytes


def _collect(
    path: Path, shape: Shape, rows: Sequence[tuple[int, str]], parse: Callable[[str], tuple[float, float | None]]
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
    if not samples or len(malformed) > limits.MALFORMED_LINES_FRAC * len(rows):
        raise InputError(
            f"{path}: line {malformed[0]}: expected time and watts, got {len(malformed)} of {len(rows)} "
            "lines unreadable; name the columns as in trace:FILE,time=NAME,column=NAME,time_format=%d.%m.%Y %H:%M:%S"
        )
    return Log(
        form=shape.form,
        samples=tuple(samples),
        malformed=tuple(malformed),
        clock_back=tuple(back),
        column=shape.column,
        unit="W",
        sha256=hashlib.sha256(shape.data).hexdigest(),
        period_s=period_s(samples),
        step_s=step_s(samples),
    )


def _ptdaemon_row(line: str) -> tuple[float, float | None]:
    fields = line.split(",", 4)
    if fields[0] != "Time" or fields[2] != "Watts":
        raise ValueError(line)
    return datetime.strptime(fields[1], PTDAEMON_TIME).replace(tzinfo=UTC).timestamp(), float(fields[3])


def _read_csv(path: Path, data: bytes, rows: Sequence[tuple[int, str]], settings: Mapping[str, str]) -> Log:
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

    return _collect(path, Shape("csv", names[power], data), rows[1:] if headed else rows, parse)


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _plain(name: str) -> str:
    """Return `Power (W)` as `power_w`."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _power_column(path: Path, names: Sequence[str], named: str | None) -> tuple[int, float]:
    if named is not None:
        index = _index_of(path, names, "column", named)
        return index, _scale(names[index])
    columns = [i for i, name in enumerate(names) if name in _POWER_NAMES or _scale(name) != 1.0]
    columns = columns or [i for i, name in enumerate(names) if "power" in name or "watt" in name]
    if len(columns) != 1:
        got = f"{len(columns)} of them in {', '.join(names)}"
        raise InputError.at(
            path, "column", expected="one column of watts (or name it: trace:FILE,column=NAME)", got=got
        )
    return columns[0], _scale(names[columns[0]])


def _scale(name: str) -> float:
    for unit, scale in _SCALES:
        if name == unit or name.endswith(f"_{unit}"):
            return scale
    return 1.0


def _time_columns(path: Path, names: Sequence[str], named: str | None) -> list[int]:
    if named is not None:
        return [_index_of(path, names, "time", named)]
    if "date" in names and "time" in names:
        return [names.index("date"), names.index("time")]
    columns = [i for i, name in enumerate(names) if name in _TIME_NAMES]
    columns = columns or [i for i, name in enumerate(names) if "time" in name or "date" in name]
    if not columns:
        got = f"none in {', '.join(names)}"
        raise InputError.at(path, "time", expected="a column of time (or name it: trace:FILE,time=NAME)", got=got)
    return columns[:1]


def _index_of(path: Path, names: Sequence[str], key: str, named: str) -> int:
    if _plain(named) not in names:
        raise InputError.at(path, key, expected=f"one of {', '.join(names)}", got=named, near=near_names(named, names))
    return names.index(_plain(named))


def _moment(text: str, pattern: str | None) -> float:
    """Return a time of the log's clock [s since 1970]; without a zone it is taken as UTC."""
    if pattern is not None:
        return _as_utc(datetime.strptime(text, pattern))  # noqa: DTZ007 (the zone is added if there is none)
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
