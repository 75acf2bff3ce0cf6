"""A year of a site, in which each megawatt does in every hour what earns most: mine, infer or stand still."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import MINING, SUM, Blocks
from sites.dispatch.formulas import worth_usd_per_mwh
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import labels, problem
from sites.dispatch.programme import programme_hourly
from sites.dispatch.rents import rent
from sites.dispatch.stored.year import stored_dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Dispatch, Problem
    from sites.dispatch.problem import Label
    from sites.dispatch.stored.year import StorageYear
    from sites.model import InferenceBlock, Site

DAY_HOURS = 24
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class BlockYear:
    """The year of one block."""

    name: str
    product: str  # mining or inference
    unit: str  # hash, token, gpu_hour or kw_month
    facility_mwh: float  # [MWh] drawn at the buildings, PUE included
    device_mwh: float  # [MWh] drawn by the devices
    units: float  # output, counted in `unit`
    btc: float | None  # [BTC] of miners after rejects and pool fee; None for other blocks
    revenue_usd: float  # [USD]
    passed_usd: float  # [USD] part of the revenue that only passes the cost of power on to the tenant
    energy_usd: float  # [USD] drawn power at each hour's mean cost, without the demand charge
    short_units: float  # promised and not served, counted in `unit`


@dataclass(frozen=True, slots=True)
class SiteYear:
    """The year of a site."""

    site: Site
    hours: int
    blocks: tuple[BlockYear, ...]
    metered_mwh: float  # [MWh] at the interconnect, losses included
    revenue_usd: float  # [USD]
    energy_usd: float  # [USD] spot and contract, less resale, with adders and demand charge
    demand_charge_usd: float  # [USD]
    resale_usd: float  # [USD]
    credits_usd: float  # [USD] of the curtailment programme
    penalty_usd: float  # [USD] for promised work that was not served
    fixed_usd: float  # [USD]
    net_usd: float  # [USD] revenue and credits less energy, penalties, fixed cost, degradation and starts
    carbon_kg: float | None  # [kg] of the metered energy; None where its intensity is unknown
    assumed_frac: float  # share of the hours whose difficulty is assumed
    labels: tuple[Label, ...]  # of the rows of `dispatch`
    dispatch: Dispatch
    storage: StorageYear | None = None  # of a site with a battery or start costs

    def in_hours(self) -> tuple[Floats, NDArray[np.int8], Floats]:
        """Return dispatch.mw, dispatch.why and dispatch.price_usd_per_mwh.

        Raises
        ------
        InputError
            Only the year's sums were kept.
        """
        done = self.dispatch
        if done.mw is None or done.why is None or done.price_usd_per_mwh is None:
            needed = "a year run hour by hour (run(site), run_fleet(sites, hourly=True))"
            raise InputError.at(f"site {self.site.name}", expected=needed, got="its sums alone")
        return done.mw, done.why, done.price_usd_per_mwh


def site_year(site: Site, *, hourly: bool = False) -> SiteYear:
    """Run a site through its year: by merit order, or with a battery or start costs by the exact dispatch of those.

    Parameters
    ----------
    site
        The site.
    hourly
        Keep what each block does in each hour, and why.

    Raises
    ------
    InputError
        The year begins before Bitcoin's first block, or a number is missing. The message names the site.
    """
    try:
        arrays = problem(site)
        if site.has_storage:
            done, storage = stored_dispatch(site, arrays)
        else:
            done, storage = dispatch(arrays, hourly=hourly or site.btc_path_usd is not None), None
    except InputError as error:
        raise InputError(f"site {site.name!r}: {error}") from None
    rows = labels(site)
    short = done.blocks[:, SUM.short_mwh] * arrays.parts.units_per_mwh
    names = dict.fromkeys(row.name for row in rows)
    blocks = tuple(_block_year(site, rows, done.blocks, short, name) for name in names)
    if site.btc_path_usd is not None:
        mw = done.mw if storage is None else storage.useful_mw
        blocks = _with_btc(blocks, _paid_btc(site, mw, arrays, site.btc_path_usd), rows)
    revenue = sum(block.revenue_usd for block in blocks)
    metered = float(done.blocks[:, SUM.meter_mwh].sum()) if storage is None else done.drawn_mwh
    own_usd = 0.0 if storage is None else storage.wear_usd + storage.start_usd
    credits_usd = float(programme_hourly(arrays.programme, done.load).sum()) * site.calendar.step_h
    end_s = site.start_s + site.hours * HOUR_S
    return SiteYear(
        site=site,
        hours=site.hours,
        blocks=blocks,
        metered_mwh=metered,
        revenue_usd=revenue,
        energy_usd=done.energy_usd,
        demand_charge_usd=done.demand_charge_usd,
        resale_usd=done.sold_usd,
        credits_usd=credits_usd,
        penalty_usd=done.penalty_usd,
        fixed_usd=site.fixed_usd_per_year,
        net_usd=revenue - done.energy_usd - done.penalty_usd + credits_usd - site.fixed_usd_per_year - own_usd,
        carbon_kg=None if site.kg_per_mwh is None else metered * site.kg_per_mwh,
        assumed_frac=max(0.0, end_s - max(site.start_s, site.path.assumed_from_unix())) / (site.hours * HOUR_S),
        labels=rows,
        dispatch=done,
        storage=storage,
    )


def fleet_year(sites: Iterable[Site], *, hourly: bool = False) -> list[SiteYear]:
    """Run every site of a fleet through its year, one after the other."""
    return [site_year(site, hourly=hourly) for site in sites]


def _block_year(site: Site, rows: Sequence[Label], sums: Floats, short_units: Floats, name: str) -> BlockYear:
    own = [index for index, row in enumerate(rows) if row.name == name]

    def total(column: int) -> float:
        return float(sums[own, column].sum())

    row = rows[own[0]]
    revenue, units = total(SUM.revenue_usd), total(SUM.units)
    source = next((block for block in site.inference if block.name == name), None)
    passed_usd = revenue - units * _usd_per_unit(source) if source is not None and source.passes_energy else 0.0
    if source is not None:
        due = rent(site, source)
        revenue, units = revenue + due.usd, units + due.units
    return BlockYear(
        name=name,
        product=row.product,
        unit=row.unit,
        facility_mwh=total(SUM.meter_mwh) * site.delivered_frac,
        device_mwh=total(SUM.device_mwh),
        units=units,
        btc=revenue / site.btc_usd if row.product == "mining" else None,
        revenue_usd=revenue,
        passed_usd=passed_usd,
        energy_usd=total(SUM.energy_usd),
        short_units=float(short_units[own].sum()),
    )


def _paid_btc(site: Site, mw: Floats | None, arrays: Problem, btc_usd: Floats) -> Floats:
    """Return the bitcoin that each row is paid [BTC], each step at its own price; 0 for rows that do not mine, [B]."""
    elapsed_h = np.arange(site.calendar.steps) * site.calendar.step_h
    paid = np.zeros(len(arrays.blocks))
    for k, row in enumerate(arrays.blocks):
        block: Blocks[float] = Blocks._make(row)
        if block.kind == MINING and mw is not None:
            usd_per_mwh = worth_usd_per_mwh(block, arrays.hours, np.exp(block.growth_log_per_hour * elapsed_h), 1.0)
            paid[k] = (mw[:, k] * usd_per_mwh / btc_usd).sum() * site.calendar.step_h
    return paid


def _with_btc(blocks: Iterable[BlockYear], paid_btc: Floats, rows: Sequence[Label]) -> tuple[BlockYear, ...]:
    """Return block years with the bitcoin that the rows of each were paid."""
    sums = {block.name: sum(paid_btc[k] for k, row in enumerate(rows) if row.name == block.name) for block in blocks}
    return tuple(block if block.btc is None else replace(block, btc=float(sums[block.name])) for block in blocks)


def _usd_per_unit(block: InferenceBlock) -> float:
    return block.price_usd / 1e6 if block.priced_per == "token" else block.price_usd


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a year that are printed first."""

    site: str
    btc_per_day: float  # [BTC/day] mean of the year
    tokens_per_day: float  # [token/day] mean of the year, of blocks that sell tokens
    revenue_usd: float  # [USD]
    energy_usd: float  # [USD]
    net_usd: float  # [USD]
    metered_mwh: float  # [MWh]
    revenue_usd_per_mwh: float | None  # [USD/MWh meter]
    margin_usd_per_mwh: float | None  # [USD/MWh meter] after power and penalties, with credits, before fixed cost
    mining_usd_per_mwh: float | None  # [USD/MWh facility] revenue; None where miners drew nothing
    inference_usd_per_mwh: float | None  # [USD/MWh facility] revenue; None where GPUs drew nothing
    carbon_kg: float | None  # [kg] None where the intensity is unknown, as in the next two
    kg_per_btc: float | None  # [kg/BTC] of the miners' share of the metered energy
    kg_per_mtok: float | None  # [kg per million tokens] of the GPUs' share of the metered energy
    difficulty_assumed_frac: float  # share of the hours whose difficulty is assumed
    difficulty_path: str


