"""The order in which the blocks of one hour draw power, compiled (it imports Numba)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sites.dispatch.columns import BLOCK, HOUR, IDLE, MINING, SLA
from sites.jit import site_njit, site_njit_inlined


class Work(NamedTuple):
    """Arrays of shape [B] that hold one hour of a month, overwritten by the next hour."""

    cap: np.ndarray  # [MW meter]
    ratio: np.ndarray  # device MW per meter MW
    worth: np.ndarray  # [USD/MWh meter]
    asked: np.ndarray  # [MW device]
    drawn: np.ndarray  # [MW meter]
    growth: np.ndarray  # factor since the first hour of the year
    step: np.ndarray  # factor of one hour
    kind: np.ndarray  # kinds of block, as whole numbers
    order: np.ndarray  # blocks other than idle, the most worth first


@site_njit
def work_arrays(count):
    """Return the arrays that one month of `count` blocks is worked out in."""
    return Work(
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )


@site_njit_inlined
def rank_hour(t, problem, work, waiting):
    """Fill cap, ratio, worth and asked of one hour; sort order by worth; return the idle draw [MW meter].

    order holds the blocks other than idle in the order of the hour before, which is nearly this one's.
    """
    series, blocks, profiles, kinds = problem.series, problem.blocks, problem.profiles, work.kind
    cap, ratio, worth, asked, growth, order = work.cap, work.ratio, work.worth, work.asked, work.growth, work.order
    idle = 0.0
    per_mining, per_gpu = series[HOUR.mining_meter_per_device, t], series[HOUR.gpu_meter_per_device, t]
    device_mining, device_gpu = 1.0 / per_mining, 1.0 / per_gpu
    subsidy, fees = series[HOUR.subsidy_usd_per_hash, t], series[HOUR.fees_usd_per_hash, t]
    energy_usd = series[HOUR.spot_usd_per_mwh, t] + series[HOUR.adder_usd_per_mwh, t]
    hour = problem.how[t]
    for k in range(kinds.shape[0]):
        kind = kinds[k]
        if kind == MINING:
            cap[k] = blocks[k, BLOCK.capacity_mw] * series[HOUR.mining_capacity_frac, t] * per_mining
            ratio[k] = device_mining
            reward = subsidy + blocks[k, BLOCK.pays_fees] * fees
            worth[k] = blocks[k, BLOCK.worth] * growth[k] * reward * device_mining
            continue
        ratio[k] = device_gpu
        if kind == IDLE:
            cap[k] = blocks[k, BLOCK.capacity_mw] * per_gpu
            idle += cap[k]
            continue
        able = blocks[k, BLOCK.capacity_mw] * series[HOUR.gpu_capacity_frac, t]
        asked[k] = blocks[k, BLOCK.demand_mw] * profiles[int(blocks[k, BLOCK.profile]), hour] * growth[k]
        promised = min(able, blocks[k, BLOCK.promised_frac] * asked[k])
        paid = blocks[k, BLOCK.worth] * device_gpu + blocks[k, BLOCK.passes_energy] * energy_usd
        if kind == SLA:
            cap[k] = promised * per_gpu
            worth[k] = paid + blocks[k, BLOCK.penalty_usd_per_mwh] * device_gpu
        else:
            cap[k] = (min(able, asked[k]) - promised) * per_gpu
            worth[k] = paid
    for i in range(1, waiting):
        k = order[i]
        w = worth[k]
        j = i
        while j > 0 and worth[order[j - 1]] < w:
            order[j] = order[j - 1]
            j -= 1
        order[j] = k
    return idle


@site_njit
def begin(first, blocks, work):
    """Set growth at hour `first` and its factor per hour; list the blocks other than idle; return their number."""
    waiting = 0
    for k in range(blocks.shape[0]):
        log_growth = blocks[k, BLOCK.growth_log_per_hour]
        work.growth[k] = np.exp(log_growth * first) if log_growth != 0.0 else 1.0
        work.step[k] = np.exp(log_growth)
        work.kind[k] = int(blocks[k, BLOCK.kind])
        if work.kind[k] != IDLE:
            work.order[waiting] = k
            waiting += 1
    return waiting
