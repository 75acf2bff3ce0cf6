"""The reader of a log that is a table of columns."""

import math
from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path

from bench.meters.logs import devices
from bench.meters.logs.cells.times import header_zone, read_times, zone_not_clear
from bench.meters.logs.collect import Cells, collect, refuse_split_numbers
from bench.meters.logs.columns import Sample, meaning_of, name_of, power_columns, time_columns, unit_column, units_of
from bench.meters.logs.log import EmptyLogError, Log
from bench.meters.logs.rows import filter_of, in_order, sum_devices
from bench.meters.logs.source import Source
from bench.meters.logs.table import Table, find_column, find_table, row_of
from bench.meters.logs.text import lines
from bench.meters.logs.values import read_columns
from hardware_profiles.errors import InputError


def read_table(source: Source) -> Log:
    """Return the content of a log that is a table.

    Raises
    ------
    InputError
        It is no table, or its columns, units, numbers, times or devices need a setting.
    EmptyLogError
        It has no row yet.
    """
    path, settings = source.path, source.settings
    table = find_table(path, source.head, settings.get("time_format"))
    chosen = filter_of(path, table, settings.get("where"))
    head = [row_of(line, table) for line in source.head[table.start :] if line.strip()]
    sample = Sample(table, [row for row in head if len(row) == table.width and chosen.admits(row)])
    times = time_columns(path, table, sample, settings.get("time"))
    power = units_of(path, table, power_columns(path, table, sample, times, settings), settings.get("unit"))
    summed = find_column(table.names, settings["sum"]) if "sum" in settings else None
    if summed is not None and summed in {*times, *power.columns}:
        expected = "the column that names the device, not one of times or power"
        raise InputError.at(path, "sum", expected=expected, got=settings["sum"])
    if settings.get("decimal") != "point":
        refuse_split_numbers(path, table, lines(source.text), chosen, max(power.columns))
    unit = unit_column(table)
    marked = devices.columns(table, sample, (*times, *power.columns, unit), summed)
    kept = marked if unit is None else (*marked, unit)
    cells = collect(lines(source.text), table, chosen, (*times, *power.columns), kept)
    if not cells.total:
        raise InputError.at(path, "where", expected="a value that occurs", got=settings.get("where", ""))
    moments = _moments(path, table, times, cells, settings)
    devices.refuse_several(path, table, {i: cells.kept[i] for i in marked}, moments, summed)
    if "unit" in settings and not all(meaning_of(table, i).unit for i in power.columns):
        named = [column for column, _ in chosen.wanted]
        texts = {i: cells.kept[i] for i in marked} | {i: [value] for i, value in chosen.wanted}
        devices.refuse_rows_of_other_quantities(path, table, texts, named)
    values = read_columns(path, table, sample, cells, power, unit, settings)
    malformed = _malformed(cells, moments, values.watts)
    source.refuse_second_header(malformed, table)
    source.refuse_malformed(malformed, cells.total)
    readable = [not _unreadable(when, watts) for when, watts in zip(moments, values.watts, strict=True)]
    rows = list(compress(zip(moments, values.watts, strict=True), readable))
    if not rows:
        raise EmptyLogError(f"{path}: expected lines of time and watts, got none")
    if summed is None:
        names: list[str] = []
        order = in_order(path, rows)
        devices.refuse_bursts(path, order.rows)
    else:
        names = list(compress(cells.kept[summed], readable))
        order = sum_devices(path, names, rows)
    filters = (chosen.text, "" if summed is None else f"sum={settings['sum']}")
    missing = sum(watts is None for _, watts in order.rows)
    return source.log(
        order,
        malformed,
        form="csv",
        column="+".join(name_of(table, i) for i in power.columns),
        unit=values.unit,
        time=" ".join(name_of(table, i) for i in times),
        filter=" ".join(filter(None, filters)),
        understood=(
            f"{_SEPARATORS.get(table.separator, table.separator)} between columns",
            f"decimal {'point' if values.marks.decimal == '.' else 'comma'}",
            *(["newest row first"] if order.newest_first else []),
            *([f"{missing} missing readings"] if missing else []),
            *([f"{len(set(names))} devices added: {', '.join(dict.fromkeys(names))}"] if names else []),
        ),
    )


_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}


def _moments(path: Path, table: Table, times: Sequence[int], cells: Cells, settings: Mapping[str, str]) -> list[float]:
    """Return the times of the rows [s since 1970], NaN where one is unreadable."""
    texts = cells.columns[times[0]]
    if len(times) > 1:
        texts = [" ".join(parts) for parts in zip(*(cells.columns[i] for i in times), strict=True)]
    zones = (header_zone(table.names[i]) for i in times if table.names)
    zone = next((zone for zone in zones if zone is not None), None)
    name = " ".join(table.names[i] for i in times if table.names)
    if zone is None and "time" not in settings and (unclear := zone_not_clear(name)):
        expected = f"an offset such as UTC+1 in its name (or time={name}, and the log's clock with --clock-offset-s)"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=unclear)
    return read_times(path, texts, settings.get("time_format"), zone)


def _malformed(cells: Cells, moments: Sequence[float], watts: Sequence[float | None]) -> list[int]:
    """Return the numbers of the lines that are no rows, or whose time or power is unreadable."""
    rows = zip(cells.lines, moments, watts, strict=True)
    return sorted([*cells.malformed, *(number for number, when, value in rows if _unreadable(when, value))])


def _unreadable(when: float, watts: float | None) -> bool:
    return math.isnan(when) or (watts is not None and math.isnan(watts))
