"""The waterfall from nameplate to sold energy, one step a loss, in physical, commercial and economic steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.columns import IDLE, KINDS, ON_DEMAND, SLA
from sites.dispatch.formulas import power_prices, resale_price, work_mw
from sites.dispatch.parts import hourly_worth
from sites.dispatch.problem import (
    J_PER_MWH,
    full_mw,
    full_worth_usd_per_mwh,
    meter_per_device,
    site_reward_usd_per_hash,
    units_per_full_mwh,
)
from sites.dispatch.rents import rent
from sites.hours.calendar import MEAN_YEAR_HOURS
from sites.hours.demand import log_growth_per_hour
from sites.market.mining import pool_shares

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.dispatch.year import SiteYear
    from sites.model import InferenceBlock, MiningBlock, Site

PHYSICAL, COMMERCIAL, ECONOMIC = "physical", "commercial", "economic"
STEPS = (
    ("nameplate", PHYSICAL),
    ("measured against rated", PHYSICAL),
    ("degradation", PHYSICAL),
    ("spares", PHYSICAL),
    ("equipment availability", PHYSICAL),
    ("site availability", PHYSICAL),
    ("ambient temperature", PHYSICAL),
    ("demand", COMMERCIAL),
    ("interconnect, outages and events", PHYSICAL),
    ("price of power", ECONOMIC),
    ("rejected shares", PHYSICAL),
    ("pool fee", COMMERCIAL),
)
STORED = ("battery and starts", ECONOMIC)  # after the price of power, at a site that has them
CONTRACTED, AVAILABLE, DEMANDED, DELIVERED, SOLD = 3, 6, 7, 9, 11
STAGES = {0: "nameplate", 1: "measured", AVAILABLE: "available"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall."""

    name: str
    kind: str  # physical, commercial or economic
    reaches: str  # stage that the step completes: nameplate, measured, available, delivered, sold; else empty
    factor: float  # share of the energy before the step that remains after it
    mwh: float  # [MWh at nameplate efficiency] remaining after the step
    factor_usd: float  # the same share of the gross worth, each hour at its own prices
    usd: float  # [USD] gross worth remaining after the step


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps of one product, and the dispatch's own figures, which the last steps must meet."""

    product: str
    steps: tuple[Step, ...]
    delivered_mwh: float  # [MWh at nameplate efficiency] from the units that the dispatch made
    sold_usd: float  # [USD] revenue of the dispatch, without energy that a tenant pays for


class _Part(NamedTuple):
    """A part that the merit order fills, in the order of the site's parts that are dispatched."""

    device_mw: Floats  # [MW device] that can run, shape [T]
    equivalent: float | Floats  # nameplate MWh that make as many units as one device MWh


class _Block(NamedTuple):
    """A block of a site."""

    name: str
    product: str
    nameplate_mw: float  # [MW device]
    multipliers: tuple[float | Floats, ...]  # factors of the steps up to demand
    parts: tuple[_Part, ...]
    meter: Floats  # meter MW per device MW, shape [T]
    usd_per_mwh: Floats  # [USD/MWh at nameplate efficiency] gross worth, shape [T]
    accepted: float  # share of the shares that the pool accepts
    kept: float | Floats  # share of the gross worth that is paid out
    units_per_mwh: float  # [units/MWh at nameplate efficiency]; 0 for a lease
    rent_usd: float = 0.0  # [USD] due whatever is drawn
    rent_from: int = len(STEPS)  # step from which the rent stands in the waterfall


