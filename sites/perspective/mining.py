"""The figures that tell whether a mining block's revenue is plausible: hashprice, power price, network, halvings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sites.capital.switching import site_hashprice
from sites.dispatch.problem import site_reward_btc_per_hash
from sites.market.bitcoin import BLOCK_S, known_until_unix, stretches
from sites.market.mining import (
    hashprice_usd_per_ph_s_day,
    mean_fees_btc_per_hash,
    mean_reward,
    pool_shares,
    usd_per_device_mwh,
)

if TYPE_CHECKING:
    from sites.dispatch.year import BlockYear
    from sites.model import MiningBlock, Site

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Halving:
    """A halving of the block subsidy within the year, at constant efficiency of the block's devices."""

    day: date  # UTC; estimated from blocks of 600 s after the bundled data
    before_usd_per_mwh: float  # [USD/MWh facility] mean revenue of a running device before it, from the year's start
    after_usd_per_mwh: float  # [USD/MWh facility] the same after it, to the year's end


@dataclass(frozen=True, slots=True)
class MiningPerspective:
    """The perspective on one block of miners over one year."""

    hashprice_usd_per_ph_s_day: float  # mean of the year, with fees
    power_cents_per_kwh: float | None  # [US cents/kWh at the meter] mean cost; None if the block never ran
    network_share_frac: float  # installed hash rate over the mean hash rate of the network
    halvings: tuple[Halving, ...]
    difficulty_known_until: date  # last day of the difficulty data


def mining_perspective(site: Site, block: MiningBlock, year: BlockYear) -> MiningPerspective:
    """Return the perspective on a block of miners in a year of its site."""
    start_s, end_s = float(site.start_s), site.start_s + site.hours * HOUR_S
    parts = stretches(start_s, end_s, site.path)
    network = sum((part.end_s - part.start_s) * part.hashes_per_block for part in parts) / (end_s - start_s) / BLOCK_S
    metered_mwh = year.facility_mwh / site.delivered_frac
    cuts = [after.start_s for before, after in pairwise(parts) if after.subsidy_sat != before.subsidy_sat]
    edges = [start_s, *cuts, end_s]
    worth = [_usd_per_mwh(site, block, begin, end) for begin, end in pairwise(edges)]
    return MiningPerspective(
        hashprice_usd_per_ph_s_day=site_hashprice(site),
        power_cents_per_kwh=year.energy_usd / metered_mwh / 10.0 if metered_mwh > 0 else None,
        network_share_frac=block.count * block.rate.rate_per_s / network,
        halvings=tuple(
            Halving(datetime.fromtimestamp(cut, tz=UTC).date(), before, after)
            for cut, (before, after) in zip(cuts, pairwise(worth), strict=True)
        ),
        difficulty_known_until=datetime.fromtimestamp(known_until_unix(site.path), tz=UTC).date(),
    )


def _usd_per_mwh(site: Site, block: MiningBlock, start_s: float, end_s: float) -> float:
    """Return the mean revenue of a running device between two moments [USD/MWh facility], after rejects and pool."""
    reward = mean_reward(start_s, end_s, site.path).btc_per_hash
    fees_frac = _fees_frac(site, start_s, end_s, reward) if block.pays_fees else 0.0
    hashprice = hashprice_usd_per_ph_s_day(reward, _btc_usd(site, start_s, end_s), fees_frac=fees_frac)
    accepted, paid = pool_shares(block.rejects_frac, block.pool_fee_frac)
    per_device = usd_per_device_mwh(hashprice, (block.rate.energy_j_per_unit or 0.0) * 1e12)
    return per_device * accepted * paid / float(site.mining_pue.mean())


def _steps(site: Site, start_s: float, end_s: float) -> slice:
    """Return the steps of the year between two of its moments."""
    step_s = site.calendar.step_s
    return slice(int((start_s - site.start_s) // step_s), math.ceil((end_s - site.start_s) / step_s))


def _btc_usd(site: Site, start_s: float, end_s: float) -> float:
    """Return the price of bitcoin between two moments of the year [USD/BTC], weighted with the subsidy of a hash."""
    if site.btc_path_usd is None:
        return site.btc_usd
    steps = _steps(site, start_s, end_s)
    return float(np.average(site.btc_path_usd[steps], weights=site_reward_btc_per_hash(site)[steps]))


def _fees_frac(site: Site, start_s: float, end_s: float, reward: float) -> float:
    """Return the fees between two moments of the year as a share of the subsidy, whose mean over hashes is `reward`."""
    if site.fees_btc_per_block is not None:  # they do not halve, so their share doubles at the halving
        return mean_fees_btc_per_hash(site.fees_btc_per_block, start_s, end_s, site.path) / reward
    steps = _steps(site, start_s, end_s)
    return float(np.average(site.fees_frac[steps], weights=site_reward_btc_per_hash(site)[steps]))
