"""The ambient temperature of a site, and the capacity and the PUE that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.file.ranges import CELSIUS, PUE
from sites.hours import power

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.file.hourly.reader import HourlyReader
    from sites.file.site_file import ClimateTable, SiteFile
    from sites.file.values import HourlyTable
    from sites.hours.calendar import Calendar


def temperature_c(table: ClimateTable | None, hourly: HourlyReader) -> Floats | None:
    """Return the ambient temperature [°C], [T]; None without a [climate] table."""
    if table is None:
        return None
    if table.hourly is not None:
        return hourly.read(table.hourly, CELSIUS)
    means = table.mean_c_by_month.values if table.mean_c_by_month else (0.0,) * 12
    return power.temperature_series(hourly.calendar, means, table.daily_swing_c.value)


def derate(table: ClimateTable | None, product: str, calendar: Calendar, temperature: Floats | None) -> Floats:
    """Return the share of a product's capacity that the ambient temperature allows, [T]."""
    above = getattr(table, f"{product}_derate_above_c", None)
    stop = getattr(table, f"{product}_stop_above_c", None)
    if temperature is None or above is None or stop is None:
        return np.ones(calendar.steps)
    return power.derate_series(temperature, above.value, stop.value)


def pue(file: SiteFile, product: str, hourly: HourlyReader, path: str, temperature: Floats | None) -> Floats:
    """Return a product's PUE, [T].

    Raises
    ------
    InputError
        It depends on the temperature of a site without a [climate] table, or its series cannot be read.
    """
    table = file.cooling
    series: HourlyTable | None = getattr(table, f"{product}_pue_hourly")
    if series is not None:
        return hourly.read(series, PUE)
    base, per_c = getattr(table, f"{product}_pue").value, getattr(table, f"{product}_pue_per_c").value
    if per_c > 0 and temperature is None:
        raise InputError(f"{path}: key cooling.{product}_pue_per_c: expected a [climate] table with it, got none")
    return power.pue_series(hourly.calendar, base, per_c, table.reference_c.value, temperature)