def waterfalls(year: SiteYear) -> tuple[Waterfall, ...]:
    """Compute every product's waterfall of a year.

    Each factor comes from its own hourly multiplier, weighted with the energy that remains before it. The steps of
    interconnect and price come from filling the hours twice: up to the limit alone, then at the price of power too.
    What a battery or start costs change after that is a step of its own, which may be a gain.
    """
    site = year.site
    blocks = [_mining(site, block) for block in site.mining] + [_inference(site, block) for block in site.inference]
    flat = [(block, part) for block in blocks for part in block.parts]
    caps = np.stack([part.device_mw * block.meter for block, part in flat])
    _, worth, _ = hourly_worth(site)
    limit, idle = site.limit_mw * site.availability_frac, _idle_mw(site)
    capped = np.minimum(limit, year.dispatch.peaks_mw[site.calendar.billing])
    drawn = _fill(caps, worth, limit, idle), _fill(caps, worth, capped, idle, site)
    useful = [[fill[i] / block.meter * part.equivalent for i, (block, part) in enumerate(flat)] for fill in drawn]
    if year.storage is not None:
        working = [k for k, label in enumerate(year.labels) if label.part != KINDS[IDLE]]
        made = year.storage.useful_mw[:, working].T
        useful.append([mw * part.equivalent for mw, (_, part) in zip(made, flat, strict=True)])
    falls = []
    for product in dict.fromkeys(block.product for block in blocks):
        own = [block for block in blocks if block.product == product]
        filled = {
            block.name: [
                sum(fill[i] for i, (owner, _) in enumerate(flat) if owner.name == block.name) for fill in useful
            ]
            for block in own
        }
        falls.append(_waterfall(product, own, filled, year))
    return tuple(falls)


def _mining(site: Site, block: MiningBlock) -> _Block:
    fade = math.log1p(-block.degradation_frac_per_year)
    aged: Floats = np.exp(fade * (block.age_years + _elapsed_h(site) / MEAN_YEAR_HOURS))
    reward = site_reward_usd_per_hash(site)
    gross = reward * (1.0 + site.fees_frac)
    received = gross if block.pays_fees else reward
    pool = pool_shares(block.rejects_frac, block.pool_fee_frac)
    meter = meter_per_device(site, "mining")
    rated = block.rated or block.rate
    rated_hash = rated.rate_per_s / (rated.power_w or 1.0) * J_PER_MWH
    running = block.count * block.availability_frac * site.availability_frac * site.mining_capacity_frac
    parts = []
    for step in block.margins:
        hashes = step.rate_per_s / step.power_w * J_PER_MWH
        parts.append(_Part(running * step.power_w / 1e6, hashes * aged / rated_hash))
    return _Block(
        name=block.name,
        product="mining",
        nameplate_mw=block.count * (rated.power_w or 0.0) / 1e6,
        multipliers=(
            block.rate.rate_per_s / rated.rate_per_s,
            aged,
            1.0,
            block.availability_frac,
            site.availability_frac,
            site.mining_capacity_frac,
            1.0,
        ),
        parts=tuple(parts),
        meter=meter,
        usd_per_mwh=rated_hash * gross,
        accepted=pool.accepted_frac,
        kept=pool.paid_frac * received / np.where(gross > 0, gross, 1.0),
        units_per_mwh=rated_hash,
    )


def _inference(site: Site, block: InferenceBlock) -> _Block:
    serving = 1.0 - block.idle_frac
    installed = full_mw(block) * serving * site.availability_frac
    able = installed * block.availability_frac * site.gpu_capacity_frac
    growth = np.exp(log_growth_per_hour(block.growth_frac_per_year) * _elapsed_h(site))
    asked = installed * block.demand_frac * np.asarray(block.profile)[site.calendar.how] * growth
    meter = meter_per_device(site, "inference")
    full, path = full_worth_usd_per_mwh(block), block.price_over_mean
    due = rent(site, block)
    if block.is_lease:
        full = due.usd / (full_mw(block) * site.hours)
    stated = block.rated_tokens_per_s if block.priced_per == "token" else None
    measured = block.rate.rate_per_s / stated if stated else 1.0
    promised_frac = 0.0 if block.is_contracted else block.promised_frac
    kinds = (SLA, ON_DEMAND) if promised_frac > 0 else (ON_DEMAND,)
    parts, better_frac = [], 0.0
    for step in block.steps:
        share = step.power_frac / serving
        wanted = asked / (step.efficiency_frac * serving)
        for kind in kinds:
            working = work_mw(kind, able * share, promised_frac, wanted, better_frac / step.rate_frac)
            parts.append(_Part(working, measured * step.efficiency_frac))
        better_frac += step.rate_frac
    return _Block(
        name=block.name,
        product="inference",
        nameplate_mw=block.count * block.watts_per_gpu / 1e6,
        multipliers=(
            measured,
            1.0,
            1.0 - block.spare_frac,
            block.availability_frac,
            site.availability_frac,
            site.gpu_capacity_frac,
            np.minimum(able, asked) / np.where(able > 0, able, 1.0),
        ),
        parts=tuple(parts),
        meter=meter,
        usd_per_mwh=np.full(site.calendar.steps, full / measured) * (1.0 if path is None else path),
        accepted=1.0,
        kept=1.0,
        units_per_mwh=units_per_full_mwh(block) / measured,
        rent_usd=due.usd,
        rent_from=CONTRACTED if block.is_lease else DEMANDED,
    )


