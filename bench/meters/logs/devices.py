"""Rows of several devices in one log: found by a column that names them, or by times that repeat."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench import limits
from bench.meters.logs.cells.arrays import ninth_decile
from bench.meters.logs.columns import Sample
from bench.meters.logs.log import Values
from bench.meters.logs.names import words
from bench.meters.logs.names.meaning import Kind, meaning
from bench.meters.logs.names.units import unit_of
from bench.meters.logs.rows.labels import MOST, Labels
from bench.meters.logs.rows.order import Rows
from bench.meters.logs.table import Table
from hardware_profiles.errors import InputError

_NAMES = frozenset({
    "index", "idx", "gpu_index", "gpu_id", "gpu_uuid", "uuid", "entity_id", "entity", "device", "device_id", "deviceid",
    "device_name", "pid", "host", "hostname", "channel", "ch", "socket", "outlet", "sensor", "sensor_id", "serial",
    "id", "bus_id", "pci_bus_id", "instance", "series", "card", "meter", "meter_id", "meter_name", "phase", "rack",
    "server", "plug", "name", "metric", "label", "port", "slot", "field", "measurement", "domain", "minor_number",
    "statistic_id", "serial_number", "gpu_serial", "gpu_name", "machine", "address", "ip", "mac", "circuit", "feed",
    "addr", "slave", "node_id", "line", "bay", "psu", "rail", "string", "inverter", "cabinet",
})  # fmt: skip
_SHARES = frozenset({"gpu", "cpu", "core", "node", "module", "package", "die", "unit", "group"})  # or a number's name
_INSTRUMENT = re.compile(r"energy[\W_]*(?:meter|monitor|analy[sz]er|logger)", re.IGNORECASE)  # it measures power too
_TOTALS = frozenset({"total", "sum", "all", "overall", "combined", "aggregate", "gesamt", "summe", "toplam"})
_BURST_FRAC = 0.15  # [-] rows this close, relative to the gaps between bursts, are readings of several devices


def columns(table: Table, sample: Sample, used: Sequence[int | None], summed: int | None) -> tuple[int, ...]:
    """Return the columns that may name a device: by their names, their text, or numbers that repeat in turn."""
    by_name = [i for i, name in enumerate(table.names) if words.key(name) in _NAMES | _SHARES]
    texts = [i for i in range(len(table.names)) if sample.is_text(i)]
    turning = [i for i, name in enumerate(table.names) if meaning(name).kind is Kind.NONE and _turns(sample.columns[i])]
    stated = [] if summed is None else [summed]
    return tuple(i for i in dict.fromkeys([*stated, *by_name, *texts, *turning]) if i not in used or i == summed)


def _turns(cells: Sequence[str]) -> bool:
    """Return whether the numbers from 0 or 1 on repeat in turn, as device numbers do."""
    period = next((k for k in range(2, len(cells) // 3 + 1) if cells[k] == cells[0]), 0)
    return (
        period > 0
        and _are_numbers_in_turn(cells[:period])
        and all(a == b for a, b in zip(cells, cells[period:], strict=False))
    )


def refuse_several(
    path: Path, table: Table, columns: Mapping[int, Labels], times_s: Values, summed: int | None
) -> None:
    """Refuse rows of several devices.

    Parameters
    ----------
    path
        The file, for messages.
    table
        Its table.
    columns
        The cells of the columns that may name a device, by column.
    times_s
        The times of the rows [s since 1970].
    summed
        The column of the devices that are to be added, None without one.

    Raises
    ------
    InputError
        A column names several devices, or other things than power are to be added.
    """
    if summed is not None:
        _refuse_other_quantities(path, columns[summed].texts)
    for column, labels in columns.items():
        if labels.are_too_many or (summed is not None and labels.follow(columns[summed])):
            continue  # it is the same for all rows of one device that is added
        name = table.names[column]
        seen = [text for text in labels.texts if text]
        if 2 <= len(seen) <= MOST and _names_devices(words.key(name), labels, seen, times_s):
            some = ", ".join(seen[:6]) + (" …" if len(seen) > 6 else "")
            raise InputError(
                f"{path}: column {name}: expected rows of one device, got rows of {len(seen)}: {some}; write "
                f"where={name}={seen[0]} to read one of them, or sum={name} to add them"
            )


def _names_devices(key: str, labels: Labels, seen: Sequence[str], times_s: Values) -> bool:
    rows = labels.rows()
    if len(seen) == len(rows) > 2:
        return False  # it numbers the rows
    numeric = all(cell.replace(".", "", 1).isdecimal() for cell in seen)
    if key in _NAMES:
        return not numeric or not _counts(labels)
    same = rows[1:] == rows[:-1]
    blocks = bool((~same & (times_s[1:] < times_s[:-1])).any())
    if numeric and not _are_numbers_in_turn(seen):
        return False  # shares in per cent and the like
    return same.sum() / max(1, len(same)) < 0.2 or blocks


def _are_numbers_in_turn(cells: Sequence[str]) -> bool:
    """Return whether cells are the whole numbers from 0 or 1 on, in any order."""
    numbers = sorted(cells, key=lambda cell: (len(cell), cell))
    return any(numbers == [str(first + i) for i in range(len(numbers))] for first in (0, 1))


def _counts(labels: Labels) -> bool:
    """Return whether a column of whole numbers only grows, as a row number does."""
    numbers = np.array([float(text or "nan") for text in labels.texts])[labels.rows()]
    return bool((np.diff(numbers[~np.isnan(numbers)]) > 0.0).all())


def refuse_bursts(path: Path, rows: Rows) -> None:
    """Refuse rows in time order that come in bursts, or several at one time: no column tells their devices apart.

    Raises
    ------
    InputError
        Many rows share a time and differ in power, or follow one another far faster than the rest.
    """
    if len(rows.times_s) < 4:
        return
    steps = np.diff(rows.times_s)
    differ = int(((steps == 0.0) & (rows.watts[1:] != rows.watts[:-1])).sum())
    long_s = ninth_decile(steps)
    bursts = int((steps < _BURST_FRAC * long_s).sum()) if long_s > 0 else 0
    if differ > max(1.0, limits.MALFORMED_LINES_FRAC * len(steps)) or bursts > 0.4 * len(steps):
        got = f"{differ} rows at the time of the row before" if differ else f"{bursts} rows right after another"
        raise InputError(
            f"{path}: expected rows of one device, one at a time, got {got}: several devices that no column tells "
            "apart, or a clock that is too coarse for the log"
        )


def _refuse_other_quantities(path: Path, cells: Iterable[str]) -> None:
    """Refuse devices whose names say that they are no power, such as `sensor.plug_voltage`, or a total of others."""
    values = list(dict.fromkeys(cells))
    has_watts = any((unit := unit_of(value)) is not None and unit.quantity == "power" for value in values)
    for value in values:
        parts = words.split(value)
        if _TOTALS & set(parts) or value == "-":
            raise InputError.at(
                path, "sum", expected="rows of parts without their total (where=COLUMN=VALUE)", got=value
            )
        if len(value) == 1 and not has_watts:
            continue  # A, B and C are phases
        if words.names_no_power(parts) or (not words.is_strictly_power(parts) and meaning(value).kind is Kind.OTHER):
            raise InputError.at(path, "sum", expected="rows of power alone (where=COLUMN=VALUE)", got=value)


def refuse_rows_of_other_quantities(
    path: Path, table: Table, columns: Mapping[int, Iterable[str]], named: Sequence[int]
) -> None:
    """Refuse rows whose device is called energy, voltage or the like, where only a setting says that they are power.

    Parameters
    ----------
    path
        The file, for messages.
    table
        Its table.
    columns
        The cells of the columns that may name a device, by column.
    named
        The columns of the setting `where`.

    Raises
    ------
    InputError
        A device's name says another quantity.
    """
    for column, cells in columns.items():
        if column not in named and words.key(table.names[column]) not in _NAMES:
            continue
        for value in dict.fromkeys(cells):
            parts = words.split(_INSTRUMENT.sub(" ", value))
            if words.names_no_power(parts):
                expected = "rows of power (the setting unit= turns no other quantity into power)"
                raise InputError.at(f"{path}: column {table.names[column]}", expected=expected, got=value)
