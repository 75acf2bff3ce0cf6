"""What a site does in a year of its horizon, step by step: energy, output, revenue and the parts of the power bill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import IDLE, MINING, SLA, Blocks, Hours
from sites.dispatch.formulas import able_mw, asked_mw, owed_mw, passed_usd_per_mwh, resale_price, worth_usd_per_mwh
from sites.dispatch.problem import full_mw, meter_per_device, problem
from sites.dispatch.programme import programme_hourly
from sites.dispatch.rents import rent, rent_hourly_usd
from sites.dispatch.stored.reasons import ROUNDING
from sites.dispatch.stored.rows import export_price
from sites.model import InferenceBlock

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.year import SiteYear
    from sites.hours.calendar import Calendar
    from sites.model import MiningBlock

LEAST_SHORT_FRAC = 1e-12  # of the promised work; less is rounding, as in the compiled dispatch


@dataclass(frozen=True, slots=True)
class BlockActivity:
    """What a block does in each of the T steps."""

    name: str
    product: str  # mining or inference
    unit: str  # hash, token, gpu_hour or kw_month
    facility_mwh: Floats  # [MWh facility] drawn, PUE included, [T]
    units: Floats  # [unit] made; kW-months of a lease are spread over the steps of their month, [T]
    btc: Floats | None  # [BTC] of miners after rejects and pool fee; None for other blocks, [T]
    revenue_usd: Floats  # [USD] for work, without rents, [T]
    rent_usd: Floats  # [USD] of leases and take-or-pay, spread over the steps of their month, [T]
    capacity_mw: Floats  # [MW facility] of all its devices at full load, PUE included, whether available or not, [T]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a site does in the T steps of a year of its horizon; yearly and monthly amounts are spread evenly."""

    calendar: Calendar
    month: Integers  # month of the horizon, counted from 0 as the demand charge counts them, [T]
    spot_usd_per_mwh: Floats  # [USD/MWh meter] market price, [T]
    metered_mwh: Floats  # [MWh meter] drawn, [T]
    bought_usd: Floats  # [USD] power bought on the spot market, [T]
    contract_usd: Floats  # [USD] contracted power, taken or not, [T]
    resale_usd: Floats  # [USD] for contracted power that is resold, and for what a battery exports, [T]
    adder_usd: Floats  # [USD] delivery and coincident peaks, [T]
    demand_charge_usd: Floats  # [USD] on the month's peak, [T]
    penalty_usd: Floats  # [USD] for promised work that is not served, [T]
    credits_usd: Floats  # [USD] of the curtailment programme, [T]
    storage_usd: Floats  # [USD] degradation of a battery, and starts of blocks, spread over the year, [T]
    fixed_usd: Floats  # [USD] fixed cost of the site, [T]
    blocks: tuple[BlockActivity, ...]

    @property
    def power_usd(self) -> Floats:
        """Cost of power [USD]: spot and contract, less resale, with adders and demand charge, [T]."""
        return self.bought_usd + self.contract_usd - self.resale_usd + self.adder_usd + self.demand_charge_usd

    @property
    def revenue_usd(self) -> Floats:
        """Revenue of all blocks for work, without rents [USD], [T]."""
        return self._over_blocks([block.revenue_usd for block in self.blocks])

    @property
    def rent_usd(self) -> Floats:
        """Rents of all blocks [USD], [T]."""
        return self._over_blocks([block.rent_usd for block in self.blocks])

    @property
    def net_usd(self) -> Floats:
        """Revenue, rents and credits less power, penalties, storage and fixed cost [USD], [T]."""
        income = self.revenue_usd + self.rent_usd + self.credits_usd
        return income - self.power_usd - self.penalty_usd - self.storage_usd - self.fixed_usd

    def _over_blocks(self, parts: list[Floats]) -> Floats:
        total: Floats = np.sum(parts, axis=0) if parts else np.zeros(self.calendar.steps)
        return total


