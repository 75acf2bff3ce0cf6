"""Prices after the first year: series of each year, growth from year to year, or a forward curve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.file.horizon.forward import read_forward
from sites.file.hourly.market import BITCOIN, read_market
from sites.file.hourly.reader import HourlyReader
from sites.file.prices.build import spot
from sites.file.ranges import BTC_USD, PRICE
from sites.file.values import SeriesTable
from sites.hours.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.file.horizon.tables import ForwardTable
    from sites.file.inputs import Inputs
    from sites.file.ranges import Range
    from sites.file.values import Value
    from sites.hours.calendar import Calendar
    from sites.model import Site


@dataclass(frozen=True, slots=True)
class PricePath:
    """How the prices of a site go on after its first year."""

    inputs: Inputs
    energy_growth_frac: float | None  # a year; None where the prices of each year are read
    energy_forward: tuple[float, ...] | None  # [USD/MWh] of each month of the horizon
    btc_growth_frac: float | None  # a year; None where the prices of each year are read
    btc_forward: tuple[float, ...] | None  # [USD/BTC] of each month of the horizon
    inference_growth_frac: float  # a year
    fixed_cost_growth_frac: float  # a year

    @classmethod
    def of(cls, inputs: Inputs, months: Sequence[str]) -> PricePath:
        """Return the prices that a site's file describes, for the months "YYYY-MM" of a horizon.

        Raises
        ------
        InputError
            A forward curve cannot be read, or has a gap.
        """
        table = inputs.file.horizon
        if table is None:
            return cls(inputs, None, None, None, None, 0.0, 0.0)
        folder, rate = Path(inputs.path).parent, inputs.file.price.currency_per_usd
        energy = _forward(table.energy_price_forward, folder, months, PRICE)
        per_usd = rate.value if rate is not None else 1.0
        return cls(
            inputs=inputs,
            energy_growth_frac=_share(table.energy_price_growth_percent_per_year),
            energy_forward=None if energy is None else tuple(price / per_usd for price in energy),
            btc_growth_frac=_share(table.btc_price_growth_percent_per_year),
            btc_forward=_forward(table.btc_price_forward, folder, months, BTC_USD),
            inference_growth_frac=table.inference_price_growth_percent_per_year.value / 100.0,
            fixed_cost_growth_frac=table.fixed_cost_growth_percent_per_year.value / 100.0,
        )

    def applied(self, site: Site, year: int) -> Site:
        """Return a site of a later year, which `later_year` gave the first year's prices, with those of the year.

        Raises
        ------
        InputError
            A series of prices does not hold the year.
        """
        price = (1.0 + self.inference_growth_frac) ** year
        site = replace(
            site,
            fixed_usd_per_year=site.fixed_usd_per_year * (1.0 + self.fixed_cost_growth_frac) ** year,
            inference=tuple(replace(block, price_usd=block.price_usd * price) for block in site.inference),
        )
        return self._with_bitcoin(self._with_power(site, year), year)

    def _with_power(self, site: Site, year: int) -> Site:
        repeated = site.spot_usd_per_mwh
        if self.energy_forward is not None:
            prices = _shaped(repeated, site, np.asarray(self.energy_forward), year)
        elif year and self.energy_growth_frac is None and self.inputs.file.price.hourly is not None:
            prices = self._read_power(site)
        else:
            prices = repeated * (1.0 + (self.energy_growth_frac or 0.0)) ** year
        return replace(site, spot_usd_per_mwh=prices, resale_usd_per_mwh=site.resale_usd_per_mwh + (prices - repeated))

    def _with_bitcoin(self, site: Site, year: int) -> Site:
        usd = self.inputs.file.market.btc_usd
        if self.btc_forward is not None:
            path = np.asarray(self.btc_forward)[_month(site.calendar, year)]
            return replace(site, btc_path_usd=path, btc_usd=float(path.mean()))
        if year and isinstance(usd, SeriesTable) and self.btc_growth_frac is None:
            try:
                path = read_market(usd, BITCOIN, self._reader(site))
            except InputError as error:
                raise _of_year(error, "btc_price") from None
            return replace(site, btc_path_usd=path, btc_usd=float(path.mean()))
        grown = (1.0 + (self.btc_growth_frac or 0.0)) ** year
        path_usd = None if site.btc_path_usd is None else site.btc_path_usd * grown
        return replace(site, btc_usd=site.btc_usd * grown, btc_path_usd=path_usd)

    def _read_power(self, site: Site) -> Floats:
        """Return the prices of power of the year, from its series."""
        table = self.inputs.file.price
        try:
            return spot(table, site.calendar, self._reader(site).read) / site.currency_per_usd
        except InputError as error:
            raise _of_year(error, "energy_price") from None

    def _reader(self, site: Site) -> HourlyReader:
        return HourlyReader(Path(self.inputs.path).parent, site.calendar, Clock.of(site.timezone), site.currency)


def _shaped(repeated: Floats, site: Site, forward: Floats, year: int) -> Floats:
    """Return the prices of the year, [T]: each month has its forward price as mean and the first year's shape."""
    month = _month(site.calendar, year)
    sums = np.bincount(month, repeated, minlength=forward.size)
    counts = np.bincount(month, minlength=forward.size)
    means = np.divide(sums, counts, out=np.zeros(forward.size), where=counts > 0)
    if (means[np.unique(month)] <= 0.0).any():
        raise InputError(
            f"site {site.name!r}: horizon.energy_price_forward: expected months with a mean price above 0 in the first "
            "year, whose shape the later ones have, got one of 0 or less"
        )
    shaped: Floats = repeated / means[month] * forward[month]
    return shaped


def _month(calendar: Calendar, year: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the month of the horizon of each step of a year, [T]."""
    month: np.ndarray[tuple[int], np.dtype[np.int64]] = 12 * year + calendar.billing
    return month


def _of_year(error: InputError, price: str) -> InputError:
    key = f"horizon.{price}_growth_percent_per_year"
    return InputError(*(f"{fault} (a file of the first year alone: state {key})" for fault in error.faults))


def _share(value: Value | None) -> float | None:
    return None if value is None else value.value / 100.0


def _forward(
    table: ForwardTable | None, folder: Path, months: Sequence[str], within: Range
) -> tuple[float, ...] | None:
    return None if table is None else read_forward(folder / table.file, table.column, months, within)
