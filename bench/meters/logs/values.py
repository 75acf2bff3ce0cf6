"""The power of a log's rows: that of one column, or the sum of several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.meters.logs.cells.numbers import Cell, Evidence, take_apart
from bench.meters.logs.cells.plausible import MISSING, Numbers
from bench.meters.logs.cells.times import is_time
from bench.meters.logs.columns import Power, Sample, name_of, unit_column
from bench.meters.logs.names.units import UNCERTAIN, Unit, unit_of
from bench.meters.logs.number_column import Column, PowerColumn
from bench.meters.logs.rows.labels import Labels
from bench.meters.logs.table import Table
from hardware_profiles.errors import InputError

Flags = npt.NDArray[np.bool_]


class PowerColumns:
    """The power of a log's rows: that of its column, or the sum of several columns.

    Parameters
    ----------
    path, table, sample
        The file, for messages; its table and first rows.
    power
        The columns of power.
    settings
        Settings of the log.
    shown
        What an earlier reading of the whole log has shown of each column's marks, nothing at first.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of one table)
        self,
        path: Path,
        table: Table,
        sample: Sample,
        power: Power,
        settings: Mapping[str, str],
        shown: Sequence[Evidence] = (),
    ) -> None:
        self._path, self._table, self._power = path, table, power
        elsewhere = Evidence(_numbers_elsewhere(table, sample, power.columns))
        names = [name_of(table, column) for column in power.columns]
        before: Sequence[Evidence | None] = shown or [None] * len(names)
        self._columns = [
            PowerColumn(path, name, settings, elsewhere, evidence) for name, evidence in zip(names, before, strict=True)
        ]

    @property
    def is_stale(self) -> bool:
        """Whether some numbers were read with other marks than the whole log shows."""
        return any(column.is_stale for column in self._columns)

    @property
    def evidence(self) -> list[Evidence]:
        """What the numbers of each column show of their marks."""
        return [column.evidence for column in self._columns]

    def add(self, columns: Mapping[int, Sequence[str]]) -> Flags:
        """Read the cells of more rows, by column, and return which rows are unreadable."""
        numbers = [column.add(columns[i]) for i, column in zip(self._power.columns, self._columns, strict=True)]
        return np.isnan(_total(numbers))

    def read(self, stated: Labels | None) -> Column:
        """Return the power of all rows.

        Parameters
        ----------
        stated
            The units that the rows state, None without a column of units.

        Raises
        ------
        InputError
            As for `PowerColumn.read`, or the rows state several units.
        """
        at = unit_column(self._table)
        name = "" if at is None else self._table.names[at]
        unit = None if stated is None else _unit_of_rows(self._path, name, stated.texts)
        columns = []
        for column, own in zip(self._columns, self._power.units, strict=True):
            if unit is not None and own is not None and own != unit:
                place = f"{self._path}: column {column.name}"
                raise InputError.at(place, expected=f"{own.text} on every row", got=unit.text)
            columns.append(column.read(unit or own))
        units = ", ".join(dict.fromkeys(column.unit for column in columns))
        return Column(_total([column.watts for column in columns]), units, columns[0].marks)


def _total(columns: Sequence[Numbers]) -> Numbers:
    """Return the sum of columns: missing where one is missing, else NaN where one is unreadable."""
    if len(columns) == 1:
        return columns[0]
    missing = np.logical_or.reduce([column == MISSING for column in columns])
    return np.where(missing, MISSING, sum(columns))


def _unit_of_rows(path: Path, name: str, cells: Iterable[str]) -> Unit | None:
    """Return the unit that every row states, None if no row does."""
    texts = [cell for cell in cells if cell]
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
