"""The plan of a year: the dispatch of each part in each hour with its reason, as a table and as a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import FULL, REASONS, WAITS
from sites.files import check_new, write_new
from sites.planners.csv_files import BYTE_ORDER_MARK, TIME_FORMAT, as_text
from sites.planners.schema import arrow_schema
from sites.planners.tables import hourly_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from sites.dispatch.year import SiteYear

ENDINGS = (".csv", ".parquet")


def plan_table(year: SiteYear) -> pa.Table:
    """Return the planner table yield_hourly of a year that was run with `hourly=True`."""
    import pyarrow as pa

    columns = hourly_table(year)
    schema = arrow_schema("yield_hourly")
    arrays = []
    for field in schema:
        values = columns[field.name]
        mask = np.isnan(values) if field.name == "worth_usd_per_mwh" else None
        arrays.append(pa.array(values, type=field.type, mask=mask))
    return pa.Table.from_arrays(arrays, schema=schema)


def check_plan_path(path: Path) -> None:
    """Raise InputError if a path exists or does not end in .csv or .parquet."""
    if path.suffix not in ENDINGS:
        raise InputError.at(path, expected=f"a name that ends in {' or '.join(ENDINGS)}", got=path.suffix)
    check_new(path)


def write_plan(years: Sequence[SiteYear], path: Path) -> None:
    """Write the plan of years that were run with `hourly=True` as CSV or Parquet, completely or not at all.

    Raises
    ------
    InputError
        The path exists or does not end in .csv or .parquet.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    check_plan_path(path)
    table = pa.concat_tables([plan_table(year) for year in years])
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        buffer.write(BYTE_ORDER_MARK)
        pyarrow.csv.write_csv(_for_spreadsheets(table), buffer)
    else:
        pyarrow.parquet.write_table(table, buffer, compression="zstd")
    write_new(path, buffer.getvalue())


def _for_spreadsheets(table: pa.Table) -> pa.Table:
    """Return a table with its times in ISO 8601 and no text that a spreadsheet takes for a formula."""
    import pyarrow as pa
    import pyarrow.compute

    for index, field in enumerate(table.schema):
        column = table.column(index).combine_chunks()
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, pyarrow.compute.strftime(column, format=TIME_FORMAT))
        elif pa.types.is_string(field.type):
            words = column.dictionary_encode()
            texts = [as_text(word) for word in words.dictionary.to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()).take(words.indices))
    return table


class PartPlan(NamedTuple):
    """The operation of one part over the year."""

    part: str
    mean_mw: float  # [MW at the device]
    full_frac: float  # share of the hours at full capacity
    less: tuple[tuple[str, float], ...]  # reasons for less than full capacity with shares of hours, largest first


def part_plans(year: SiteYear) -> list[PartPlan]:
    """Return the operation of each part over a year that was run with `hourly=True`."""
    mw, why, _ = year.in_hours()
    plans = []
    for index, label in enumerate(year.labels):
        counts = np.bincount(why[:, index], minlength=len(REASONS)) / why.shape[0]
        full = float(counts[FULL] + counts[WAITS])
        less = [
            (REASONS[code], float(share))
            for code, share in enumerate(counts)
            if share > 0 and code not in {FULL, WAITS}
        ]
        less.sort(key=lambda item: -item[1])
        plans.append(PartPlan(label.text, float(mw[:, index].mean()), full, tuple(less)))
    return plans
