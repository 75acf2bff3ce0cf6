"""The construction of a site from its TOML file, with all values checked and all devices and series resolved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from hardware_profiles.reading import read_toml, validate
from sites.file.build_blocks import frac, inference_block, mining_block
from sites.file.carbon import kg_per_mwh
from sites.file.difficulty import difficulty_path
from sites.file.flags import site_flags
from sites.file.ranges import CELSIUS, PRICE, PUE, Range
from sites.file.series import read_series
from sites.file.site_file import HourlyTable, SiteFile
from sites.file.values import assumptions_of
from sites.hours import power, prices
from sites.hours.calendar import Calendar, local_year, unix_s
from sites.model import Assumption, InferenceBlock, MiningBlock, Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.arrays import Floats
    from sites.file.build_blocks import Resolve
    from sites.file.site_file import ClimateTable, CurtailmentTable, MarketTable, PriceTable

    Windows = list[tuple[int, float, float]]

__all__ = ["InferenceBlock", "MiningBlock", "Site", "build_site", "load_site"]


def load_site(path: Path, resolve: Resolve) -> Site:
    """Read a site file and look up its devices.

    Parameters
    ----------
    path
        The site file.
    resolve
        Function that returns the DeviceRate of a device's name, or raises InputError with similar names.

    Raises
    ------
    InputError
        The file, one of its hourly series or a name in it is invalid; the message names file and key.
    """
    return build_site(validate(SiteFile, read_toml(path), path), resolve, str(path))


def build_site(file: SiteFile, resolve: Resolve, path: str) -> Site:
    """Build a Site from a validated site file.

    Parameters
    ----------
    file
        The validated content.
    resolve
        Function that returns the DeviceRate of a device's name.
    path
        Path of the file: errors name it, and paths of hourly files are relative to its folder.
    """
    folder = Path(path).parent
    try:
        calendar = local_year(file.site.start, file.site.timezone)
    except InputError as error:
        raise InputError(f"{path}: key site.{error}") from None
    per_usd = file.price.currency_per_usd.value if file.price.currency_per_usd else 1.0
    programme = file.curtailment
    events = _events(programme, path)
    limit_mw, limit_cause = power.limit_series(
        calendar,
        file.power.interconnect_mw.value,
        [(unix_s(outage.start), outage.hours.value, frac(outage.available_percent)) for outage in file.power.outage],
        events,
    )
    temperature = _temperature(file.climate, calendar, folder)
    mining_pue = _pue(file, "mining", calendar, path, temperature)
    gpu_pue = _pue(file, "gpu", calendar, path, temperature)
    spot = _spot(file.price, calendar, folder) / per_usd
    contract = file.price.contract
    discount = contract.resale_discount_usd_per_mwh.value / per_usd if contract else 0.0
    market = file.market
    facility_mw = file.power.interconnect_mw.value * (1.0 - frac(file.power.losses_percent))
    mean_mining_pue, mean_gpu_pue = float(mining_pue.mean()), float(gpu_pue.mean())
    mining = tuple(mining_block(table, resolve, path, mean_mining_pue, facility_mw) for table in file.mining)
    inference = tuple(inference_block(table, resolve, path, mean_gpu_pue, facility_mw) for table in file.inference)
    site = Site(
        name=file.site.name,
        region=file.site.region,
        timezone=file.site.timezone,
        currency=file.price.currency,
        currency_per_usd=per_usd,
        calendar=calendar,
        interconnect_mw=file.power.interconnect_mw.value,
        delivered_frac=1.0 - frac(file.power.losses_percent),
        availability_frac=frac(file.power.availability_percent),
        spot_usd_per_mwh=spot,
        adder_usd_per_mwh=_adders(file.price, calendar) / per_usd,
        resale_usd_per_mwh=spot - discount,
        credit_usd_per_mwh=prices.credit_series(
            calendar, programme.credit_usd_per_mwh.value if programme else 0.0, events
        ),
        limit_mw=limit_mw,
        event=limit_cause,
        mining_capacity_frac=_derate(file.climate, "mining", calendar, temperature),
        gpu_capacity_frac=_derate(file.climate, "gpu", calendar, temperature),
        mining_pue=mining_pue,
        gpu_pue=gpu_pue,
        fees_frac=_fees(market, calendar),
        contract_mw=contract.mw.value if contract else 0.0,
        contract_usd_per_mwh=contract.usd_per_mwh.value / per_usd if contract else 0.0,
        demand_charge_usd_per_mw_month=file.price.demand_charge_usd_per_kw_month.value * 1000.0 / per_usd,
        enrolled_mw=programme.enrolled_mw.value if programme else 0.0,
        ready_usd_per_mw_hour=programme.ready_usd_per_mw_hour.value if programme else 0.0,
        btc_usd=market.btc_usd.value,
        path=difficulty_path(market, calendar, Path(path)),
        kg_per_mwh=kg_per_mwh(file.carbon, file.site.region, folder),
        fixed_usd_per_year=file.cost.fixed_usd_per_year.value,
        mining=mining,
        inference=inference,
        assumptions=(*assumptions_of(file), *_token_rates(inference)),
        flags=(),
    )
    site = replace(site, flags=site_flags(file, site))
    _freeze(site)
    return site


def _token_rates(blocks: Sequence[InferenceBlock]) -> Iterator[Assumption]:
    """Yield the token rate of each block with its basis and source, which the name of a device does not tell."""
    for block in blocks:
        per_s = f"{block.rate.rate_per_s:.6g}"
        yield Assumption(
            key=f"inference[{block.name}].rate_tokens_per_s_per_gpu",
            value=per_s,
            source=f"{block.rate.basis}: {block.rate.source}",
            date="unknown",
        )


def _fees(market: MarketTable, calendar: Calendar) -> Floats:
    """Return transaction fees as a share of the subsidy, [T]."""
    if market.fees_percent_of_subsidy:
        return np.full(calendar.hours, frac(market.fees_percent_of_subsidy))
    by_month = market.fees_percent_by_month.values if market.fees_percent_by_month else ()
    return np.asarray(by_month, float)[calendar.utc_month] / 100.0


def _freeze(site: Site) -> None:
    for name in Site.__dataclass_fields__:
        array = getattr(site, name)
        if hasattr(array, "setflags"):
            array.setflags(write=False)


def _hourly(table: HourlyTable, calendar: Calendar, folder: Path, within: Range) -> Floats:
    return read_series(folder / table.file, table.column, calendar.start_s, calendar.hours, within)


def _spot(table: PriceTable, calendar: Calendar, folder: Path) -> Floats:
    if table.hourly is not None:
        return _hourly(table.hourly, calendar, folder, PRICE)
    if table.time_of_use is not None:
        tou = table.time_of_use
        periods = [prices.Period(p.usd_per_mwh.value, p.months, p.weekdays, p.from_hour, p.to_hour) for p in tou.period]
        return prices.time_of_use_series(calendar, tou.base_usd_per_mwh.value, periods)
    return np.full(calendar.hours, table.energy_usd_per_mwh.value if table.energy_usd_per_mwh else 0.0)


def _adders(table: PriceTable, calendar: Calendar) -> Floats:
    adder: Floats = np.full(calendar.hours, table.delivery_usd_per_mwh.value)
    if table.coincident is not None:
        starts = [unix_s(when) for when in table.coincident.hours]
        adder += prices.coincident_series(calendar, table.coincident.usd_per_kw_year.value, starts)
    return adder


def _events(programme: CurtailmentTable | None, path: str) -> Windows:
    if programme is None:
        return []
    events = [(unix_s(event.start), event.hours.value, event.limit_mw.value) for event in programme.event]
    if programme.credit_usd_per_mwh.value > 0 and any(limit > programme.enrolled_mw.value for _, _, limit in events):
        raise InputError.at(
            f"{path}: curtailment",
            "enrolled_mw",
            expected="at least the limit_mw of every event, because credits are counted from this level",
            got=programme.enrolled_mw.value,
        )
    return events


def _temperature(table: ClimateTable | None, calendar: Calendar, folder: Path) -> Floats | None:
    if table is None:
        return None
    if table.hourly is not None:
        return _hourly(table.hourly, calendar, folder, CELSIUS)
    means = table.mean_c_by_month.values if table.mean_c_by_month else (0.0,) * 12
    return power.temperature_series(calendar, means, table.daily_swing_c.value)


def _derate(table: ClimateTable | None, product: str, calendar: Calendar, temperature: Floats | None) -> Floats:
    above = getattr(table, f"{product}_derate_above_c", None)
    stop = getattr(table, f"{product}_stop_above_c", None)
    if temperature is None or above is None or stop is None:
        return np.ones(calendar.hours)
    return power.derate_series(temperature, above.value, stop.value)


def _pue(file: SiteFile, product: str, calendar: Calendar, path: str, temperature: Floats | None) -> Floats:
    table = file.cooling
    hourly: HourlyTable | None = getattr(table, f"{product}_pue_hourly")
    if hourly is not None:
        return _hourly(hourly, calendar, Path(path).parent, PUE)
    base, per_c = getattr(table, f"{product}_pue").value, getattr(table, f"{product}_pue_per_c").value
    if per_c > 0 and temperature is None:
        raise InputError(f"{path}: key cooling.{product}_pue_per_c: expected a [climate] table with it, got none")
    return power.pue_series(calendar, base, per_c, table.reference_c.value, temperature)
