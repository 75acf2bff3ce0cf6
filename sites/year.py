"""A year of one site: every hour mines, infers or curtails, whatever earns most for its megawatt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sites.mining import hourly_reward_btc_per_hash
from sites.network import known_until_unix
from sites.site import InferenceBlock, MiningBlock, Site

YEAR_HOURS = 8760
DAY_HOURS = 24
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class BlockYear:
    """What one block did in the year.

    facility_mwh: [MWh] drawn at the buildings, PUE included. device_mwh: [MWh] drawn by the devices. units: hashes or
    tokens. btc: [BTC] for miners, after rejects and pool fee. revenue_usd, energy_usd: [USD].
    """

    name: str
    product: str
    facility_mwh: float
    device_mwh: float
    units: float
    btc: float | None
    revenue_usd: float
    energy_usd: float


@dataclass(frozen=True, slots=True)
class SiteYear:
    """What a site did in a year of `hours` hours from `start_s` [s, unix].

    metered_mwh: [MWh] at the interconnect, losses included. assumed_frac: share of the hours whose difficulty is assumed.
    """

    site: Site
    hours: int
    blocks: tuple[BlockYear, ...]
    metered_mwh: float
    assumed_frac: float


def fill(values: Sequence[float], caps_mw: Sequence[float], limit_mw: float) -> list[float]:
    """Megawatts per block of one hour by merit order: highest margin first while it is positive and room is left.

    values: [USD/MWh] margin of a facility megawatt-hour. caps_mw: [MW] at the facility. limit_mw: [MW].
    Returns [MW] per block.
    """
    filled = [0.0] * len(values)
    room = limit_mw
    for index in sorted(range(len(values)), key=lambda k: -values[k]):
        if values[index] <= 0.0 or room <= 0.0:
            break
        filled[index] = min(caps_mw[index], room)
        room -= filled[index]
    return filled


def site_year(site: Site, hours: int = YEAR_HOURS) -> SiteYear:
    """Run a site through a year at its flat power price.

    Each hour fills the blocks in order of what a facility MWh is worth, up to what the interconnect brings.
    """
    rewards = hourly_reward_btc_per_hash(site.start_s, hours, site.path)
    limit_mw = site.interconnect_mw * site.delivered_frac * site.availability_frac
    cost = site.energy_usd_per_mwh / site.delivered_frac
    blocks: tuple[MiningBlock | InferenceBlock, ...] = (*site.mining, *site.inference)
    caps = [_facility_mw(block) for block in blocks]
    drawn = [0.0] * len(blocks)
    btc = [0.0] * len(blocks)
    revenue = [0.0] * len(blocks)
    for reward, same in groupby(rewards):
        count = sum(1 for _ in same)
        worth = [_usd_per_facility_mwh(site, block, reward) for block in blocks]
        megawatts = fill([value - cost for value in worth], caps, limit_mw)
        for index, block in enumerate(blocks):
            energy = megawatts[index] * count
            drawn[index] += energy
            revenue[index] += energy * worth[index]
            if isinstance(block, MiningBlock):
                btc[index] += energy * worth[index] / site.btc_usd
    years = tuple(
        BlockYear(
            name=block.name,
            product="mining" if isinstance(block, MiningBlock) else "inference",
            facility_mwh=drawn[index],
            device_mwh=drawn[index] / block.pue,
            units=drawn[index] / block.pue * _units_per_mwh(block),
            btc=btc[index] if isinstance(block, MiningBlock) else None,
            revenue_usd=revenue[index],
            energy_usd=drawn[index] * cost,
        )
        for index, block in enumerate(blocks)
    )
    end_s = site.start_s + hours * HOUR_S
    assumed = max(0.0, end_s - max(site.start_s, known_until_unix())) / (hours * HOUR_S)
    return SiteYear(site, hours, years, sum(drawn) / site.delivered_frac, assumed)


def _units_per_mwh(block: MiningBlock | InferenceBlock) -> float:
    return block.rate.rate_per_s * HOUR_S * 1e6 / (block.rate.power_w or float("inf"))


def _facility_mw(block: MiningBlock | InferenceBlock) -> float:
    running = block.availability_frac * (block.demand_frac if isinstance(block, InferenceBlock) else 1.0)
    return block.count * running * (block.rate.power_w or 0.0) * block.pue / 1e6


def _usd_per_facility_mwh(site: Site, block: MiningBlock | InferenceBlock, reward_btc_per_hash: float) -> float:
    per_mwh = _units_per_mwh(block) / block.pue
    if isinstance(block, InferenceBlock):
        return per_mwh * block.usd_per_mtok / 1e6
    kept = (1.0 - block.rejects_frac) * (1.0 - block.pool_fee_frac)
    return per_mwh * reward_btc_per_hash * (1.0 + site.fees_frac) * kept * site.btc_usd


@dataclass(frozen=True, slots=True)
class Summary:
    """A year in a handful of figures.

    btc_per_day, tokens_per_day: means over the year. revenue_usd_per_mwh, margin_usd_per_mwh: per metered MWh.
    mining_usd_per_mwh, inference_usd_per_mwh: revenue per facility MWh of the product, None where it drew none.
    """

    site: str
    btc_per_day: float
    tokens_per_day: float
    revenue_usd: float
    energy_usd: float
    metered_mwh: float
    revenue_usd_per_mwh: float | None
    margin_usd_per_mwh: float | None
    mining_usd_per_mwh: float | None
    inference_usd_per_mwh: float | None
    difficulty_assumed_frac: float
    difficulty_path: str


def summarise(year: SiteYear) -> Summary:
    """The figures that the main job and `perwatt yield` print first."""
    days = year.hours / DAY_HOURS
    revenue = sum(block.revenue_usd for block in year.blocks)
    energy = sum(block.energy_usd for block in year.blocks)
    return Summary(
        site=year.site.name,
        btc_per_day=sum(block.btc or 0.0 for block in year.blocks) / days,
        tokens_per_day=sum(block.units for block in year.blocks if block.product == "inference") / days,
        revenue_usd=revenue,
        energy_usd=energy,
        metered_mwh=year.metered_mwh,
        revenue_usd_per_mwh=_over(revenue, year.metered_mwh),
        margin_usd_per_mwh=_over(revenue - energy, year.metered_mwh),
        mining_usd_per_mwh=_per_mwh(year, "mining"),
        inference_usd_per_mwh=_per_mwh(year, "inference"),
        difficulty_assumed_frac=year.assumed_frac,
        difficulty_path=year.site.path.label(),
    )


def _per_mwh(year: SiteYear, product: str) -> float | None:
    blocks = [block for block in year.blocks if block.product == product]
    return _over(sum(b.revenue_usd for b in blocks), sum(b.facility_mwh for b in blocks))


def _over(amount: float, energy_mwh: float) -> float | None:
    return amount / energy_mwh if energy_mwh > 0 else None
