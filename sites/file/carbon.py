"""The carbon intensity of a site's power: from the site file, from a table with sources, or the mean of a feed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.decoding import decimal
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import CARBON_TABLE
from sites.feeds.files.source import NAMED_FEED
from sites.feeds.layouts import layout_of
from sites.feeds.read import read_feed
from sites.file.csv_rows import csv_rows
from sites.file.ranges import CARBON
from sites.hours.calendar import utc_text

if TYPE_CHECKING:
    from pathlib import Path

    from sites.file.hourly.reader import HourlyReader
    from sites.file.site_file import CarbonFeedTable, CarbonTable

_KG_PER_MWH = {"gCO2eq/kWh": 1.0, "lbCO2/MWh": 0.45359237}  # the international pound, exactly
COLUMNS = ("region", "kg_per_mwh", "source", "date")


def kg_per_mwh(table: CarbonTable | None, region: str, hourly: HourlyReader) -> float | None:
    """Return the intensity [kgCO2/MWh at the meter] of a site, or None if its file has none.

    Parameters
    ----------
    table
        Table [carbon] of the site file.
    region
        Region of the site.
    hourly
        The reader of the site's series, with its folder and its hours; it notes the mean of a feed.

    Raises
    ------
    InputError
        The carbon table cannot be read, does not list the region, or has a row without a source. Or the feed cannot be
        read, has other facts than the site file states, or has no value in the site's year.
    """
    if table is None:
        return None
    if table.kg_per_mwh is not None:
        return table.kg_per_mwh.value
    if table.table is not None:
        return look_up(hourly.folder / table.table, region)
    return _mean_of_feed(table.mean, hourly) if table.mean is not None else None


def _mean_of_feed(table: CarbonFeedTable, hourly: HourlyReader) -> float:
    """Return the mean intensity [kgCO2/MWh] of the site's hours that a feed covers."""
    path, unit = hourly.folder / table.file, table.unit
    layout = layout_of(table.feed, f"{path}: feed")
    if layout.quantity != "carbon":
        raise InputError(f"{path}: expected a feed of carbon intensities, got {layout.name}: {layout.title}")
    facts = {"basis": table.basis, "scope": table.scope} | ({"zone": table.zone} if table.zone is not None else {})
    feed = hourly.once(table, lambda _: read_feed(path, facts, layout.name, NAMED_FEED))
    if feed.unit != unit:
        raise InputError(f"{path}: expected the unit {unit} that [carbon.mean] states, got {shown(feed.unit)}")
    start_s, hours = hourly.calendar.start_s, hourly.calendar.hours
    values = feed.intervals.to_steps(start_s, hours)
    known = values[~np.isnan(values)]
    if not known.size:
        had = f"{utc_text(int(feed.intervals.start_s[0]))} to {utc_text(int(feed.intervals.end_s[-1]))}"
        raise InputError(f"{path}: expected intensities of the year from {utc_text(start_s)}, got those of {had}")
    intensity = float(known.mean()) * _KG_PER_MWH[unit]
    if intensity not in CARBON:
        raise InputError(f"{path}: expected a mean of {CARBON}, got {intensity:g}")
    of = f"the {known.size:,} of {hours:,} hours that have a value" if known.size < hours else "the hours of the year"
    hourly.notes.append(
        f"{path.name}: carbon is the plain mean of {of}: {intensity:.4g} kg/MWh, {table.basis}, {table.scope}, "
        f"zone {feed.chosen['zone']}"
    )
    return intensity


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
