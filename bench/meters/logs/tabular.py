"""The reader of a log that is a table of columns."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np

from bench.meters.logs import devices
from bench.meters.logs.cells.arrays import Growing
from bench.meters.logs.cells.dates import Dates
from bench.meters.logs.cells.numbers import Evidence
from bench.meters.logs.cells.times import FIRST_ROWS, TimeColumn, header_zone, zone_not_clear
from bench.meters.logs.columns import Sample, meaning_of, name_of, power_columns, time_columns, unit_column, units_of
from bench.meters.logs.log import EmptyLogError, Log, Values
from bench.meters.logs.rows.choose import filter_of
from bench.meters.logs.rows.collect import CHUNK_ROWS, Collector
from bench.meters.logs.rows.labels import MOST, Labels
from bench.meters.logs.rows.malformed import Malformed
from bench.meters.logs.rows.order import Rows, in_order, in_turn, sum_devices
from bench.meters.logs.rows.split_numbers import SplitNumbers
from bench.meters.logs.source import Source
from bench.meters.logs.table import find_column, find_table, row_of
from bench.meters.logs.values import Flags, PowerColumns
from hardware_profiles.errors import InputError

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}


class Shown(NamedTuple):
    """What a reading of a whole log has shown of its dates and its marks."""

    dates: Dates
    marks: Sequence[Evidence]


class TableReader:
    """The reader of a log that is a table.

    Parameters
    ----------
    source
        The lines of the log.
    shown
        What an earlier reading of the whole log has shown, None at first.

    Raises
    ------
    InputError
        It is no table, or its columns need a setting.
    EmptyLogError
        It has no row yet.
    """

    def __init__(self, source: Source, shown: Shown | None = None) -> None:
        path, settings = source.path, source.settings
        self._source = source
        self._table = table = find_table(path, source.head, settings.get("time_format"))
        self._chosen = filter_of(path, table, settings.get("where"))
        head = [row_of(line, table) for line in source.head[table.start :] if line.strip()]
        sample = Sample(table, [row for row in head if len(row) == table.width and self._chosen.admits(row)])
        self._times = time_columns(path, table, sample, settings.get("time"))
        columns = power_columns(path, table, sample, self._times, settings)
        self._power = power = units_of(path, table, columns, settings.get("unit"))
        self._summed = find_column(table.names, settings["sum"]) if "sum" in settings else None
        if self._summed is not None and self._summed in {*self._times, *power.columns}:
            expected = "the column that names the device, not one of times or power"
            raise InputError.at(path, "sum", expected=expected, got=settings["sum"])
        self._split = SplitNumbers(path, table, self._chosen, max(power.columns))
        self._unit = unit_column(table)
        self._marked = devices.columns(table, sample, (*self._times, *power.columns, self._unit), self._summed)
        kept = self._marked if self._unit is None else (*self._marked, self._unit)
        self._labels = {i: Labels() for i in kept}
        self._malformed = Malformed(path, table, source.line)
        self._collector = Collector(table, self._chosen, (*self._times, *power.columns, *kept), self._malformed)
        self._values = PowerColumns(path, table, sample, power, settings, shown.marks if shown else ())
        self._shown = shown
        self._time_column: TimeColumn | None = None
        self._moments = Growing()  # [s since 1970] NaN where one is unreadable
        self._lines: list[Sequence[int]] = []  # number of each row's line

    @property
    def is_settled(self) -> bool:
        """Whether what was read stays as it is when the log grows."""
        return len(self._moments) >= FIRST_ROWS

    @property
    def is_stale(self) -> bool:
        """Whether the whole log shows other marks or dates than those by which its rows were read."""
        self._take(1)
        return self._values.is_stale or (self._time_column is not None and self._time_column.is_stale)

    def anew(self, source: Source) -> "TableReader":
        """Return a reader that begins anew with what this one knows."""
        dates = Dates() if self._time_column is None else self._time_column.dates
        return TableReader(source, Shown(dates, self._values.evidence))

    def add(self, first: int, lines: Sequence[str]) -> None:
        """Read lines; `first` is the number of the first one.

        Raises
        ------
        InputError
            A number may be split, or the times need a setting.
        """
        if self._source.settings.get("decimal") != "point":
            self._split.refuse(first, lines)
        self._collector.add(first, lines)
        self._take(CHUNK_ROWS)

    def _take(self, least: int) -> None:
        """Read the cells that were collected, if they are of so many rows."""
        cells = self._collector.take(least)
        if cells is None:
            return
        texts = cells.columns[self._times[0]]
        if len(self._times) > 1:
            texts = [" ".join(parts) for parts in zip(*(cells.columns[i] for i in self._times), strict=True)]
        self._time_column = self._time_column or self._new_time_column()
        moments = self._time_column.read(texts)
        for column, labels in self._labels.items():
            labels.add(cells.columns[column])
        unreadable = np.isnan(moments) | self._values.add(cells.columns)
        if unreadable.any() and not (self._values.is_stale or self._time_column.is_stale):
            for number, line in compress(zip(cells.lines, cells.texts, strict=True), unreadable):
                self._malformed.suspect(number, line)
        self._moments.add(moments)
        is_run = cells.lines[-1] - cells.lines[0] + 1 == len(cells.lines)
        self._lines.append(range(cells.lines[0], cells.lines[-1] + 1) if is_run else cells.lines)

    def log(self) -> Log:
        """Return the log so far.

        Raises
        ------
        InputError
            The log's columns, units, numbers, times or devices need a setting, or too many lines are unreadable.
        EmptyLogError
            The log has no row yet.
        """
        path, settings = self._source.path, self._source.settings
        self._take(1)
        times_s = self._checked_times()
        labels = None if self._unit is None else self._labels[self._unit]
        values = self._values.read(labels)
        unreadable = np.isnan(times_s) | np.isnan(values.watts)
        malformed = self._malformed.accepted(self._line_numbers(unreadable), len(times_s) + len(self._malformed))
        rows = Rows(times_s, values.watts)
        rows = rows.at(~unreadable) if unreadable.any() else rows
        if not len(rows.times_s):
            raise EmptyLogError(f"{path}: expected lines of time and watts, got none")
        names: list[str] = []
        if self._summed is None:
            order = in_order(path, rows)
            devices.refuse_bursts(path, order.rows)
        else:
            of_rows = self._labels[self._summed].rows()[~unreadable]
            order = sum_devices(path, of_rows, rows)
            texts = list(self._labels[self._summed].texts)
            names = [texts[number] for number in in_turn(of_rows)]
        missing = int(np.isinf(order.rows.watts).sum())
        return self._source.log(
            order,
            malformed,
            form="csv",
            column="+".join(name_of(self._table, i) for i in self._power.columns),
            unit=values.unit,
            time=" ".join(name_of(self._table, i) for i in self._times),
            filter=" ".join(filter(None, (self._chosen.text, f"sum={settings['sum']}" if names else ""))),
            understood=(
                f"{_SEPARATORS.get(self._table.separator, self._table.separator)} between columns",
                f"decimal {'point' if values.marks.decimal == '.' else 'comma'}",
                *(["newest row first"] if order.newest_first else []),
                *([f"{missing} missing readings"] if missing else []),
                *([f"{len(names)} devices added: {', '.join(names)}"] if names else []),
            ),
        )

    def _checked_times(self) -> Values:
        """Return the times of the rows [s since 1970], which are rows of one device or of devices to add."""
        path, settings, table = self._source.path, self._source.settings, self._table
        times_s = self._moments.all()
        if not len(times_s) + len(self._malformed):
            raise InputError.at(path, "where", expected="a value that occurs", got=settings.get("where", ""))
        if self._time_column is not None:
            self._time_column.check()
        marked = {i: self._labels[i] for i in self._marked}
        if self._summed is not None and marked[self._summed].are_too_many:
            raise InputError.at(path, "sum", expected=f"a column with at most {MOST} devices", got=settings["sum"])
        devices.refuse_several(path, table, marked, times_s, self._summed)
        if "unit" in settings and not all(meaning_of(table, i).unit for i in self._power.columns):
            named = [column for column, _ in self._chosen.wanted]
            texts: dict[int, Iterable[str]] = {i: labels.texts for i, labels in marked.items()}
            texts |= {i: [value] for i, value in self._chosen.wanted}
            devices.refuse_rows_of_other_quantities(path, table, texts, named)
        return times_s

    def _line_numbers(self, rows: Flags) -> "array[int]":
        """Return the numbers of the lines of some rows."""
        numbers, start = array("L"), 0
        for lines in self._lines:
            numbers.extend(lines[i] for i in np.flatnonzero(rows[start : start + len(lines)]).tolist())
            start += len(lines)
        return numbers

    def _new_time_column(self) -> TimeColumn:
        path, settings, names = self._source.path, self._source.settings, self._table.names
        zones = (header_zone(names[i]) for i in self._times if names)
        zone = next((zone for zone in zones if zone is not None), None)
        name = " ".join(names[i] for i in self._times if names)
        if zone is None and "time" not in settings and (unclear := zone_not_clear(name)):
            expected = (
                f"an offset such as UTC+1 in its name (or time={name}, and the log's clock with --clock-offset-s)"
            )
            raise InputError.at(f"{path}: column {name}", expected=expected, got=unclear)
        return TimeColumn(path, settings.get("time_format"), zone, self._shown.dates if self._shown else None)
