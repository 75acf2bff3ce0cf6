"""From a Site to the arrays that are dispatched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sites.dispatch.merit_order import KINDS, SERIES_ROWS, Problem
from sites.hours.calendar import MEAN_YEAR_HOURS
from sites.hours.demand import log_growth_per_hour
from sites.market.mining import hourly_reward_btc_per_hash
from sites.model import MiningBlock

if TYPE_CHECKING:
    from sites.model import InferenceBlock, Site

J_PER_MWH = 3.6e9
KW_MONTHS_PER_MWH = 12.0 / MEAN_YEAR_HOURS * 1000.0
MINING, IDLE, SLA, ON_DEMAND = range(4)


class Label(NamedTuple):
    """What a row of Problem.blocks is: the block's name, which part of it, its product, and what its units count."""

    name: str
    part: str
    product: str
    unit: str

    @property
    def text(self) -> str:
        """Name and part, as one column heading."""
        return self.name if not self.part else f"{self.name}: {self.part}"


def labels(site: Site) -> tuple[Label, ...]:
    """One label for each row of the site's Problem, in its order."""
    return tuple(label for label, _ in _rows(site))


def problem(site: Site) -> Problem:
    """Build the arrays that a site's year is dispatched from.

    Capacity, demand and limit are taken times the site's availability, so that what comes out is expected; the demand
    charge is divided by it, so that it falls on the peak of hours with power; a month that the year holds in part is
    charged by its share of hours.
    """
    import numpy as np

    calendar = site.calendar
    reward_usd = hourly_reward_btc_per_hash(site.start_s, site.hours, site.path) * site.btc_usd
    series = np.empty((len(SERIES_ROWS), site.hours))
    series[0] = site.spot_usd_per_mwh
    series[1] = site.adder_usd_per_mwh
    series[2] = site.resale_usd_per_mwh
    series[3] = site.limit_mw * site.availability_frac
    series[4], series[5] = site.mining_capacity_frac, site.gpu_capacity_frac
    series[6], series[7] = site.mining_pue / site.delivered_frac, site.gpu_pue / site.delivered_frac
    series[8], series[9] = reward_usd, reward_usd * site.fees_frac
    series[10] = site.credit_usd_per_mwh
    return Problem(
        how=calendar.how,
        month=calendar.billing,
        series=series,
        blocks=np.array([row for _, row in _rows(site)]),
        profiles=np.array([block.profile for block in site.inference] or [(1.0,) * 168]),
        charges_usd_per_mw=calendar.billed_frac * (site.demand_charge_usd_per_mw_month / site.availability_frac),
        contract_mw=site.contract_mw,
        contract_usd_per_mwh=site.contract_usd_per_mwh,
        event=site.event,
    )


def _rows(site: Site) -> list[tuple[Label, tuple[float, ...]]]:
    rows = [row for block in site.mining for row in _mining_rows(block, site.availability_frac)]
    for profile, block in enumerate(site.inference):
        rows += _inference_rows(block, site.availability_frac, profile)
    return rows


def _mining_rows(block: MiningBlock, site_frac: float) -> list[tuple[Label, tuple[float, ...]]]:
    fade = math.log1p(-block.degradation_frac_per_year)
    aged = math.exp(fade * block.age_years)
    kept = aged * (1.0 - block.rejects_frac) * (1.0 - block.pool_fee_frac)
    rows: list[tuple[Label, tuple[float, ...]]] = []
    for step in block.margins:
        label = Label(block.name, step.name if len(block.margins) > 1 else "", "mining", "hash")
        capacity = block.count * step.power_w / 1e6 * block.availability_frac * site_frac
        hashes = step.rate_per_s / step.power_w * J_PER_MWH
        pays = 1.0 if block.pays_fees else 0.0
        growth = fade / MEAN_YEAR_HOURS
        rows.append((label, (MINING, capacity, hashes * kept, pays, 0.0, growth, 0.0, 0.0, 0.0, 0.0, hashes * aged)))
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
    """Revenue [USD] of one MWh at the node from a GPU at full load, its idle power included."""
    per_mwh = 1e6 / block.watts_per_gpu  # GPU-hours
    if block.priced_per == "token":
        return per_mwh * block.rate.rate_per_s * 3600.0 / 1e6 * block.price_usd
    if block.priced_per == "gpu_hour":
        return per_mwh * block.price_usd
    return KW_MONTHS_PER_MWH * block.price_usd


def units_per_full_mwh(block: InferenceBlock) -> float:
    """Tokens, GPU-hours or kW-months of one MWh at the node from a GPU at full load."""
    per_mwh = 1e6 / block.watts_per_gpu
    return {"token": per_mwh * block.rate.rate_per_s * 3600.0, "gpu_hour": per_mwh, "kw_month": KW_MONTHS_PER_MWH}[
        block.priced_per
    ]


def _inference_rows(block: InferenceBlock, site_frac: float, profile: int) -> list[tuple[Label, tuple[float, ...]]]:
    installed = full_mw(block) * site_frac
    serving = 1.0 - block.idle_frac
    able, asked = installed * serving * block.availability_frac, installed * serving * block.demand_frac
    worth, units = full_worth_usd_per_mwh(block) / serving, units_per_full_mwh(block) / serving
    growth, passes = log_growth_per_hour(block.growth_frac_per_year), 1.0 if block.passes_energy else 0.0
    shared = (able, worth, 0.0, asked, growth, block.promised_frac, float(profile), passes)
    rows: list[tuple[Label, tuple[float, ...]]] = []
    if block.idle_frac > 0:
        idle = installed * block.idle_frac * block.availability_frac
        rows.append((Label(block.name, KINDS[IDLE], "inference", block.priced_per), (IDLE, idle, *(0.0,) * 9)))
    if block.promised_frac > 0:
        penalty = block.penalty_frac * worth
        rows.append((Label(block.name, KINDS[SLA], "inference", block.priced_per), (SLA, *shared, penalty, units)))
    rows.append((Label(block.name, KINDS[ON_DEMAND], "inference", block.priced_per), (ON_DEMAND, *shared, 0.0, units)))
    return rows
