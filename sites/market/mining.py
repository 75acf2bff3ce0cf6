"""The expected mining yield: bitcoin from hashes, hashprice, and revenue per MWh."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.market.bitcoin import HOLD, SATOSHI_PER_BTC, DifficultyPath, Stretch, stretches

if TYPE_CHECKING:
    from sites.arrays import Floats

DAY_S = 86_400
HOUR_S = 3600
PH = 1e15


def expected_btc(
    hashrate_h_s: float, start_s: float, end_s: float, *, fees_frac: float = 0.0, path: DifficultyPath = HOLD
) -> float:
    """Return the bitcoin expected from a constant hash rate over an interval, before pool fees [BTC].

    This is the integral of H * (subsidy + fees) / (expected hashes), piecewise over difficulty epochs and halvings.

    Parameters
    ----------
    hashrate_h_s
        Hash rate [hash/s].
    start_s, end_s
        The interval [s, unix].
    fees_frac
        Transaction fees as a share of the subsidy.
    path
        Difficulty after the data.

    Raises
    ------
    InputError
        The rate or the fees are negative or not finite, or the interval is empty.
    """
    _not_negative("hashrate_h_s", hashrate_h_s)
    _not_negative("fees_frac", fees_frac)
    return hashrate_h_s * (1.0 + fees_frac) * sum(map(_btc_per_hash_s, stretches(start_s, end_s, path)))


def _btc_per_hash_s(part: Stretch) -> float:
    return (part.end_s - part.start_s) * part.subsidy_sat / part.hashes_per_block / SATOSHI_PER_BTC


@dataclass(frozen=True, slots=True)
class Reward:
    """The mean reward of a hash over an interval."""

    btc_per_hash: float  # [BTC/hash] subsidy only
    assumed_frac: float  # share of the interval on the assumed difficulty path


def mean_reward(start_s: float, end_s: float, path: DifficultyPath = HOLD) -> Reward:
    """Return the mean over time of subsidy over expected hashes in [start_s, end_s) [s, unix]."""
    parts = stretches(start_s, end_s, path)
    whole = end_s - start_s
    assumed = sum(part.end_s - part.start_s for part in parts if part.basis == "assumed")
    return Reward(sum(map(_btc_per_hash_s, parts)) / whole, assumed / whole)


def mean_fees_btc_per_hash(
    fees_btc_per_block: float, start_s: float, end_s: float, path: DifficultyPath = HOLD
) -> float:
    """Return the mean over time of constant fees [BTC/block] over expected hashes in [start_s, end_s) [s, unix]."""
    parts = stretches(start_s, end_s, path)
    paid = sum((part.end_s - part.start_s) / part.hashes_per_block for part in parts)
    return fees_btc_per_block * paid / (end_s - start_s)


@lru_cache(maxsize=64)
def hourly_reward_btc_per_hash(start_s: int, steps: int, path: DifficultyPath = HOLD, step_s: int = HOUR_S) -> Floats:
    """Return the mean subsidy over expected hashes [BTC/hash] of each hour, [steps], read-only.

    Parameters
    ----------
    start_s
        Start of the first step [s, unix].
    steps, step_s
        Number of steps, and their length [s] where that is not an hour.
    path
        Difficulty after the data.
    """
    parts = stretches(start_s, start_s + step_s * steps, path)
    rates = [part.subsidy_sat / part.hashes_per_block / SATOSHI_PER_BTC for part in parts]
    reward = _step_means(parts, rates, start_s, steps, step_s)
    reward.flags.writeable = False
    return reward


def hourly_fees_frac(
    fees_btc_per_block: float, start_s: int, steps: int, path: DifficultyPath = HOLD, step_s: int = HOUR_S
) -> Floats:
    """Return constant fees [BTC/block] as a share of the subsidy in each hour from start_s on, shape [steps].

    Fees in BTC do not halve with the subsidy, so their share of it doubles. Parameters are those of
    `hourly_reward_btc_per_hash`.
    """
    parts = stretches(start_s, start_s + step_s * steps, path)
    fees = _step_means(parts, [fees_btc_per_block / part.hashes_per_block for part in parts], start_s, steps, step_s)
    share: Floats = fees / hourly_reward_btc_per_hash(start_s, steps, path, step_s)
    return share


def _step_means(parts: list[Stretch], values: list[float], start_s: int, steps: int, step_s: int) -> Floats:
    """Return the mean over each step from start_s on of a value that is constant in each part, shape [steps]."""
    rates = np.array(values)
    begins = np.array([part.start_s for part in parts])
    edges = start_s + step_s * np.arange(steps)
    means: Floats = rates[np.searchsorted(begins, edges, side="right") - 1]
    for index, part in enumerate(parts[1:], start=1):
        step, rest = divmod(part.start_s - start_s, step_s)
        means[int(step)] += (rates[index] - rates[index - 1]) * (1.0 - rest / step_s) if rest else 0.0
    return means


class PoolShares(NamedTuple):
    """The shares of a miner's output that remain after its pool."""

    accepted_frac: float  # of the hashes: those of accepted shares
    paid_frac: float  # of the reward of accepted hashes: what the pool pays out


def pool_shares(rejects_frac: float, pool_fee_frac: float) -> PoolShares:
    """Return the shares of hashes and of reward that remain after rejected shares and after the pool's fee."""
    return PoolShares(1.0 - rejects_frac, 1.0 - pool_fee_frac)


def hashprice_usd_per_ph_s_day(reward_btc_per_hash: float, btc_usd: float, *, fees_frac: float = 0.0) -> float:
    """Return the gross revenue of one PH/s in a day [USD/PH/s/day].

    Parameters
    ----------
    reward_btc_per_hash
        Subsidy over expected hashes [BTC/hash].
    btc_usd
        Price of bitcoin [USD/BTC].
    fees_frac
        Transaction fees as a share of the subsidy.
    """
    return PH * DAY_S * reward_btc_per_hash * (1.0 + fees_frac) * btc_usd


def usd_per_device_mwh(hashprice: float, efficiency_j_per_th: float) -> float:
    """Return gross USD per MWh drawn by the device, at a hashprice [USD/PH/s/day] and an efficiency [J/TH]."""
    return hashprice / 24.0 * 1000.0 / efficiency_j_per_th


def breakeven_usd_per_facility_kwh(hashprice: float, efficiency_j_per_th: float, pue: float) -> float:
    """Return the power price at which mining breaks even, in USD per kWh at the facility's meter.

    Parameters
    ----------
    hashprice
        Gross revenue of hash rate [USD/PH/s/day].
    efficiency_j_per_th
        Efficiency [J/TH] at the wall plug of the device.
    pue
        Energy of the facility over energy of the devices.
    """
    return hashprice / (24.0 * efficiency_j_per_th * pue)


def month_bounds_s(month: str) -> tuple[int, int]:
    """Return start and end [s, unix] of a month "YYYY-MM" of 2000 to 2099 in UTC; raise InputError for other texts."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
        raise InputError.at("month", expected="YYYY-MM of 2000 to 2099", got=month)
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    following = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
    return int(start.timestamp()), int(following.timestamp())


def _not_negative(key: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"mining: {key}: expected a finite number of 0 or more, got {value!r}")
