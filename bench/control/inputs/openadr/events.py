"""What the events of OpenADR 3 ask of a site: limits in megawatts, each from a start to an end. Pure.

References
----------
OpenADR 3.1.0: objects `event`, `program`, `interval` (https://www.openadr.org/specification).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench.control.inputs.openadr.periods import duration_s, time_s
from bench.control.inputs.tables import TargetTable
from bench.control.inputs.target_file import MW_PER
from hardware_profiles.errors import InputError, shown
from sites.control.model import LoadTarget

MOST_INTERVALS = 10_000  # of one event
_UNITS = {"KW": "kilowatt", "MW": "megawatt"}
_AHEAD_S = 86_400.0  # [s] how far ahead an event that repeats is written out


class Span(NamedTuple):
    """A time of one interval."""

    start_s: float  # [s, Unix]
    end_s: float | None  # [s, Unix]; None until the event ends


def concerns(event: Mapping[str, Any], table: TargetTable) -> bool:
    """Return whether an event is addressed to everybody or to the VEN of the table.

    Version 3.0 lists targets as {type, values}, 3.1 as texts.
    """
    targets = event.get("targets") or ()
    if table.ven is None or not targets:
        return True
    named = [
        name
        for target in targets
        for name in (target.get("values", ()) if isinstance(target, dict) else (target,))
        if not isinstance(target, dict) or target.get("type") in {"VEN_NAME", "VEN", "RESOURCE_NAME"}
    ]
    return not named or table.ven in named


def limits(
    event: Mapping[str, Any], program: Mapping[str, Any], table: TargetTable, now_s: float
) -> tuple[LoadTarget, ...]:
    """Return the limits that an event states, by their start.

    Parameters
    ----------
    event, program
        The objects as the VTN sends them.
    table
        [target] of the control file.
    now_s
        Now [s, Unix]; the time of receipt.

    Raises
    ------
    InputError
        A payload of a declared type has another unit, is no power, or a time or a duration is faulty.
    """
    place = f"event {shown(event.get('id'))}"
    source = f"openadr:{event.get('programID', '')}/{event.get('id', '')}"
    found = []
    for span, interval in _spans(event, now_s, place):
        for payload in _list(interval, "payloads", place):
            kind = payload.get("type") if isinstance(payload, dict) else None
            if kind in table.payloads:
                limit_mw = _limit_mw(payload, str(kind), (event, program), table, place)
                found.append(LoadTarget(limit_mw, span.start_s, span.end_s, now_s, source))
    return tuple(found)


def _limit_mw(
    payload: Mapping[str, Any],
    kind: str,
    described: tuple[Mapping[str, Any], Mapping[str, Any]],
    table: TargetTable,
    place: str,
) -> float:
    values = payload.get("values")
    value = values[0] if isinstance(values, list) and len(values) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InputError(f"{place}: {kind}: expected one number of 0 or more, got {shown(values)}")
    if kind == "SIMPLE":
        levels = table.simple_mw or ()
        if value % 1 or value >= len(levels):
            raise InputError(f"{place}: SIMPLE: expected a level from 0 to {len(levels) - 1}, got {shown(value)}")
        return levels[int(value)]
    stated = next((unit for each in described if (unit := _unit(each, kind, place)) is not None), None)
    if stated is not None and stated not in _UNITS:
        raise InputError(f"{place}: {kind}: expected the unit KW or MW, got {shown(stated)}")
    unit = _UNITS[stated] if stated is not None else table.unit
    if unit is None:
        raise InputError(f"{place}: {kind}: expected a unit in its payloadDescriptors (or unit in [target]), got none")
    return float(value) * MW_PER[unit]


def _unit(described: Mapping[str, Any], kind: str, place: str) -> str | None:
    for descriptor in _list(described, "payloadDescriptors", place):
        if isinstance(descriptor, dict) and descriptor.get("payloadType") == kind and descriptor.get("units"):
            return str(descriptor["units"])
    return None


def _list(document: Mapping[str, Any], key: str, place: str) -> list[Any]:
    content = document.get(key)
    if content is None:
        return []
    if not isinstance(content, list) or len(content) > MOST_INTERVALS:
        raise InputError(f"{place}: {key}: expected a list of at most {MOST_INTERVALS}, got {shown(content)}")
    return content


def _spans(event: Mapping[str, Any], now_s: float, place: str) -> Iterator[tuple[Span, Mapping[str, Any]]]:
    """Yield the intervals of an event with their times, shortened or repeated as its own `duration` says."""
    rows = list(_rows(event, now_s, place))
    if not rows:
        return
    first_s, last_s = rows[0][0].start_s, rows[-1][0].end_s
    length_s = None if last_s is None else last_s - first_s
    if event.get("duration") is None or length_s is None or length_s <= 0:
        yield from rows
        return
    total_s = duration_s(event["duration"], f"{place}: duration")
    end_s = math.inf if total_s is None else first_s + total_s
    first = max(0, math.floor((now_s - first_s) / length_s))
    until_s = min(end_s, max(now_s, first_s) + _AHEAD_S)
    for at in range(first, first + MOST_INTERVALS // len(rows)):
        later_s = at * length_s
        for span, interval in rows:
            begin_s = span.start_s + later_s
            if begin_s < until_s:
                yield Span(begin_s, min((span.end_s or math.inf) + later_s, end_s)), interval


def _rows(event: Mapping[str, Any], now_s: float, place: str) -> Iterator[tuple[Span, Mapping[str, Any]]]:
    """Yield the intervals once: with their own period, or one after the other from the start of the event."""
    created_s = time_s(event["createdDateTime"], f"{place}: createdDateTime") if event.get("createdDateTime") else None
    usual = event.get("intervalPeriod") or {}
    start_s, length_s = _period(usual, created_s or now_s, place)
    for interval in _list(event, "intervals", place):
        if not isinstance(interval, dict):
            raise InputError(f"{place}: intervals: expected objects, got {shown(interval)}")
        if start_s is None:
            raise InputError(f"{place}: intervals: expected none after one without an end")
        own_length_s = length_s
        if own := interval.get("intervalPeriod"):
            start_s, own_length_s = _period(own, start_s, place)
        end_s = None if own_length_s is None else (start_s or 0.0) + own_length_s
        yield Span(start_s or 0.0, end_s), interval
        start_s = end_s


def _period(period: Any, start_s: float, place: str) -> tuple[float | None, float | None]:
    """Return the start and the length of a period; `randomizeStart` is not used, so that a limit is never late."""
    if not isinstance(period, dict):
        raise InputError(f"{place}: intervalPeriod: expected an object, got {shown(period)}")
    stated_s = time_s(period["start"], f"{place}: start") if period.get("start") else None
    length = period.get("duration")
    length_s = duration_s(length, f"{place}: duration") if length is not None else None
    return start_s if stated_s is None else stated_s, length_s
