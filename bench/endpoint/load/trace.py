"""The arrivals of a trace: when requests came, and how long their prompts and answers were."""

import datetime as dt
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hardware_profiles.decoding import decode, is_decimal, parse_json
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import MIB, Kind, read_input
from sites.file.csv_rows import parse_rows

TRACE = Kind("trace of arrivals", 256 * MIB)
MOST_ARRIVALS = 1_000_000
MOST_TOKENS = 10_000_000
TIME_KEYS = ("time_s", "time_ms", "timestamp", "TIMESTAMP")
INPUT_KEYS = ("input_tokens", "input_length", "ContextTokens")
OUTPUT_KEYS = ("output_tokens", "output_length", "GeneratedTokens")
_FORMS = "time_s, time_ms, timestamp (milliseconds in JSON lines, as Mooncake) or TIMESTAMP (dates, as Azure)"


class Arrival(NamedTuple):
    """One request of a trace."""

    at_s: float  # [s] after the first
    input_tokens: int | None  # None where the trace has no lengths
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The arrivals of a file."""

    name: str  # of the file
    arrivals: tuple[Arrival, ...]

    @property
    def span_s(self) -> float:
        """Time from the first request to the last [s]."""
        return self.arrivals[-1].at_s

    @property
    def rate_per_s(self) -> float:
        """Mean requests per second."""
        return (len(self.arrivals) - 1) / self.span_s

    @property
    def words(self) -> str:
        """The trace in words, as a record states it."""
        return f"{self.name}: {len(self.arrivals):,} requests in {self.span_s:,.6g} s"

    @property
    def input_lengths(self) -> tuple[int, ...] | None:
        """The lengths of the prompts [token], or None where it states none."""
        lengths = tuple(arrival.input_tokens for arrival in self.arrivals if arrival.input_tokens is not None)
        return lengths or None

    @property
    def output_lengths(self) -> tuple[int, ...] | None:
        """The lengths of the answers [token], or None where it states none."""
        lengths = tuple(arrival.output_tokens for arrival in self.arrivals if arrival.output_tokens is not None)
        return lengths or None


def read_trace(path: Path) -> Trace:
    """Return the requests of a trace: CSV with a heading, or one JSON object a line.

    Raises
    ------
    InputError
        The file cannot be read; it has fewer than two requests or too many; a time is missing, has an unknown unit, is
        negative or before the one above it; or only one of the two lengths is there, or a length is no whole number.
    """
    text = decode(read_input(path, TRACE), path)
    rows = _json_rows(text, path) if text.lstrip().startswith("{") else _csv_rows(text, path)
    arrivals: list[Arrival] = []
    first_s = before_s = -math.inf
    for place, row in rows:
        time_s = _time_s(row, place)
        if time_s < before_s:
            raise InputError.at(place, expected="times in order", got=f"{before_s - time_s:g} s before the row above")
        first_s, before_s = time_s if not arrivals else first_s, time_s
        lengths = _length(row, INPUT_KEYS, place), _length(row, OUTPUT_KEYS, place)
        if None in lengths and lengths != (None, None):
            raise InputError.at(place, expected="both lengths or neither", got="one of them")
        if arrivals and (lengths[0] is None) != (arrivals[0].input_tokens is None):
            raise InputError.at(place, expected="lengths in all rows or in none", got="lengths in some")
        arrivals.append(Arrival(time_s - first_s, *lengths))
        if len(arrivals) > MOST_ARRIVALS:
            raise InputError.at(path, expected=f"at most {MOST_ARRIVALS:,} requests", got="more (cut the file)")
    if len(arrivals) < 2 or arrivals[-1].at_s <= 0.0:
        got = (
            f"{len(arrivals)} request{'s' * (len(arrivals) != 1)}" if len(arrivals) < 2 else "one time for all requests"
        )
        raise InputError.at(path, expected="two or more requests at different times", got=got)
    return Trace(path.name, tuple(arrivals))


def _csv_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of CSV by the names of their columns; empty cells are left out."""
    rows = parse_rows(text.splitlines(keepends=True), path)
    heading = next(rows, None)
    if heading is None:
        return
    known = {*TIME_KEYS, *INPUT_KEYS, *OUTPUT_KEYS}
    if not known & set(heading[1]):
        first = heading[1][0]
        raise InputError.at(path, expected=f"a heading with {_FORMS}", got=first, near=near_names(first, known))
    for line, cells in rows:
        yield f"{path}: line {line}", {name: cell for name, cell in zip(heading[1], cells, strict=True) if cell}


def _json_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            place = f"{path}: line {number}"
            document = parse_json(line.encode(), place, "line")
            if not isinstance(document, dict):
                raise InputError.at(place, expected="a JSON object", got=json.dumps(document)[:40])
            yield place, document


def _time_s(row: Mapping[str, Any], place: str) -> float:
    """Return the time of a row [s] from a beginning of its own."""
    key = next((key for key in TIME_KEYS if row.get(key) is not None), None)
    if key is None:
        raise InputError.at(
            place, expected=f"a time: {_FORMS}", got=", ".join(itertools.islice(row, 4)) or "an empty row"
        )
    value = row[key]
    number = _number(value)
    if number is None and key in {"timestamp", "TIMESTAMP"} and isinstance(value, str):
        return _date_s(value, place, key)
    if number is None:
        raise InputError.at(place, key, expected="a number", got=value)
    if key == "TIMESTAMP" or (key == "timestamp" and isinstance(value, str)):
        raise InputError.at(
            place, key, expected="a date and time, or the unit in the name: time_s or time_ms", got=value
        )
    if number < 0.0:
        raise InputError.at(place, key, expected="a time of 0 or more", got=value)
    return number if key == "time_s" else number / 1000.0


def _date_s(text: str, place: str, key: str) -> float:
    """Return a date and time [s, unix]; without an offset it is UTC, which differences do not depend on."""
    try:  # Azure's traces have seven decimals, and Python 3.11 reads six
        moment = dt.datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
    except ValueError:
        raise InputError.at(place, key, expected="a date and time, 2023-11-16 18:17:03.9799600", got=text) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _length(row: Mapping[str, Any], keys: tuple[str, ...], place: str) -> int | None:
    key = next((key for key in keys if row.get(key) is not None), None)
    if key is None:
        return None
    number = _number(row[key])
    if number is None or number != int(number) or not 1 <= number <= MOST_TOKENS:
        raise InputError.at(place, key, expected=f"a whole number of tokens from 1 to {MOST_TOKENS:,}", got=row[key])
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if is_decimal(value) and math.isfinite(float(value)) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