def _elapsed_h(site: Site) -> Floats:
    """Return the hours [h] since the start of the year at the start of each step, [T]."""
    elapsed_h: Floats = np.arange(site.calendar.steps, dtype=np.float64) * site.calendar.step_h
    return elapsed_h


def _idle_mw(site: Site) -> Floats:
    idle = sum(full_mw(b) * b.idle_frac * b.availability_frac * site.availability_frac for b in site.inference)
    drawn: Floats = np.minimum(idle * site.gpu_pue / site.delivered_frac, site.limit_mw * site.availability_frac)
    return drawn


def _fill(caps: Floats, worth: Floats, limit: Floats, idle: Floats, priced: Site | None = None) -> Floats:
    """Return the draw [parts, T] at the meter in the order of worth up to the limit.

    With `priced`, a part draws only where its worth is above that site's price of power.
    """
    from sites.dispatch.kernels.year import fill_hours

    free = np.full(limit.shape, -np.inf)
    near, far, contract_mw = free, free, 0.0
    if priced is not None:
        resale = resale_price(priced.resale_usd_per_mwh)
        given_up = priced.credit_usd_per_mwh + priced.peak_risk_usd_per_mwh
        near, far = power_prices(priced.spot_usd_per_mwh, resale, priced.adder_usd_per_mwh, given_up)
        contract_mw = float(priced.contract_mw)
    drawn = np.zeros_like(caps)
    fill_hours(caps, worth, near, far, contract_mw, limit, np.minimum(idle, limit), drawn)
    return drawn


def _waterfall(product: str, blocks: list[_Block], filled: dict[str, list[Floats]], year: SiteYear) -> Waterfall:
    names = STEPS if year.storage is None else (*STEPS[: DELIVERED + 1], STORED, *STEPS[DELIVERED + 1 :])
    more = len(names) - len(STEPS)
    sold_at = SOLD + more
    stages = {**STAGES, DELIVERED + more: "delivered", sold_at: "sold"}
    energy, worth = [0.0] * len(names), [0.0] * len(names)
    calendar = year.site.calendar
    delivered = 0.0
    for block in blocks:
        weights: list[Floats] = [np.full(calendar.steps, block.nameplate_mw)]
        for multiplier in block.multipliers:
            weights.append(weights[-1] * multiplier)
        weights += filled[block.name]
        weights += [weights[-1] * block.accepted] * 2
        is_lease = block.units_per_mwh == 0.0
        for index, weight in enumerate(weights):
            energy[index] += float(weight.sum()) * calendar.step_h
            kept = block.kept if index == sold_at else 1.0
            due = index >= block.rent_from
            worked = 0.0 if is_lease and due else float((weight * block.usd_per_mwh * kept).sum()) * calendar.step_h
            worth[index] += worked + (block.rent_usd if due else 0.0)
        units = next(done.units for done in year.blocks if done.name == block.name)
        delivered += float(weights[-1].sum()) * calendar.step_h if is_lease else units / block.units_per_mwh
    steps = [
        Step(name, kind, stages.get(index, ""), *_left(energy, index), *_left(worth, index))
        for index, (name, kind) in enumerate(names)
    ]
    sold = sum(done.revenue_usd - done.passed_usd for done in year.blocks if done.product == product)
    return Waterfall(product, tuple(steps), delivered, sold)


def _left(amounts: list[float], index: int) -> tuple[float, float]:
    if index == 0:
        return 1.0, amounts[0]
    before = amounts[index - 1]
    return (amounts[index] / before if before > 0 else 0.0), amounts[index]
