"""The order in which the blocks of one hour draw power, compiled (it imports Numba)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sites.dispatch.columns import ABSENT, BLOCK, FULL, GRID, IDLE, MINING, PRICE
from sites.dispatch.formulas import asked_mw, capacity_mw, passed_usd_per_mwh, worth_usd_per_mwh
from sites.dispatch.kernels.compiled_formulas import block_of, hour_of
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
    why: np.ndarray  # reasons
    order: np.ndarray  # blocks other than idle, the most worth first


@site_njit
def work_arrays(count):
    """Return the scratch arrays of `count` blocks."""
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
        np.empty(count, np.int64),
    )


@site_njit_inlined
def price_over_mean(paths, path, t):
    """Return the price of a block's work in an hour over its mean; `path` is its column BLOCK.price_path."""
    return paths[int(path) - 1, t] if path > 0.0 else 1.0


@site_njit_inlined
def rank_hour(t, problem, work, waiting):
    """Fill cap, ratio, worth and asked of one hour; sort order by worth; return the idle draw [MW meter].

    order holds the blocks other than idle in the order of the hour before, which is nearly this one's.
    """
    series, blocks, profiles, paths = problem.series, problem.blocks, problem.profiles, problem.price_paths
    cap, ratio, worth, asked, growth, order = work.cap, work.ratio, work.worth, work.asked, work.growth, work.order
    hour = hour_of(series, t)
    device_mining, device_gpu = 1.0 / hour.mining_meter_per_device, 1.0 / hour.gpu_meter_per_device
    week_hour = problem.how[t]
    idle = 0.0
    for k in range(blocks.shape[0]):
        block = block_of(blocks, k)
        if block.kind == MINING:
            cap[k] = capacity_mw(block, hour, 0.0) * hour.mining_meter_per_device
            ratio[k] = device_mining
            worth[k] = worth_usd_per_mwh(block, hour, growth[k], 1.0) * device_mining
            continue
        ratio[k] = device_gpu
        if block.kind == IDLE:
            cap[k] = capacity_mw(block, hour, 0.0) * hour.gpu_meter_per_device
            idle += cap[k]
            continue
        asked[k] = asked_mw(block, profiles[int(block.profile), week_hour], growth[k])
        cap[k] = capacity_mw(block, hour, asked[k]) * hour.gpu_meter_per_device
        over_mean = price_over_mean(paths, block.price_path, t)
        worth[k] = worth_usd_per_mwh(block, hour, growth[k], over_mean) * device_gpu + passed_usd_per_mwh(block, hour)
    sort_by_worth(order, worth, waiting)
    return idle


@site_njit_inlined
def sort_by_worth(order, worth, waiting):
    """Sort the first entries of order by falling worth; blocks of equal worth keep their order."""
    for i in range(1, waiting):
        k = order[i]
        w = worth[k]
        j = i
        while j > 0 and worth[order[j - 1]] < w:
            order[j] = order[j - 1]
            j -= 1
        order[j] = k


@site_njit_inlined
def fill_hour(near, far, contract_mw, room, at, unwanted, waiting, work):
    """Let the blocks other than idle draw in the order of worth; return the power at the meter [MW].

    Parameters
    ----------
    near, far
        Prices of power within the contract and beyond it [USD/MWh meter]: a block draws where its worth is above.
    room, at
        Power [MW meter] that may be drawn, and what idle blocks draw before the others.
    unwanted
        Reason of a block whose worth is not above `near`.
    waiting
        Number of blocks in work.order.
    work
        cap and worth are read in the order of work.order; drawn and why are written.
    """
    cap, worth, drawn, why, order = work.cap, work.worth, work.drawn, work.why, work.order
    for j in range(waiting):
        k = order[j]
        drawn[k] = 0.0
        left = cap[k]
        why[k] = FULL if left > 0.0 else ABSENT
        if left > 0.0 and at < contract_mw:
            if worth[k] <= near:
                why[k] = unwanted
                left = 0.0
            else:
                part = min(left, contract_mw - at, max(room - at, 0.0))
                drawn[k] += part
                at += part
                left -= part
        if left > 0.0 and at >= contract_mw:
            if worth[k] <= far:
                why[k] = PRICE
                left = 0.0
            else:
                part = min(left, max(room - at, 0.0))
                drawn[k] += part
                at += part
                left -= part
        if left > 0.0 and why[k] == FULL:
            why[k] = GRID
    return at


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
