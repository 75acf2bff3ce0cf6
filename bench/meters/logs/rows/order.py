"""The order of a log's rows, and the sum over devices."""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench import limits
from bench.meters.logs.cells.arrays import median
from bench.meters.logs.cells.plausible import MISSING, Numbers
from hardware_profiles.errors import InputError

Index = npt.NDArray[np.intp] | npt.NDArray[np.bool_]
Devices = npt.NDArray[np.uint16]  # of each row, by number

_ROUND_FRAC = 0.5  # [-] readings of one round lie within this share of the time between rounds
_BLOCK_ROWS = 65_536


class Rows(NamedTuple):
    """Times and powers of a log's rows."""

    times_s: Numbers  # [s since 1970]
    watts: Numbers  # [W] `MISSING` where a reading is missing

    def at(self, index: Index | slice) -> "Rows":
        """Return some of the rows."""
        return Rows(self.times_s[index], self.watts[index])


class Ordered(NamedTuple):
    """Rows in order of time."""

    rows: Rows
    clock_back: tuple[float, ...]  # [s since 1970] times before which the clock went back
    newest_first: bool


def in_order(path: Path, rows: Rows) -> Ordered:
    """Return rows in order of time; rows that come before the one above them are left out.

    Raises
    ------
    InputError
        The times go back again and again.
    """
    times = rows.times_s
    forward, backward = int((times[1:] > times[:-1]).sum()), int((times[1:] < times[:-1]).sum())
    newest_first = backward > forward
    back = forward if newest_first else backward
    if back > max(3.0, limits.MALFORMED_LINES_FRAC * len(times)):
        expected = "rows in order of time, oldest or newest first (of one device, or with where= or sum=)"
        raise InputError.at(path, expected=expected, got=f"{back} of {len(times)} rows against the order")
    if newest_first:
        rows = rows.at(slice(None, None, -1))
    if not back:
        return Ordered(rows, (), newest_first)
    latest = np.maximum.accumulate(rows.times_s)
    late = rows.times_s < latest
    return Ordered(rows.at(~late), tuple(latest[late].tolist()), newest_first)


def sum_devices(path: Path, names: Devices, rows: Rows) -> Ordered:
    """Return the sum of several devices at each time; a time at which one is missing has no power.

    Parameters
    ----------
    path
        The file, for messages.
    names
        The device of each row, by number.
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
    devices = in_turn(names)
    times_s, watts, device = np.empty_like(rows.times_s), np.empty_like(rows.watts), np.empty_like(names)
    end, newest_first = 0, False
    back: list[float] = []
    steps = []
    for number in devices:
        one = in_order(path, rows.at(names == number))
        start, end = end, end + len(one.rows.times_s)
        times_s[start:end], watts[start:end], device[start:end] = *one.rows, number
        own_steps = np.diff(one.rows.times_s)
        steps.append(own_steps[own_steps > 0.0])
        back += one.clock_back
        newest_first |= one.newest_first
    all_steps = np.concatenate(steps)
    longest_s = _ROUND_FRAC * median(all_steps) if len(all_steps) else 0.0
    merged = np.argsort(times_s[:end], kind="stable")
    readings = _readings(merged, times_s, watts, device)
    return Ordered(_rounds(readings, len(devices), longest_s), tuple(sorted(back)), newest_first)


def in_turn(names: Devices) -> list[int]:
    """Return the devices in the order of their first rows."""
    devices, first = np.unique(names, return_index=True)
    return [int(device) for device in devices[np.argsort(first)]]


def _readings(order: Index, times_s: Numbers, watts: Numbers, device: Devices) -> Iterator[tuple[float, int, float]]:
    """Yield time, device and power in this order."""
    for start in range(0, len(order), _BLOCK_ROWS):
        some = order[start : start + _BLOCK_ROWS]
        yield from zip(times_s[some].tolist(), device[some].tolist(), watts[some].tolist(), strict=True)


def _rounds(readings: Iterable[tuple[float, int, float]], count: int, longest_s: float) -> Rows:
    """Return the sums of rounds of readings: mean time and power, missing if one of so many devices is missing."""
    times_s, watts = array("d"), array("d")
    one: dict[int, tuple[float, float]] = {}
    first_s = 0.0

    def close() -> None:
        powers = [power for _, power in one.values()]
        times_s.append(sum(when for when, _ in one.values()) / len(one))
        watts.append(sum(powers) if len(one) == count and MISSING not in powers else MISSING)

    for when, device, power in readings:
        if one and (device in one or when - first_s > longest_s):
            close()
            one.clear()
        first_s = first_s if one else when
        one[device] = (when, power)
    close()
    return Rows(np.frombuffer(times_s), np.frombuffer(watts))
