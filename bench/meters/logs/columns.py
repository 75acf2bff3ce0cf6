"""The columns of a log that hold its times and its power, and the unit of the power."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.meters.logs.cells.numbers import is_missing, take_apart
from bench.meters.logs.cells.times import has_zone, is_time
from bench.meters.logs.names import words
from bench.meters.logs.names.meaning import Kind, Named, meaning
from bench.meters.logs.names.units import UNCERTAIN, Unit, unit_of
from bench.meters.logs.table import Table, find_column
from hardware_profiles.errors import InputError, near_names

_UNIT_COLUMNS = frozenset({"unit", "units", "unit_of_measurement", "einheit", "uom"})


class Power(NamedTuple):
    """The columns of power and their units."""

    columns: tuple[int, ...]
    units: tuple[Unit | None, ...]  # of numbers without a unit behind them; None if it must be behind each


class Sample:
    """The first rows of a table, by column."""

    def __init__(self, table: Table, rows: Sequence[Sequence[str]]) -> None:
        self.rows = rows
        self.columns = [[row[i].strip() for row in rows] for i in range(table.width)]

    def readings(self, column: int) -> list[str]:
        """Return the cells of a column that are no word for a missing reading."""
        return [cell for cell in self.columns[column] if not is_missing(cell)]

    def is_numeric(self, column: int) -> bool:
        """Return whether most readings of a column are numbers, or all are missing."""
        readings = self.readings(column)
        return sum(take_apart(cell) is not None for cell in readings) * 2 >= len(readings)

    def is_time(self, column: int) -> bool:
        """Return whether most readings of a column are times."""
        readings = self.readings(column)
        return bool(readings) and sum(map(is_time, readings)) * 2 > len(readings)

    def is_text(self, column: int) -> bool:
        """Return whether a column holds neither numbers nor times."""
        readings = self.readings(column)
        return bool(readings) and not self.is_numeric(column) and not self.is_time(column)

    def has_watts(self, column: int) -> bool:
        """Return whether a number of a column has a unit of power behind it."""
        units = (unit_of(cell.unit) for cell in map(take_apart, self.readings(column)) if cell and cell.unit)
        return any(unit is not None and unit.quantity == "power" for unit in units)


def name_of(table: Table, column: int) -> str:
    """Return the name of a column, or its number if the file has no header."""
    return table.names[column] if table.names else f"number {column + 1}"


def columns_of(path: Path, table: Table, key: str, stated: str) -> list[int]:
    """Return the column that a setting names, or several joined by `+`.

    Raises
    ------
    InputError
        There is no such column.
    """
    for parts in ([stated], stated.split("+")):
        columns = [find_column(table.names, part) for part in parts]
        if all(column is not None for column in columns):
            return [column for column in columns if column is not None]
    known = ", ".join(table.names) or "no names: the file has no header"
    raise InputError.at(path, key, expected=f"one of {known}", got=stated, near=near_names(stated, table.names))


def time_columns(path: Path, table: Table, sample: Sample, stated: str | None) -> list[int]:
    """Return the column of times, or a column of dates and one of clock times.

    Raises
    ------
    InputError
        There is none, or there are several.
    """
    if stated is not None:
        return columns_of(path, table, "time", stated)
    if not table.names:
        return [0 if sample.is_time(0) or not sample.is_time(1) else 1]
    named = words.time_columns(list(table.names))
    if len(named) == 2 and words.is_date(table.names[named[0]]):
        whole = [i for i in (named[1], named[0]) if sample.is_time(i) and any(":" in c for c in sample.readings(i))]
        return whole[:1] or named
    columns = [i for i in named if sample.is_time(i)] or named[:1]
    columns = columns or [i for i in range(table.width) if sample.is_time(i)]
    if len(columns) > 1:
        columns = [i for i in columns if all(map(has_zone, sample.readings(i)))][:1] or columns
    if len(columns) != 1:
        some = ", ".join(table.names[i] for i in columns) or "none"
        expected = f"one column of time among {', '.join(table.names)} (or name it: time=NAME)"
        raise InputError.at(path, "time", expected=expected, got=some)
    return columns


def power_columns(
    path: Path, table: Table, sample: Sample, times: Sequence[int], settings: Mapping[str, str]
) -> tuple[int, ...]:
    """Return the columns of power.

    Raises
    ------
    InputError
        There is none, there are several, or the named one holds another quantity.
    """
    stated = settings.get("column")
    if not table.names:
        return (1 - times[0],)
    if stated is not None:
        columns = columns_of(path, table, "column", stated)
        if len(set(columns) | set(times)) < len(columns) + len(times):
            raise InputError.at(path, "column", expected="columns of power, each once and none of times", got=stated)
        for column in columns:
            if (named := meaning_of(table, column)).kind is Kind.OTHER:
                raise InputError.at(path, "column", expected="a column of watts", got=_why(table, column, named))
        return tuple(columns)
    names = {i: meaning_of(table, i) for i in range(table.width) if i not in times and sample.is_numeric(i)}
    others = [i for i, named in names.items() if named.kind is Kind.OTHER]
    plain = [i for i, named in names.items() if named.kind is Kind.NONE and not sample.has_watts(i)]
    columns = [i for i, named in names.items() if named.measured and i not in {*others, *plain}]
    if not columns and not others:
        values = [i for i in plain if not _is_counter(sample.columns[i])]
        columns = values if len(values) == 1 else []
    if len(columns) == 1:
        return (columns[0],)
    if columns:
        choices = ", ".join(f"column={table.names[i]}" for i in columns)
        expected = f"one column of watts, or a setting that names it: {choices}"
        raise InputError.at(path, "column", expected=expected, got=f"{len(columns)} of them")
    faults = "; ".join(_why(table, i, named) for i, named in names.items()) or "no column of numbers"
    raise InputError(f"{path}: key column: expected one column of watts (or name it: column=NAME), got none: {faults}")


def meaning_of(table: Table, column: int) -> Named:
    """Return the quantity and unit that a column's name and the row of units state."""
    named = meaning(table.names[column]) if table.names else Named(Kind.NONE)
    unit = unit_of(table.units[column]) if column < len(table.units) else None
    if unit is None or named.kind is Kind.OTHER:
        return named
    if unit.quantity != "power":
        return named._replace(kind=Kind.OTHER, unit=None, quantity=f"{unit.quantity} ({unit.text})")
    if named.kind is Kind.WATTS and named.unit != unit:
        return named._replace(kind=Kind.UNCLEAR, unit=None)
    if unit.scale is None:
        return named._replace(kind=Kind.UNCERTAIN)
    return named._replace(kind=Kind.WATTS, unit=unit)