def summarise(year: SiteYear) -> Summary:
    """Reduce a year to the figures that the main job and `perwatt yield` print first."""
    days = year.hours / DAY_HOURS
    btc = sum(block.btc or 0.0 for block in year.blocks)
    tokens = sum(block.units for block in year.blocks if block.unit == "token")
    return Summary(
        site=year.site.name,
        btc_per_day=btc / days,
        tokens_per_day=tokens / days,
        revenue_usd=year.revenue_usd,
        energy_usd=year.energy_usd,
        net_usd=year.net_usd,
        metered_mwh=year.metered_mwh,
        revenue_usd_per_mwh=_over(year.revenue_usd, year.metered_mwh),
        margin_usd_per_mwh=_over(year.net_usd + year.fixed_usd, year.metered_mwh),
        mining_usd_per_mwh=_per_mwh(year, "mining"),
        inference_usd_per_mwh=_per_mwh(year, "inference"),
        carbon_kg=year.carbon_kg,
        kg_per_btc=_kg_per(year, "hash", btc),
        kg_per_mtok=_kg_per(year, "token", tokens / 1e6),
        difficulty_assumed_frac=year.assumed_frac,
        difficulty_path=year.site.path.label(),
    )


def _per_mwh(year: SiteYear, product: str) -> float | None:
    blocks = [block for block in year.blocks if block.product == product]
    return _over(sum(b.revenue_usd for b in blocks), sum(b.facility_mwh for b in blocks))


def _kg_per(year: SiteYear, unit: str, amount: float) -> float | None:
    intensity = year.site.kg_per_mwh
    if intensity is None:
        return None
    facility = sum(block.facility_mwh for block in year.blocks if block.unit == unit)
    return _over(facility / year.site.delivered_frac * intensity, amount)


def _over(amount: float, whole: float) -> float | None:
    ratio = amount / whole if whole > 0 else math.inf
    return ratio if math.isfinite(ratio) else None
