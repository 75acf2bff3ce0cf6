"""Checks of what a schema cannot say of a record: depth, text and numbers, and figures that follow from its windows."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench import limits
from bench.diagnostics import TABLE
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.text import UNPRINTABLE
from hardware_profiles.errors import InputError, shown
from hardware_profiles.reading import dotted

Location = tuple[int | str, ...]


_FREE = ("system", "audit", "device", "workload", "meters_used")
"""Parts of a record in which the schema limits neither depth nor numbers."""
_MARKS = (b"\\u", b"\\b", b"\\f", b"\\r", b"\x7f", b"\xc2")
"""What a JSON text with a control character has in it."""


def sense_fault(record: Mapping[str, Any], content: bytes, place: object) -> str:
    """Return the first fault of a record that the schema accepts, as one line, or an empty text.

    Parameters
    ----------
    record
        The record as JSON data.
    content
        The JSON text that it was read from.
    place
        Path of the record, for the line.
    """
    whole = any(mark in content for mark in _MARKS)
    parts = record if whole else {name: record[name] for name in _FREE if name in record}
    if fault := values_fault(parts, place):  # first, for the other checks compute with the numbers
        return fault
    return next((f"{place}: {fault}" for fault in _faults(record)), "")


def values_fault(data: Mapping[str, Any], place: object) -> str:
    """Return the first text, number or depth of JSON data that no record has, as one line, or an empty text."""
    for location, expected, got in _faulty_values(data):
        return str(InputError(f"{place}: key {dotted(location)}: expected {expected}, got {got}"))
    return ""


def _faulty_values(record: Mapping[str, Any]) -> Iterator[tuple[Location, str, str]]:
    """Yield the location of each value that no record has, what is expected there, and what came."""
    waiting: list[tuple[Any, Location]] = [(record, ())]
    while waiting:
        value, location = waiting.pop()
        if isinstance(value, dict | list):
            if len(location) >= limits.RECORD_DEPTH:
                yield location[:1], f"at most {limits.RECORD_DEPTH} levels of tables and lists", "more"
                continue
            inner: Iterable[tuple[int | str, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(item, (*location, key)) for key, item in inner]
            if isinstance(value, dict):
                waiting += [(key, location) for key in value]
        elif expected := _expected(value):
            yield location, expected, shown(value)


def _expected(value: Any) -> str:
    """Return what is expected of a text or a number that no record has; else an empty text."""
    if isinstance(value, str):
        return "text without control characters" if UNPRINTABLE.search(value) else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a finite number"
    if isinstance(value, int) and abs(value) > limits.LARGEST_WHOLE:
        return f"a whole number of at most {limits.LARGEST_WHOLE}"
    return ""


def _faults(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what contradicts itself or is implausible in a record whose values are sound."""
    windows, metrics = record.get("windows", ()), record.get("metrics", {})
    yield from _status_faults(record)
    for at, window in enumerate(windows):
        duration_s = window["end_s"] - window["start_s"]
        if not 0.0 < duration_s <= limits.LONGEST_WINDOW_S:
            expected = f"a window that ends after its start, within {limits.LONGEST_WINDOW_S:,.0f} s"
            yield f"key windows[{at}]: expected {expected}, got {duration_s:.6g} s"
        if not limits.LEAST_WORK <= window["work"] <= limits.MOST_WORK:
            expected = _range(limits.LEAST_WORK, limits.MOST_WORK)
            yield f"key windows[{at}].work: expected {expected}, got {window['work']:g}"
    yield from _power_faults(record)
    for name, metric in metrics.items():
        low_high = metric.get("interval_95")
        if low_high is not None and not _in_order(low_high[0], metric["value"], low_high[1]):
            yield (
                f"key metrics.{name}.interval_95: expected low ≤ value ≤ high, "
                f"got {low_high[0]:.6g}, {metric['value']:.6g}, {low_high[1]:.6g}"
            )
    yield from _idle_span_faults(record)
    if record["status"] == "ok" and windows:
        yield from _figure_faults(windows, metrics)


