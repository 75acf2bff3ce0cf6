"""Power in watts from the cells of a column: numbers, units behind them, missing readings."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.meters.logs.cells import plausible
from bench.meters.logs.cells.numbers import (
    Cell,
    Evidence,
    Marks,
    decide,
    is_missing,
    stated_marks,
    take_apart,
    value_of,
)
from bench.meters.logs.cells.times import is_time
from bench.meters.logs.collect import Cells
from bench.meters.logs.columns import Power, Sample, name_of
from bench.meters.logs.names.units import UNCERTAIN, Unit, unit_of
from bench.meters.logs.table import Table
from hardware_profiles.errors import InputError

# a number that needs no second look: a decimal point without three digits behind it, or none
_PLAIN = re.compile(r"-?(?:\d{1,3}|[1-9]\d*|\d+\.(?:\d\d?|\d{4,})?)")
_MEGA_FROM_W = 1e9  # [W] mW that were MW would be more


class Column(NamedTuple):
    """A column of power."""

    watts: list[float | None]  # [W] None if the reading is missing, NaN if the cell is unreadable
    unit: str  # as it was read
    marks: Marks


def read_columns(  # noqa: PLR0913, PLR0917 (the parts of one table)
    path: Path,
    table: Table,
    sample: Sample,
    cells: Cells,
    power: Power,
    unit: int | None,
    settings: Mapping[str, str],
) -> Column:
    """Return the power of a log's rows: that of its column, or the sum of several columns.

    Parameters
    ----------
    path, table, sample, cells
        The file, for messages; its table, first rows and cells.
    power
        The columns of power.
    unit
        The column that states a unit on each row, None without one.
    settings
        Settings of the log.

    Raises
    ------
    InputError
        As for `read_column`, or the rows state several units.
    """
    elsewhere = Evidence(_numbers_elsewhere(table, sample, power.columns))
    stated = None if unit is None else _unit_of_rows(path, table.names[unit], cells.kept[unit])
    columns = []
    for column, own in zip(power.columns, power.units, strict=True):
        name = name_of(table, column)
        if stated is not None and own is not None and own != stated:
            raise InputError.at(f"{path}: column {name}", expected=f"{own.text} on every row", got=stated.text)
        columns.append(read_column(path, name, cells.columns[column], stated or own, settings, elsewhere))
    if len(columns) == 1:
        return columns[0]
    watts = [
        None if None in row else sum(value for value in row if value is not None)
        for row in zip(*(column.watts for column in columns), strict=True)
    ]
    return Column(watts, ", ".join(dict.fromkeys(column.unit for column in columns)), columns[0].marks)


def _unit_of_rows(path: Path, name: str, cells: Sequence[str]) -> Unit | None:
    """Return the unit that every row states, None if no row does."""
    texts = list(dict.fromkeys(cell for cell in cells if cell))
    units = [unit_of(text) for text in texts]
    if len(texts) > 1:
        watts = next((t for t, u in zip(texts, units, strict=True) if u and u.quantity == "power"), texts[0])
        expected = f"rows in one unit (write where={name}={watts})"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=", ".join(texts[:6]))
    if not texts:
        return None
    if units[0] is None or units[0].quantity != "power":
        raise InputError.at(f"{path}: column {name}", expected="a unit of power", got=texts[0])
    return units[0] if units[0].scale is not None else UNCERTAIN


def _numbers_elsewhere(table: Table, sample: Sample, columns: Sequence[int]) -> Iterator[Cell]:
    """Yield the numbers of the first rows in other columns."""
    for i in range(table.width):
        if i not in columns and sample.is_numeric(i):
            for cell in sample.readings(i):
                taken = take_apart(cell)
                if taken is not None and not taken.unit and not (is_time(cell) and taken.body.count(".") > 1):
                    yield taken


def read_column(  # noqa: PLR0913, PLR0917 (the parts of one column)
    path: Path, name: str, cells: Sequence[str], unit: Unit | None, settings: Mapping[str, str], elsewhere: Evidence
) -> Column:
    """Return the power of a column.

    Parameters
    ----------
    path, name
        File and column, for messages.
    cells
        The cells, without spaces around them.
    unit
        Unit of numbers without a unit behind them, None if it is not known.
    settings
        Settings of the log.
    elsewhere
        What the numbers of other columns show of the decimal sign.

    Raises
    ------
    InputError
        A unit is missing, contradicts another or is none of power; the decimal sign is not certain; no reading can be
        power.
    """
    evidence = _evidence(cells)
    marks = stated_marks(path, settings, evidence) or decide(path, name, evidence, elsewhere)
    raw: list[float | None] = []
    scales: list[float | None] = []
    units: dict[str, Unit] = {}
    bare = ""
    for cell in cells:
        if is_missing(cell):
            raw.append(None)
            scales.append(None)
            continue
        number, behind = _number(cell, marks)
        raw.append(number)
        if behind and behind not in units and not math.isnan(number):
            units[behind] = _unit_behind(path, name, cell, behind, unit)
        scales.append(units[behind].scale if behind in units else None)
        bare = bare or ("" if behind or math.isnan(number) else cell)
    if bare and unit is None:
        expected = (
            "a unit in its name, in a row of units or behind its numbers, or a setting: unit=W, unit=mW, unit=kW …"
        )
        raise InputError.at(f"{path}: column {name}", expected=expected, got=f"no unit, and numbers such as {bare}")
    raw = plausible.without_fill(raw)
    if unit is UNCERTAIN and any(number is not None for number in raw):
        unit = _certain(path, name, raw)
    own = unit.scale if unit is not None and unit.scale is not None else 1.0
    watts = [
        None if number is None else number * (own if scale is None else scale)
        for number, scale in zip(raw, scales, strict=True)
    ]
    plausible.check(path, name, raw, watts)
    watts = [math.nan if number is not None and abs(number) > plausible.LARGEST_W else number for number in watts]
    texts = [unit.text] if unit is not None and (bare or not units) else []
    return Column(watts, ", ".join(dict.fromkeys([*texts, *(u.text for u in units.values())])), marks)


def _evidence(cells: Sequence[str]) -> Evidence:
    plain = next((cell for cell in cells if "." in cell and _PLAIN.fullmatch(cell)), None)
    others = [cell for cell in cells if not _PLAIN.fullmatch(cell) and not is_missing(cell)]
    return Evidence(taken for cell in [*([plain] if plain else []), *others] if (taken := take_apart(cell)) is not None)


def _number(cell: str, marks: Marks) -> tuple[float, str]:
    """Return a number, NaN if it is unreadable, and the unit behind it."""
    if marks.decimal == "." and _PLAIN.fullmatch(cell):
        return float(cell), ""
    taken = take_apart(cell)
    if taken is None:
        return math.nan, ""
    try:
        number = value_of(taken, marks)
    except (ValueError, OverflowError):
        return math.nan, ""
    if taken.unit and unit_of(taken.unit) is None:
        return math.nan, ""
    return (number if math.isfinite(number) else math.nan), taken.unit


def _unit_behind(path: Path, name: str, cell: str, behind: str, stated: Unit | None) -> Unit:
    unit = unit_of(behind)
    if unit is None or unit.quantity != "power" or unit.scale is None:
        raise InputError.at(f"{path}: column {name}", expected="numbers in W, mW, µW, kW or MW", got=cell)
    if stated is not None and stated.text != "W" and stated != unit:
        expected = f"numbers in {stated.text}, as the name or the setting unit= says"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=cell)
    return unit


def _certain(path: Path, name: str, raw: Sequence[float | None]) -> Unit:
    """Return milliwatts where megawatts would be more than any site draws."""
    read = [abs(number) for number in raw if number is not None and not math.isnan(number)]
    middle = median(read) if read else 0.0
    if middle * 1e6 <= _MEGA_FROM_W:
        expected = "a unit that is certain (write unit=mW for milliwatts or unit=MW for megawatts)"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=f"numbers such as {middle:.6g}")
    return Unit("mW", 1e-3, "power")
