"""The carbon intensity of a site's power, from the site file or from a table with sources."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hardware_profiles.decoding import decimal
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import CARBON_TABLE
from sites.file.csv_rows import csv_rows
from sites.file.ranges import CARBON

if TYPE_CHECKING:
    from pathlib import Path

    from sites.file.site_file import CarbonTable

COLUMNS = ("region", "kg_per_mwh", "source", "date")


def kg_per_mwh(table: CarbonTable | None, region: str, folder: Path) -> float | None:
    """Return the intensity [kgCO2/MWh at the meter] of a site, or None if its file has none.

    Parameters
    ----------
    table
        Table [carbon] of the site file.
    region
        Region of the site.
    folder
        Folder of the site file.

    Raises
    ------
    InputError
        The carbon table cannot be read, does not list the region, or has a row without a source.
    """
    if table is None:
        return None
    if table.kg_per_mwh is not None:
        return table.kg_per_mwh.value
    return look_up(folder / (table.table or ""), region)


def look_up(path: Path, region: str) -> float:
    """Return the intensity [kgCO2/MWh] of a region from a CSV table (region, kg_per_mwh, source, date)."""
    rows = csv_rows(path, CARBON_TABLE)
    _, heading = next(rows, (0, []))
    for column in COLUMNS:
        if heading.count(column) != 1:
            near = near_names(column, heading) or heading[:6]
            raise InputError.at(path, column, expected="this column, once", near=near)
    intensities: dict[str, float] = {}
    for line, cells in rows:
        location, row = f"{path}: line {line}", dict(zip(heading, cells, strict=True))
        for column in COLUMNS:
            if not row[column]:
                raise InputError.at(location, column, expected="a value (each row has its source)")
        try:
            value = decimal(row["kg_per_mwh"])
        except ValueError:
            value = math.nan
        if value not in CARBON:
            raise InputError.at(location, "kg_per_mwh", expected=f"a number of {CARBON}", got=row["kg_per_mwh"])
        intensities[row["region"]] = value
    if region not in intensities:
        near = near_names(region, intensities)
        raise InputError.at(path, "region", expected="the site's region", got=region, near=near)
    return intensities[region]


def per_unit(carbon_kg: float, units: float) -> float | None:
    """Return the carbon of one unit [kg], or None if there were no units."""
    return carbon_kg / units if units > 0 else None