def _status_faults(record: Mapping[str, Any]) -> Iterator[str]:
    status, count = record["status"], len(record.get("reasons", ()))
    if (status == "ok") != (count == 0):
        yield f"key reasons: expected reasons exactly where the status is not ok, got {count} with the status {status}"
    for location, code in _codes(record):
        if code not in TABLE:
            yield f"key {location}: expected a known reason code, got {shown(code)}"


def _codes(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the location of each reason code of a record, and the code."""
    for key in ("reasons", "warnings"):
        for at, reason in enumerate(record.get(key, ())):
            yield f"{key}[{at}].code", reason["code"]
        for at, window in enumerate(record.get("windows", ())):
            for of, energy in enumerate(window.get("energy", ())):
                for code in energy.get(key, ()):
                    yield f"windows[{at}].energy[{of}].{key}", code


def _power_faults(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield powers that no machine draws: sites divide by them."""
    powers = {f"metrics.{name}.value": one["value"] for name, one in record.get("metrics", {}).items()
              if one["unit"] == "W"}  # fmt: skip
    if record.get("assumed_power_w") is not None:
        powers["assumed_power_w.power_w"] = record["assumed_power_w"]["power_w"]
    for location, power_w in powers.items():
        if not limits.LEAST_POWER_W <= power_w <= limits.MOST_POWER_W:
            yield f"key {location}: expected {_range(limits.LEAST_POWER_W, limits.MOST_POWER_W)} W, got {power_w:g}"
    for at, idle in enumerate(record.get("idle", ())):
        if idle["power_w"] > limits.MOST_POWER_W:
            yield f"key idle[{at}].power_w: expected at most {limits.MOST_POWER_W:,.0f} W, got {idle['power_w']:g}"


def _idle_span_faults(record: Mapping[str, Any]) -> Iterator[str]:
    spans = record.get("audit", {}).get("idle_spans_utc")
    for at, span in enumerate(spans if isinstance(spans, list) else [spans] if spans is not None else []):
        sound = isinstance(span, list) and len(span) == 3 and isinstance(span[0], str)
        if not sound or not all(type(edge) in (int, float) for edge in span[1:]) or not span[1] <= span[2]:
            expected = "a list of [when, start, end], the times in Unix seconds"
            yield f"key audit.idle_spans_utc[{at}]: expected {expected}, got {shown(span)}"


def _figure_faults(windows: Any, metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield the figures that do not follow from the windows, from which they were computed."""
    durations_s = [window["end_s"] - window["start_s"] for window in windows]
    work = [window["work"] for window in windows]
    if "rate" in metrics:
        yield from _recomputed("rate", metrics["rate"], work, durations_s)
    for name, metric in metrics.items():
        joules = [_joules(window, metric.get("meter")) for window in windows]
        if None in joules or not name.startswith((ENERGY_PER_UNIT, POWER)):
            continue
        yield from _recomputed(name, metric, joules, work if name.startswith(ENERGY_PER_UNIT) else durations_s)


def _joules(window: Mapping[str, Any], meter: str | None) -> float | None:
    return next((one.get("joules") for one in window.get("energy", ()) if one["meter"] == meter), None)


def _recomputed(name: str, metric: Mapping[str, Any], over: Sequence[Any], under: Sequence[float]) -> Iterator[str]:
    """Yield the fault of a figure that is neither the mean of its windows nor, as for counted work, their total."""
    mean = math.fsum(value / by for value, by in zip(over, under, strict=True)) / len(under)
    figures = (mean, math.fsum(over) / math.fsum(under))
    if not any(math.isclose(metric["value"], figure, rel_tol=limits.RECOMPUTED_FRAC) for figure in figures):
        yield f"key metrics.{name}.value: expected {mean:.9g} of its windows, got {metric['value']:.9g}: it was changed"


def _in_order(low: float, value: float, high: float) -> bool:
    slack = limits.RECOMPUTED_FRAC * abs(value)
    return low - slack <= value <= high + slack


def _range(least: float, most: float) -> str:
    return f"a number from {least:g} to {most:g}"
