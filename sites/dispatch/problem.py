"""The conversion of a Site into the arrays that are dispatched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import IDLE, KINDS, MINING, ON_DEMAND, SLA, Blocks, Hours
from sites.dispatch.merit_order import NO_PATHS, NO_PROGRAMME, Problem, Programme
from sites.hours.calendar import MEAN_YEAR_HOURS
from sites.hours.demand import log_growth_per_hour
from sites.market.mining import hourly_reward_btc_per_hash, pool_shares
from sites.model import MiningBlock

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.model import InferenceBlock, Site

J_PER_MWH = 3.6e9
FIRM_USD_PER_MWH = 1e6  # [USD/MWh device] priority of a tenant's load: above every price cap of a power market
NO_BLOCK: Blocks[float] = Blocks._make([0.0] * len(Blocks._fields))


class Label(NamedTuple):
    """The label of a row of Problem.blocks."""

    name: str  # of the site's block
    part: str  # which part of the block this is; empty where the block is one part
    product: str  # mining or inference
    unit: str  # hash, token, gpu_hour or kw_month

    @property
    def text(self) -> str:
        """Name and part, as one column heading."""
        return self.name if not self.part else f"{self.name}: {self.part}"


def labels(site: Site) -> tuple[Label, ...]:
    """Return one label for each row of the site's Problem, in its order."""
    return tuple(label for label, _ in _rows(site))


def meter_per_device(site: Site, product: str) -> Floats:
    """Return the meter MW per device MW of a product's blocks in each hour, PUE and losses of the lines, shape [T]."""
    pue = site.mining_pue if product == "mining" else site.gpu_pue
    return pue / site.delivered_frac


def site_reward_btc_per_hash(site: Site) -> Floats:
    """Return the mean subsidy over expected hashes in each step of a site's year [BTC/hash], [T]."""
    calendar = site.calendar
    return hourly_reward_btc_per_hash(calendar.start_s, calendar.steps, site.path, calendar.step_s)


def site_reward_usd_per_hash(site: Site) -> Floats:
    """Return the subsidy over expected hashes in each step of a site's year, at its bitcoin price [USD/hash], [T]."""
    return site_reward_btc_per_hash(site) * (site.btc_usd if site.btc_path_usd is None else site.btc_path_usd)


def problem(site: Site) -> Problem:
    """Build the arrays that a site's year is dispatched from.

    Notes
    -----
    Capacity, demand, limit and enrolled power are multiplied by the site's availability, so that results are expected
    values. The demand charge is divided by it, so that it applies to the peak of hours with power. A month that is only
    partly in the year is charged by its share of hours.

    Raises
    ------
    InputError
        A part of the site is in service for a time only, which a single year cannot show.
    """
    if site.has_phases:
        expected = "a number of years ([horizon] or --years), because parts of it begin or end at a date"
        raise InputError.at("phases", expected=expected, got="a single year")
    calendar = site.calendar
    paths = [block.price_over_mean for block in site.inference if block.price_over_mean is not None]
    reward_usd = site_reward_usd_per_hash(site)
    hours: Hours[Floats] = Hours(
        spot_usd_per_mwh=site.spot_usd_per_mwh,
        adder_usd_per_mwh=site.adder_usd_per_mwh,
        resale_usd_per_mwh=site.resale_usd_per_mwh,
        limit_mw=site.limit_mw * site.availability_frac,
        mining_capacity_frac=site.mining_capacity_frac,
        gpu_capacity_frac=site.gpu_capacity_frac,
        mining_meter_per_device=meter_per_device(site, "mining"),
        gpu_meter_per_device=meter_per_device(site, "inference"),
        subsidy_usd_per_hash=reward_usd,
        fees_usd_per_hash=reward_usd * site.fees_frac,
        forgone_usd_per_mwh=site.credit_usd_per_mwh + site.peak_risk_usd_per_mwh,
    )
    return Problem(
        how=calendar.how,
        month=calendar.billing,
        series=np.stack(hours),
        blocks=np.array([row for _, row in _rows(site)]).reshape(-1, len(Blocks._fields)),
        profiles=np.array([block.profile for block in site.inference] or [(1.0,) * 168]),
        charges_usd_per_mw=calendar.billed_frac * (site.demand_charge_usd_per_mw_month / site.availability_frac),
        contract_mw=site.contract_mw,
        contract_usd_per_mwh=site.contract_usd_per_mwh,
        event=site.event,
        programme=_programme(site),
        step_h=calendar.step_h,
        price_paths=np.stack(paths) if paths else NO_PATHS,
    )


def _programme(site: Site) -> Programme:
    if site.enrolled_mw == 0.0:
        return NO_PROGRAMME
    return Programme(
        load_limit_mw=site.load_limit_mw * site.availability_frac,
        credit_usd_per_mwh=site.credit_usd_per_mwh,
        enrolled_mw=site.enrolled_mw * site.availability_frac,
        ready_usd_per_mw_hour=site.ready_usd_per_mw_hour,
    )


def _rows(site: Site) -> list[tuple[Label, Blocks[float]]]:
    rows = [row for block in site.mining for row in _mining_rows(block, site.availability_frac)]
    path = 0
    for profile, block in enumerate(site.inference):
        own = _inference_rows(site, block, profile)
        if block.price_over_mean is not None:
            path += 1
            own = [(label, row._replace(price_path=float(path))) for label, row in own]
        rows += own
    return rows


