"""Carbon: kgCO2 of a metered MWh, given or from a table with sources, and per product."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names
from sites.file.csv_rows import csv_rows
from sites.file.values import CARBON

if TYPE_CHECKING:
    from pathlib import Path

    from sites.file.site_file import CarbonTable

COLUMNS = ("region", "kg_per_mwh", "source", "date")


def kg_per_mwh(table: CarbonTable | None, region: str, folder: Path) -> float | None:
    """Intensity [kgCO2/MWh at the meter] that a site file gives, or None where it gives none.

    Raises InputError for a table that cannot be read, lacks the region, or has a row without a source.
    """
    if table is None:
        return None
    if table.kg_per_mwh is not None:
        return table.kg_per_mwh.value
    return look_up(folder / (table.table or ""), region)


def look_up(path: Path, region: str) -> float:
    """Intensity [kgCO2/MWh] of a region in a CSV table with the columns region, kg_per_mwh, source, date."""
    rows = csv_rows(path, "carbon table")
    _, heading = next(rows, (0, []))
    for column in COLUMNS:
        if heading.count(column) != 1:
            near = near_names(column, heading) or heading[:6]
            raise InputError.at(path, column, expected="this column, once", near=near)
    found: dict[str, float] = {}
    for line, cells in rows:
        place, row = f"{path}: line {line}", dict(zip(heading, cells, strict=True))
        for column in COLUMNS:
            if not row[column].strip():
                raise InputError.at(place, column, expected="a value (each row has its source)")
        try:
            value = float(row["kg_per_mwh"])
        except ValueError:
            value = math.nan
        if value not in CARBON:
            raise InputError.at(place, "kg_per_mwh", expected=f"a number of {CARBON}", got=row["kg_per_mwh"])
        found[row["region"].strip()] = value
    if region not in found:
        raise InputError.at(path, "region", expected="the site's region", got=region, near=near_names(region, found))
    return found[region]


def per_unit(carbon_kg: float, units: float) -> float | None:
    """Carbon of one unit [kg], or None where there was none."""
    return carbon_kg / units if units > 0 else None