def activity(year: SiteYear, first_month: int = 0) -> Activity:
    """Return what a site does in each step of a year that was dispatched step by step.

    Parameters
    ----------
    year
        The year, with the dispatch of each step.
    first_month
        Month of the horizon in which the year begins, from 0.

    Raises
    ------
    InputError
        Only the sums of the year were kept.

    Notes
    -----
    The sums over the steps are those of the year, but for rounding: they are added up in another order.
    """
    site, done = year.site, year.dispatch
    mw, _, _ = year.in_hours()
    arrays = problem(site)
    calendar, step_h = site.calendar, site.calendar.step_h
    hour = arrays.hours
    meter = {product: meter_per_device(site, product) for product in ("mining", "inference")}
    at_meter = [mw[:, k] * meter[label.product] for k, label in enumerate(year.labels)]
    load_mw: Floats = np.sum(at_meter, axis=0) if at_meter else np.zeros(calendar.steps)
    net_mw = _net_mw(year, load_mw)
    drawn_mw = np.maximum(net_mw, 0.0)
    bought_mw, sold_mw, resale = _traded(hour, drawn_mw, site.contract_mw)
    exported_usd = np.maximum(-net_mw, 0.0) * export_price(arrays)
    charges_usd = done.peaks_mw * arrays.charges_usd_per_mw
    credits_usd = programme_hourly(arrays.programme, done.load) * step_h
    return Activity(
        calendar=calendar,
        month=first_month + calendar.billing,
        spot_usd_per_mwh=site.spot_usd_per_mwh,
        metered_mwh=drawn_mw * step_h,
        bought_usd=bought_mw * hour.spot_usd_per_mwh * step_h,
        contract_usd=np.full(calendar.steps, site.contract_mw * site.contract_usd_per_mwh * step_h),
        resale_usd=(sold_mw * resale + exported_usd) * step_h,
        adder_usd=drawn_mw * hour.adder_usd_per_mwh * step_h,
        demand_charge_usd=(charges_usd / np.bincount(calendar.billing, minlength=charges_usd.size))[calendar.billing],
        penalty_usd=_penalty_usd(arrays, mw) * step_h,
        credits_usd=credits_usd if credits_usd.size else np.zeros(calendar.steps),
        storage_usd=_storage_usd(year),
        fixed_usd=np.full(calendar.steps, year.fixed_usd / calendar.steps),
        blocks=tuple(_block(year, arrays, block) for block in site.blocks),
    )


def _net_mw(year: SiteYear, load_mw: Floats) -> Floats:
    """Return what the meter sees [MW]: the load and what a battery charges less what it discharges, [T]."""
    storage = year.storage
    if storage is None:
        return load_mw
    net = load_mw + storage.charge_mw - storage.discharge_mw
    power_mw = year.site.battery.power_mw if year.site.battery is not None else 0.0
    net[np.abs(net) <= ROUNDING * (load_mw + power_mw)] = 0.0
    return net


def _storage_usd(year: SiteYear) -> Floats:
    """Return the cost of degradation and of starts [USD], [T]."""
    storage, calendar = year.storage, year.site.calendar
    if storage is None:
        return np.zeros(calendar.steps)
    wear_usd_per_mwh = year.site.battery.wear_usd_per_mwh if year.site.battery is not None else 0.0
    starts: Floats = np.full(calendar.steps, storage.start_usd / calendar.steps)
    return storage.discharge_mw * wear_usd_per_mwh * calendar.step_h + starts


def _traded(hour: Hours[Floats], drawn_mw: Floats, contract_mw: float) -> tuple[Floats, Floats, Floats]:
    """Return the power bought and resold [MW meter] and the price of resale [USD/MWh], [T]."""
    resale = resale_price(hour.resale_usd_per_mwh)
    sells_all = (resale > hour.spot_usd_per_mwh) & (contract_mw > 0.0)
    bought = np.where(sells_all, drawn_mw, np.maximum(drawn_mw - contract_mw, 0.0))
    sold = np.where(sells_all, contract_mw, np.maximum(contract_mw - drawn_mw, 0.0))
    return bought, np.where(resale == 0.0, 0.0, sold), resale