def units_of(path: Path, table: Table, columns: Sequence[int], stated: str | None) -> Power:
    """Return the units of the columns of power.

    Raises
    ------
    InputError
        The stated unit is none of power, or contradicts a column's name.
    """
    unit = None if stated is None else unit_of(stated)
    if stated is not None and (unit is None or unit.quantity != "power" or unit.scale is None):
        raise InputError.at(path, "unit", expected="W, mW, µW (or uW), kW or MW", got=stated)
    units: list[Unit | None] = []
    for column in columns:
        named = meaning_of(table, column)
        if unit is not None and named.kind is Kind.WATTS and named.unit != unit:
            assert named.unit is not None
            expected = f"{named.unit.text} as column {table.names[column]} says, or no unit="
            raise InputError.at(path, "unit", expected=expected, got=stated)
        if (
            unit is not None
            and named.unit is None
            and table.names
            and words.names_no_power(words.split(table.names[column]))
        ):
            raise InputError.at(
                path, "unit", expected="no unit= for a column of another quantity", got=table.names[column]
            )
        if unit is not None and named.kind is Kind.UNCERTAIN and unit.text not in {"mW", "MW"}:
            expected = f"mW or MW, as column {table.names[column]} says"
            raise InputError.at(path, "unit", expected=expected, got=stated)
        units.append(unit or (UNCERTAIN if named.kind is Kind.UNCERTAIN else named.unit))
    return Power(tuple(columns), tuple(units))


def unit_column(table: Table) -> int | None:
    """Return the column that states a unit on each row, None without one."""
    return next((i for i, name in enumerate(table.names) if words.key(name) in _UNIT_COLUMNS), None)


def _why(table: Table, column: int, named: Named) -> str:
    name = name_of(table, column)
    if named.kind is Kind.OTHER:
        return f"{name} is {named.quantity}"
    return f"{name} is a limit or an extreme" if not named.measured else f"{name} has no unit of power"


def _is_counter(cells: Sequence[str]) -> bool:
    """Return whether a column numbers the rows."""
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    return len(numbers) == len(cells) and all(b - a == 1 for a, b in pairwise(numbers))
