"""Rows of a log: which are read, their order, and the sum over devices."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import limits
from bench.meters.logs.table import Table, find_column
from hardware_profiles.errors import InputError, near_names

Reading = tuple[float, float | None]  # time [s since 1970], power [W] or None
_ROUND_FRAC = 0.5  # [-] readings of one round lie within this share of the time between rounds


class Filter(NamedTuple):
    """The rows to read: those whose cells have these values."""

    wanted: tuple[tuple[int, str], ...]
    text: str  # as it was stated

    def admits(self, cells: Sequence[str]) -> bool:
        """Return whether a row is to be read."""
        return all(column < len(cells) and cells[column].strip() == value for column, value in self.wanted)


def filter_of(path: Path, table: Table, stated: str | None) -> Filter:
    """Return the filter of `where=COLUMN=VALUE`, several joined by `&`.

    Raises
    ------
    InputError
        A part has no `=`, or its column does not exist.
    """
    wanted = []
    for part in (stated or "").split("&") if stated else ():
        ends = [i for i, character in enumerate(part) if character == "="]
        matches = [(column, part[i + 1 :]) for i in ends if (column := find_column(table.names, part[:i])) is not None]
        if not ends:
            raise InputError.at(path, "where", expected="COLUMN=VALUE, as in where=index=0", got=part)
        if not matches:
            name = part[: ends[0]]
            raise InputError.at(
                path, "where", expected=f"a column of {', '.join(table.names)}", got=name,
                near=near_names(name, table.names),
            )  # fmt: skip
        wanted.append((matches[0][0], matches[0][1].strip()))
    return Filter(tuple(wanted), f"where={stated}" if stated else "")


class Ordered(NamedTuple):
    """Rows in order of time."""

    rows: list[Reading]
    clock_back: list[float]  # [s since 1970] times before which the clock went back
    newest_first: bool


def in_order(path: Path, rows: Sequence[Reading]) -> Ordered:
    """Return rows in order of time; rows that come before the one above them are left out.

    Raises
    ------
    InputError
        The times go back again and again.
    """
    forward = sum(b[0] > a[0] for a, b in pairwise(rows))
    backward = sum(b[0] < a[0] for a, b in pairwise(rows))
    newest_first = backward > forward
    back = forward if newest_first else backward
    if back > max(3.0, limits.MALFORMED_LINES_FRAC * len(rows)):
        expected = "rows in order of time, oldest or newest first (of one device, or with where= or sum=)"
        raise InputError.at(path, expected=expected, got=f"{back} of {len(rows)} rows against the order")
    kept: list[Reading] = []
    steps_back: list[float] = []
    for row in reversed(rows) if newest_first else rows:
        if kept and row[0] < kept[-1][0]:
            steps_back.append(kept[-1][0])
        else:
            kept.append(row)
    return Ordered(kept, steps_back, newest_first)


def sum_devices(path: Path, names: Sequence[str], rows: Sequence[Reading]) -> Ordered:
    """Return the sum of several devices at each time; a time at which one is missing has no power.

    Parameters
    ----------
    path
        The file, for messages.
    names
        The device of each row.
    rows
        The rows.

    Raises
    ------
    InputError
        The rows of a device are in no order of time.

    Notes
    -----
    The readings of one round may be a little apart in time; their mean time is the time of the sum.
    """
    devices: dict[str, list[Reading]] = {}
    for name, row in zip(names, rows, strict=True):
        devices.setdefault(name, []).append(row)
    ordered = {name: in_order(path, rows) for name, rows in devices.items()}
    steps = [b[0] - a[0] for order in ordered.values() for a, b in pairwise(order.rows) if b[0] > a[0]]
    longest_s = _ROUND_FRAC * median(steps) if steps else 0.0
    streams = [_named(name, order.rows) for name, order in ordered.items()]
    sums: list[Reading] = []
    one: dict[str, Reading] = {}
    first_s = 0.0
    for when, name, watts in heapq.merge(*streams, key=itemgetter(0)):
        if one and (name in one or when - first_s > longest_s):
            sums.append(_total(one, len(devices)))
            one = {}
        first_s = first_s if one else when
        one[name] = (when, watts)
    sums.append(_total(one, len(devices)))
    back = sorted(when for order in ordered.values() for when in order.clock_back)
    return Ordered(sums, back, any(order.newest_first for order in ordered.values()))


def _named(name: str, rows: Iterable[Reading]) -> Iterator[tuple[float, str, float | None]]:
    return ((when, name, watts) for when, watts in rows)


def _total(readings: Mapping[str, Reading], count: int) -> Reading:
    """Return the mean time of a round and its power, None if one of so many devices is missing."""
    when = sum(reading[0] for reading in readings.values()) / len(readings)
    watts = [reading[1] for reading in readings.values()]
    return when, sum(w for w in watts if w is not None) if len(watts) == count and None not in watts else None