def _growth(arrays: Problem, block: Blocks[float]) -> Floats:
    """Return the growth of a row's worth or demand since the start of the year, [T]."""
    elapsed_h = np.arange(arrays.how.size) * arrays.step_h
    growth: Floats = np.exp(block.growth_log_per_hour * elapsed_h)
    return growth


def _penalty_usd(arrays: Problem, mw: Floats) -> Floats:
    """Return the penalties [USD per hour of a step], [T]."""
    hour, total = arrays.hours, np.zeros(arrays.how.size)
    for k, row in enumerate(arrays.blocks):
        block: Blocks[float] = Blocks._make(row)
        if block.kind != SLA:
            continue
        asked = asked_mw(block, arrays.profiles[int(block.profile)][arrays.how], _growth(arrays, block))
        promised = owed_mw(able_mw(block, hour), block.promised_frac * asked, block.better_frac, block.has_next)
        short = promised - mw[:, k]
        short[short <= LEAST_SHORT_FRAC * promised] = 0.0
        total += short * block.penalty_usd_per_mwh * _price_over_mean(arrays, block)
    return total


def _price_over_mean(arrays: Problem, block: Blocks[float]) -> Floats | float:
    return arrays.price_paths[int(block.price_path) - 1] if block.price_path > 0.0 else 1.0


def _block(year: SiteYear, arrays: Problem, source: MiningBlock | InferenceBlock) -> BlockActivity:
    site = year.site
    mw, _, _ = year.in_hours()
    useful_mw = mw if year.storage is None else year.storage.useful_mw
    rows = [k for k, label in enumerate(year.labels) if label.name == source.name]
    product, unit = year.labels[rows[0]].product, year.labels[rows[0]].unit
    step_h, pue = site.calendar.step_h, site.mining_pue if product == "mining" else site.gpu_pue
    steps = site.calendar.steps
    revenue, units = np.zeros(steps), np.zeros(steps)
    for k in rows:
        block: Blocks[float] = Blocks._make(arrays.blocks[k])
        worked_usd, made = _worked(arrays, useful_mw[:, k], block)
        revenue += worked_usd
        units += made
    rent_usd = np.zeros(steps)
    if isinstance(source, InferenceBlock):
        rent_usd = rent_hourly_usd(site, source)
        due = rent(site, source)
        if due.units > 0.0:
            units += rent_usd * (due.units / due.usd / step_h) if due.usd > 0.0 else due.units / (steps * step_h)
    return BlockActivity(
        name=source.name,
        product=product,
        unit=unit,
        facility_mwh=mw[:, rows].sum(axis=1) * pue * step_h,
        units=units * step_h,
        btc=revenue * step_h / (site.btc_usd if site.btc_path_usd is None else site.btc_path_usd)
        if product == "mining"
        else None,
        revenue_usd=revenue * step_h,
        rent_usd=rent_usd,
        capacity_mw=_nameplate_mw(source) * pue,
    )


def _worked(arrays: Problem, device_mw: Floats, block: Blocks[float]) -> tuple[Floats, Floats]:
    """Return the revenue [USD per hour of a step] and the output [unit per hour of a step] of a row, [T]."""
    if block.kind == MINING:
        growth = _growth(arrays, block)
        worth = worth_usd_per_mwh(block, arrays.hours, growth, 1.0)
        return device_mw * worth, device_mw * block.units_per_mwh * growth
    if block.kind == IDLE:
        return np.zeros(device_mw.size), np.zeros(device_mw.size)
    at_meter = device_mw * arrays.hours.gpu_meter_per_device
    passed = at_meter * passed_usd_per_mwh(block, arrays.hours)
    return device_mw * block.worth * _price_over_mean(arrays, block) + passed, device_mw * block.units_per_mwh


def _nameplate_mw(source: MiningBlock | InferenceBlock) -> float:
    """Return the power of a block's devices at full load [MW device]."""
    if isinstance(source, InferenceBlock):
        return full_mw(source)
    return source.count * sum(step.power_w for step in source.margins) / 1e6
