"""The plan: which megawatt does what, when, and why, as a table and as a file that an orchestrator reads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import FULL, REASONS, WAITS
from sites.files import check_new, write_file
from sites.planners.schema import arrow_schema
from sites.planners.tables import hourly_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from sites.dispatch.year import SiteYear

ENDINGS = (".csv", ".parquet")


def plan_table(year: SiteYear) -> pa.Table:
    """Return table yield_hourly of the output contract for a year that was run hour by hour."""
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
    """Raise InputError for another ending than .csv or .parquet, and for a path that exists."""
    if path.suffix not in ENDINGS:
        raise InputError.at(path, expected=f"a name that ends in {' or '.join(ENDINGS)}", got=path.suffix)
    check_new(path)


def write_plan(years: Sequence[SiteYear], path: Path) -> None:
    """Write the plan of years that were run hour by hour, as CSV or Parquet, whole or not at all.

    Raises InputError for another ending, and for a path that exists.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    check_plan_path(path)
    table = pa.concat_tables([plan_table(year) for year in years])
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, buffer)
    else:
        pyarrow.parquet.write_table(table, buffer, compression="zstd")
    write_file(path, buffer.getvalue())


class PartPlan(NamedTuple):
    """What one part did over the year.

    mean_mw: [MW at the device]. full_frac: share of the hours in which it ran all it had. less: reasons for less, each
    with its share of hours, the most frequent first.
    """

    part: str
    mean_mw: float
    full_frac: float
    less: tuple[tuple[str, float], ...]


def part_plans(year: SiteYear) -> list[PartPlan]:
    """Sum a year that was run hour by hour up to one line a part."""
    mw, why, _ = year.in_hours()
    plans = []
    for index, label in enumerate(year.labels):
        counts = np.bincount(why[:, index], minlength=len(REASONS)) / year.hours
        full = float(counts[FULL] + counts[WAITS])
        less = [
            (REASONS[code], float(share))
            for code, share in enumerate(counts)
            if share > 0 and code not in {FULL, WAITS}
        ]
        less.sort(key=lambda item: -item[1])
        plans.append(PartPlan(label.text, float(mw[:, index].mean()), full, tuple(less)))
    return plans
