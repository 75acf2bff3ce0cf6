"""A year of a site: every hour mines, infers or curtails, whatever earns most for its megawatt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.dispatch.columns import SUM
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import labels, problem
from sites.market.bitcoin import known_until_unix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Dispatch
    from sites.dispatch.problem import Label
    from sites.model import InferenceBlock, Site

DAY_HOURS = 24
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class BlockYear:
    """What one block did in the year.

    facility_mwh: [MWh] drawn at the buildings, PUE included. device_mwh: [MWh] drawn by the devices. units: what it
    made of `unit` (hash, token, gpu_hour, kw_month). btc: [BTC] for miners, after rejects and pool fee, else None.
    revenue_usd. passed_usd: part of it that only hands the tenant's power cost on. energy_usd: power that it
    drew, at each hour's mean cost, without the demand charge. short_units:
    promised and not served.
    """

    name: str
    product: str
    unit: str
    facility_mwh: float
    device_mwh: float
    units: float
    btc: float | None
    revenue_usd: float
    passed_usd: float
    energy_usd: float
    short_units: float


@dataclass(frozen=True, slots=True)
class SiteYear:
    """What a site did in a year of `hours` hours, and what that paid [USD].

    metered_mwh: [MWh] at the interconnect, losses included. energy_usd: power, contract less resale, adders and demand
    charge. credits_usd: curtailment programme. penalty_usd: promised and not served. net_usd: revenue and credits less
    energy, penalties and fixed cost. carbon_kg: of the metered energy, or None. assumed_frac: share of the hours whose
    difficulty is assumed. dispatch: block by block, and hour by hour where asked for; labels: its rows.
    """

    site: Site
    hours: int
    blocks: tuple[BlockYear, ...]
    metered_mwh: float
    revenue_usd: float
    energy_usd: float
    demand_charge_usd: float
    resale_usd: float
    credits_usd: float
    penalty_usd: float
    fixed_usd: float
    net_usd: float
    carbon_kg: float | None
    assumed_frac: float
    labels: tuple[Label, ...]
    dispatch: Dispatch

    def in_hours(self) -> tuple[Floats, NDArray[np.int8], Floats]:
        """Give dispatch.mw, why and price_usd_per_mwh. Raises InputError where only the year's sums were kept."""
        done = self.dispatch
        if done.mw is None or done.why is None or done.price_usd_per_mwh is None:
            wanted = "a year run hour by hour (run(site), run_fleet(sites, hourly=True))"
            raise InputError.at(f"site {self.site.name}", expected=wanted, got="its sums alone")
        return done.mw, done.why, done.price_usd_per_mwh


def site_year(site: Site, *, hourly: bool = False) -> SiteYear:
    """Run a site through its year by merit order.

    hourly: keep what each block does in each hour, and why.
    Raises InputError, naming the site, for hours before the first block or a number that is missing.
    """
    try:
        given = problem(site)
        done = dispatch(given, hourly=hourly)
    except InputError as error:
        raise InputError(f"site {site.name!r}: {error}") from None
    rows = labels(site)
    short = done.blocks[:, SUM.short_mwh] * given.parts.units_per_mwh
    names = dict.fromkeys(row.name for row in rows)
    blocks = tuple(_block_year(site, rows, done.blocks, short, name) for name in names)
    revenue = sum(block.revenue_usd for block in blocks)
    metered = float(done.blocks[:, SUM.meter_mwh].sum())
    full_credit = float(site.credit_usd_per_mwh.sum()) * site.enrolled_mw
    credits_usd = full_credit - done.forgone_usd + site.ready_usd_per_mw_hour * site.enrolled_mw * site.hours
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
        net_usd=revenue - done.energy_usd - done.penalty_usd + credits_usd - site.fixed_usd_per_year,
        carbon_kg=None if site.kg_per_mwh is None else metered * site.kg_per_mwh,
        assumed_frac=max(0.0, end_s - max(site.start_s, known_until_unix())) / (site.hours * HOUR_S),
        labels=rows,
        dispatch=done,
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
    price = next((_usd_per_unit(block) for block in site.inference if block.name == name and block.passes_energy), None)
    return BlockYear(
        name=name,
        product=row.product,
        unit=row.unit,
        facility_mwh=total(SUM.meter_mwh) * site.delivered_frac,
        device_mwh=total(SUM.device_mwh),
        units=units,
        btc=revenue / site.btc_usd if row.product == "mining" else None,
        revenue_usd=revenue,
        passed_usd=revenue - units * price if price is not None else 0.0,
        energy_usd=total(SUM.energy_usd),
        short_units=float(short_units[own].sum()),
    )


def _usd_per_unit(block: InferenceBlock) -> float:
    return block.price_usd / 1e6 if block.priced_per == "token" else block.price_usd


@dataclass(frozen=True, slots=True)
class Summary:
    """A year in a handful of figures.

    btc_per_day, tokens_per_day: means over the year; tokens only where tokens are sold. revenue_usd_per_mwh,
    margin_usd_per_mwh: per metered MWh, the margin after power and penalties, with credits, before fixed cost.
    mining_usd_per_mwh, inference_usd_per_mwh: revenue per facility MWh of the product, None where it drew none.
    kg_per_btc, kg_per_mtok: carbon of the product's own share of the metered energy, None where none is known.
    """

    site: str
    btc_per_day: float
    tokens_per_day: float
    revenue_usd: float
    energy_usd: float
    net_usd: float
    metered_mwh: float
    revenue_usd_per_mwh: float | None
    margin_usd_per_mwh: float | None
    mining_usd_per_mwh: float | None
    inference_usd_per_mwh: float | None
    carbon_kg: float | None
    kg_per_btc: float | None
    kg_per_mtok: float | None
    difficulty_assumed_frac: float
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
    found = amount / whole if whole > 0 else math.inf
    return found if math.isfinite(found) else None
