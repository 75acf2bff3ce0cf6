"""The capital cost of a site's blocks and its yearly cost over the life of the hardware."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.capital.finance import annuity_frac
from sites.dispatch.problem import meter_mw
from sites.market.published_market import estimated_usd_per_th_s, miner_prices
from sites.model import MiningBlock

if TYPE_CHECKING:
    from sites.model import CapitalTerms, InferenceBlock, Site

HASHES_PER_TH = 1e12


@dataclass(frozen=True, slots=True)
class BlockCapital:
    """The capital cost of a block."""

    usd: float  # [USD] hardware and its share of the building
    usd_per_year: float  # [USD/year] equal yearly payments that repay it with interest, less the residual value
    basis: str  # of the prices, in words


def block_capital(site: Site, block: MiningBlock | InferenceBlock) -> BlockCapital | None:
    """Return the capital cost of a block, or None if the site file has no [capital] table or a price is unknown.

    The price of miners that the site file does not state is estimated from their efficiency, see
    `published_market.estimated_usd_per_th_s`.
    """
    terms = site.capital
    if terms is None:
        return None
    facility_mw = meter_mw(site, block) * site.delivered_frac
    if isinstance(block, MiningBlock):
        price = _miner_price(terms, block)
        if price is None:
            return None
        usd_per_th_s, basis = price
        hardware = block.count * block.rate.rate_per_s / HASHES_PER_TH * usd_per_th_s
        building = facility_mw * terms.mining_usd_per_mw
        return _yearly(terms, hardware + building, basis)
    if terms.gpu_usd_per_mw is None:
        return None
    bought_mw = facility_mw / (1.0 - block.spare_frac)  # spares draw no power, and are paid for
    return _yearly(terms, bought_mw * terms.gpu_usd_per_mw, f"{terms.gpu_usd_per_mw / 1e6:g} M USD/MW")


def missing_price(site: Site, block: MiningBlock | InferenceBlock) -> str:
    """Return which input is missing for the capital cost of a block; empty if `block_capital` knows it."""
    if block_capital(site, block) is not None:
        return ""
    if site.capital is None:
        return "the site file has no [capital] table"
    if not isinstance(block, MiningBlock):
        return "the site file does not state capital.gpu_usd_per_mw"
    joules = block.rate.energy_j_per_unit
    classes = miner_prices()
    why = (
        f"the energy per hash of {block.rate.name} is unknown"
        if joules is None
        else f"{joules * HASHES_PER_TH:.3g} J/TH is outside the classes of {classes[0].j_per_th:g} to "
        f"{classes[-1].j_per_th:g} J/TH"
    )
    return f"the site file does not state capital.miner_usd_per_th_s, and no price is estimated because {why}"


def _miner_price(terms: CapitalTerms, block: MiningBlock) -> tuple[float, str] | None:
    if terms.miner_usd_per_th_s is not None:
        return terms.miner_usd_per_th_s, f"{terms.miner_usd_per_th_s:g} USD per TH/s"
    joules = block.rate.energy_j_per_unit
    estimated = None if joules is None else estimated_usd_per_th_s(joules * HASHES_PER_TH)
    if estimated is None:
        return None
    classes = miner_prices()
    return estimated, (
        f"{estimated:.3g} USD per TH/s, estimated between the classes of {classes[0].j_per_th:g} and "
        f"{classes[-1].j_per_th:g} J/TH ({classes[0].source}, {classes[0].date})"
    )


def _yearly(terms: CapitalTerms, usd: float, basis: str) -> BlockCapital:
    residual_today_usd = usd * terms.residual_frac * math.exp(-terms.years * math.log1p(terms.discount_frac))
    payment = (usd - residual_today_usd) * annuity_frac(terms.discount_frac, terms.years)
    return BlockCapital(usd, payment, basis)