def _mining_rows(block: MiningBlock, site_frac: float) -> list[tuple[Label, Blocks[float]]]:
    fade = math.log1p(-block.degradation_frac_per_year)
    aged = math.exp(fade * block.age_years)
    pool = pool_shares(block.rejects_frac, block.pool_fee_frac)
    kept = aged * pool.accepted_frac * pool.paid_frac
    rows: list[tuple[Label, Blocks[float]]] = []
    for step in block.margins:
        label = Label(block.name, step.name if len(block.margins) > 1 else "", "mining", "hash")
        capacity = block.count * step.power_w / 1e6 * block.availability_frac * site_frac
        hashes = step.rate_per_s / step.power_w * J_PER_MWH
        row = NO_BLOCK._replace(
            kind=float(MINING),
            capacity_mw=capacity,
            worth=hashes * kept,
            pays_fees=1.0 if block.pays_fees else 0.0,
            growth_log_per_hour=fade / MEAN_YEAR_HOURS,
            units_per_mwh=hashes * aged,
        )
        rows.append((label, row))
    return rows


def full_mw(block: InferenceBlock) -> float:
    """Power [MW at the node] of an inference block's GPUs but its spares, at full load."""
    return block.count * (1.0 - block.spare_frac) * block.watts_per_gpu / 1e6


def meter_mw(site: Site, block: MiningBlock | InferenceBlock) -> float:
    """Power [MW at the meter] of one of a site's blocks at full load: through its mean PUE and the lines."""
    if isinstance(block, MiningBlock):
        watts = block.count * math.fsum(step.power_w for step in block.margins)
        return watts / 1e6 * float(site.mining_pue.mean()) / site.delivered_frac
    return full_mw(block) * float(site.gpu_pue.mean()) / site.delivered_frac


def full_worth_usd_per_mwh(block: InferenceBlock) -> float:
    """Revenue [USD] of one MWh at the node from a GPU at full load, its idle power included; 0 for a lease."""
    per_mwh = 1e6 / block.watts_per_gpu  # GPU-hours
    if block.priced_per == "token":
        return per_mwh * block.rate.rate_per_s * 3600.0 / 1e6 * block.price_usd
    if block.priced_per == "gpu_hour":
        return per_mwh * block.price_usd
    return 0.0


def units_per_full_mwh(block: InferenceBlock) -> float:
    """Tokens or GPU-hours of one MWh at the node from a GPU at full load; 0 for a lease."""
    per_mwh = 1e6 / block.watts_per_gpu
    return {"token": per_mwh * block.rate.rate_per_s * 3600.0, "gpu_hour": per_mwh, "kw_month": 0.0}[block.priced_per]


def _inference_rows(site: Site, block: InferenceBlock, profile: int) -> list[tuple[Label, Blocks[float]]]:
    installed = full_mw(block) * site.availability_frac
    rows: list[tuple[Label, Blocks[float]]] = []

    def add(kind: int, row: Blocks[float], point: str = "") -> None:
        label = Label(block.name, f"{KINDS[kind]}{point}", "inference", block.priced_per)
        rows.append((label, row._replace(kind=float(kind))))

    if block.idle_frac > 0:
        add(IDLE, NO_BLOCK._replace(capacity_mw=installed * block.idle_frac * block.availability_frac))
    for step, row in zip(block.steps, _point_rows(block, installed, profile), strict=True):
        point = f", {step.name}" if len(block.steps) > 1 else ""
        if block.is_contracted:
            add(ON_DEMAND, _contracted(site, block, row))
            continue
        if block.promised_frac > 0:
            add(SLA, row._replace(penalty_usd_per_mwh=block.penalty_frac * row.worth), point)
        add(ON_DEMAND, row, point)
    return rows


def _point_rows(block: InferenceBlock, installed_mw: float, profile: int) -> list[Blocks[float]]:
    """Return a row for each step of a block; a step takes the work that the steps before it leave."""
    rows: list[Blocks[float]] = []
    worth, units = full_worth_usd_per_mwh(block), units_per_full_mwh(block)
    before_frac = 0.0  # of the full rate
    last = len(block.steps) - 1
    for index, step in enumerate(block.steps):
        row = NO_BLOCK._replace(
            capacity_mw=installed_mw * step.power_frac * block.availability_frac,
            worth=worth * step.efficiency_frac,
            demand_mw=installed_mw * block.demand_frac / step.efficiency_frac,
            growth_log_per_hour=log_growth_per_hour(block.growth_frac_per_year),
            promised_frac=block.promised_frac,
            profile=float(profile),
            passes_energy=1.0 if block.passes_energy else 0.0,
            units_per_mwh=units * step.efficiency_frac,
            better_frac=before_frac / step.rate_frac,
            has_next=1.0 if index < last else 0.0,
        )
        rows.append(row)
        before_frac += step.rate_frac
    return rows


def _contracted(site: Site, block: InferenceBlock, row: Blocks[float]) -> Blocks[float]:
    """Return the row of a tenant's load, which goes before other work; the rent of a lease is no worth of a MWh."""
    above = block.interruptible_above_usd_per_mwh
    priority = FIRM_USD_PER_MWH if above is None else above * float(meter_per_device(site, "inference").mean())
    return row._replace(
        promised_frac=0.0,
        penalty_usd_per_mwh=max(priority - row.worth, 0.0),
        is_firm=1.0 if above is None else 0.0,
    )
