"""The construction of a site from its TOML file, with all values checked and all devices and series resolved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import Faults, InputError
from hardware_profiles.reading import read_toml, validate
from sites.file.build_blocks import frac, inference_block, mining_block
from sites.file.carbon import kg_per_mwh
from sites.file.difficulty import superseded_note
from sites.file.flags import site_flags, site_notes
from sites.file.horizon.services import busiest, end_of, with_services
from sites.file.hourly.climate import derate, pue, temperature_c
from sites.file.hourly.market import bitcoin_year, rented
from sites.file.hourly.reader import HourlyReader
from sites.file.prices.build import adders, peak_risk, peaks_of, spot, tariff
from sites.file.site_file import SiteFile
from sites.file.storage.build import battery_of
from sites.file.values import assumptions_of, numbers_of
from sites.hours import power, prices
from sites.hours.calendar import HOUR_S, local_year
from sites.hours.clock import Clock
from sites.model import Assumption, CapitalTerms, InferenceBlock, MiningBlock, Site
from sites.plausible.checks import site_doubts
from sites.plausible.exchange import exchange_doubt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.arrays import Floats
    from sites.file.block_tables import CapitalTable
    from sites.file.build_blocks import Resolve
    from sites.file.site_file import CurtailmentTable

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


def build_site(file: SiteFile, resolve: Resolve, path: str, *, native: bool = False) -> Site:
    """Build a Site from a validated site file.

    Parameters
    ----------
    file
        The validated content.
    resolve
        Function that returns the DeviceRate of a device's name.
    path
        Path of the file: errors name it, and paths of hourly files are relative to its folder.
    native
        Build the year in steps as long as the shortest interval of the prices, not in hours.
    """
    folder = Path(path).parent
    try:
        calendar = local_year(file.site.start, file.site.timezone)
    except InputError as error:
        raise InputError(f"{path}: key site.{error}") from None
    per_usd = file.price.currency_per_usd.value if file.price.currency_per_usd else 1.0
    programme, market = file.curtailment, file.market
    clock = Clock.of(file.site.timezone)
    faults = Faults()
    hourly = HourlyReader(folder, calendar, clock, file.price.currency)
    step_s = faults.attempt(lambda: hourly.price_step_s(file.price.hourly), HOUR_S)
    if native:
        calendar = local_year(file.site.start, file.site.timezone, step_s)
        hourly = replace(hourly, calendar=calendar)
    never: Windows = []
    events = faults.attempt(lambda: _events(programme, clock, path), never)
    outages = faults.attempt(lambda: _outages(file, clock, path), never)
    limit_mw, limit_cause = power.limit_series(calendar, file.power.interconnect_mw.value, outages, events)
    none: list[tuple[int, float]] = []
    peaks = faults.attempt(lambda: peaks_of(file.price, clock, path), none)
    unread: Floats = np.ones(calendar.steps)  # in place of a faulty series, until the faults are refused
    mild: Floats | None = unread
    ambient = faults.attempt(lambda: temperature_c(file.climate, hourly), mild)
    mining_pue = faults.attempt(lambda: pue(file, "mining", hourly, path, ambient), unread)
    gpu_pue = faults.attempt(lambda: pue(file, "gpu", hourly, path, ambient), unread)
    spot_usd = faults.attempt(lambda: spot(file.price, calendar, hourly.read), unread) / per_usd
    bitcoin = bitcoin_year(market, hourly, end_of(file, calendar), Path(path), faults)
    intensity: float | None = faults.attempt(lambda: kg_per_mwh(file.carbon, file.site.region, hourly), None)
    contract = file.price.contract
    discount = contract.resale_discount_usd_per_mwh.value / per_usd if contract else 0.0
    facility_mw = file.power.interconnect_mw.value * (1.0 - frac(file.power.losses_percent))
    mean_mining_pue, mean_gpu_pue = float(mining_pue.mean()), float(gpu_pue.mean())
    mining, inference = [], []
    for miners in file.mining:
        with faults.noted(f"{path}: mining block {miners.name!r}"):
            mining.append(mining_block(miners, resolve, path, mean_mining_pue, facility_mw))
    for gpus in file.inference:
        with faults.noted(f"{path}: inference block {gpus.name!r}"):
            table, over_mean = rented(gpus, hourly)
            inference.append(
                replace(inference_block(table, resolve, path, mean_gpu_pue, facility_mw), price_over_mean=over_mean)
            )
    faults.refuse()
    site = Site(
        name=file.site.name,
        region=file.site.region,
        timezone=file.site.timezone,
        currency=file.price.currency,
        currency_per_usd=per_usd,
        calendar=calendar,
        price_step_s=step_s,
        interconnect_mw=file.power.interconnect_mw.value,
        delivered_frac=1.0 - frac(file.power.losses_percent),
        availability_frac=frac(file.power.availability_percent),
        spot_usd_per_mwh=spot_usd,
        adder_usd_per_mwh=adders(file.price, calendar, peaks) / per_usd,
        resale_usd_per_mwh=spot_usd - discount,
        peak_risk_usd_per_mwh=peak_risk(file.price, calendar, peaks) / per_usd,
        credit_usd_per_mwh=prices.credit_series(
            calendar, programme.credit_usd_per_mwh.value if programme else 0.0, events
        ),
        limit_mw=limit_mw,
        load_limit_mw=power.limit_series(calendar, file.power.interconnect_mw.value, outages, [])[0],
        event=limit_cause,
        mining_capacity_frac=derate(file.climate, "mining", calendar, ambient),
        gpu_capacity_frac=derate(file.climate, "gpu", calendar, ambient),
        mining_pue=mining_pue,
        gpu_pue=gpu_pue,
        fees_frac=bitcoin.fees_frac,
        fees_btc_per_block=bitcoin.fees_btc_per_block,
        contract_mw=contract.mw.value if contract else 0.0,
        contract_usd_per_mwh=contract.usd_per_mwh.value / per_usd if contract else 0.0,
        demand_charge_usd_per_mw_month=file.price.demand_charge_usd_per_kw_month.value * 1000.0 / per_usd,
        enrolled_mw=programme.enrolled_mw.value if programme else 0.0,
        ready_usd_per_mw_hour=programme.ready_usd_per_mw_hour.value if programme else 0.0,
        btc_usd=bitcoin.mean_usd,
        btc_path_usd=bitcoin.path_usd,
        path=bitcoin.difficulty,
        kg_per_mwh=intensity,
        fixed_usd_per_year=file.cost.fixed_usd_per_year.value,
        capital=_capital(file.capital),
        mining=tuple(mining),
        inference=tuple(inference),
        assumptions=(*assumptions_of(file), *_token_rates(inference)),
        flags=(),
        notes=(),
        tariff=tariff(file.price),
        battery=battery_of(file.battery),
    )
    site = with_services(site, file, path)
    windows = {"power.outage": _times(outages), "curtailment.event": _times(events), "price.coincident.hours": peaks}
    numbers = list(numbers_of(file))
    fullest = busiest(site)
    flags = site_doubts(fullest, numbers, path)
    flags += site_flags(fullest, windows) if exchange_doubt(numbers) is None else ()
    read = filter(None, (clock.note(), superseded_note(market, calendar), *hourly.notes))
    site = replace(site, flags=flags, notes=(*read, *site_notes(site)))
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
        if block.curve is not None:
            used, left_out = (point.load for point in block.curve.used), "; ".join(block.curve.left_out) or "none"
            source = f"{block.rate.basis}: left out: {left_out}"
            yield Assumption(f"inference[{block.name}].operating_points", ", ".join(used), source, "unknown")


def _capital(table: CapitalTable | None) -> CapitalTerms | None:
    if table is None:
        return None
    miner, gpu = table.miner_usd_per_th_s, table.gpu_usd_per_mw
    return CapitalTerms(
        miner_usd_per_th_s=miner.value if miner else None,
        mining_usd_per_mw=table.mining_usd_per_mw.value,
        gpu_usd_per_mw=gpu.value if gpu else None,
        years=table.years.value,
        discount_frac=frac(table.discount_percent),
        residual_frac=frac(table.residual_percent),
    )


def _freeze(site: Site) -> None:
    for name in Site.__dataclass_fields__:
        array = getattr(site, name)
        if hasattr(array, "setflags"):
            array.setflags(write=False)


def _times(windows: Windows) -> list[tuple[int, float]]:
    return [(start_s, hours) for start_s, hours, _ in windows]


def _outages(file: SiteFile, clock: Clock, path: str) -> Windows:
    return [
        (
            clock.noted_unix_s(outage.start, path, f"power.outage[{index}].start"),
            outage.hours.value,
            frac(outage.available_percent),
        )
        for index, outage in enumerate(file.power.outage)
    ]


def _events(programme: CurtailmentTable | None, clock: Clock, path: str) -> Windows:
    if programme is None:
        return []
    events = [
        (
            clock.noted_unix_s(event.start, path, f"curtailment.event[{index}].start"),
            event.hours.value,
            event.limit_mw.value,
        )
        for index, event in enumerate(programme.event)
    ]
    if programme.credit_usd_per_mwh.value > 0 and any(limit > programme.enrolled_mw.value for _, _, limit in events):
        raise InputError.at(
            f"{path}: curtailment",
            "enrolled_mw",
            expected="at least the limit_mw of every event, because credits are counted from this level",
            got=programme.enrolled_mw.value,
        )
    return events
