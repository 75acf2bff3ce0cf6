"""The monthly peak that a demand charge pays for, compiled (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.dispatch.formulas import power_prices, resale_price
from sites.dispatch.kernels.compiled_formulas import hour_of
from sites.dispatch.kernels.ranking import begin, rank_hour, work_arrays
from sites.jit import site_njit, site_njit_inlined


@site_njit_inlined
def steps_of_hour(idle, near, far, contract_mw, limit, waiting, work, level, surplus):
    """Write the steps of one hour's surplus over draw, up to its limit; return how many.

    Parameters
    ----------
    idle, limit
        Power that idle blocks draw, and that may be drawn [MW meter].
    near, far
        Prices of power within the contract and beyond it [USD/MWh meter].
    level
        Result: power at the end of each step [MW meter].
    surplus
        Result: earnings of one more MWh within each step [USD/MWh meter], above 0.
    """
    cap, worth_of, order = work.cap, work.worth, work.order
    at = idle
    steps = 0
    for j in range(waiting):
        k = order[j]
        left, worth = cap[k], worth_of[k]
        if left > 0.0 and at < contract_mw:
            if worth <= near or at >= limit:
                break
            part = min(left, contract_mw - at)
            at += part
            left -= part
            level[steps], surplus[steps] = min(at, limit), worth - near
            steps += 1
        if left > 0.0 and at >= contract_mw:
            if worth <= far or at >= limit:
                break
            at += left
            level[steps], surplus[steps] = min(at, limit), worth - far
            steps += 1
    return steps


@site_njit
def peak_of_month(first, last, problem, charge_usd_per_mw):
    """Return the draw [MW] at which a month's demand charge equals what one more MW would earn in it.

    The surplus is concave and piecewise linear in the cap, so its slope is bisected; each trial moves a bound to a
    breakpoint, hence the result is exact.
    """
    series, count = problem.series, problem.blocks.shape[0]
    hours = last - first
    level, surplus = np.empty((hours, count + 1)), np.empty((hours, count + 1))
    number, passed = np.empty(hours, np.int64), np.zeros(hours, np.int64)
    start = np.empty(hours)
    work = work_arrays(count)
    growth, step = work.growth, work.step
    contract_mw = problem.contract_mw
    waiting = begin(first, problem.blocks, work)
    low, high = 0.0, 0.0
    for h in range(hours):
        t = first + h
        idle = rank_hour(t, problem, work, waiting)
        for k in range(count):
            growth[k] *= step[k]
        hour = hour_of(series, t)
        limit = hour.limit_mw
        resale = resale_price(hour.resale_usd_per_mwh)
        near, far = power_prices(hour.spot_usd_per_mwh, resale, hour.adder_usd_per_mwh, hour.credit_usd_per_mwh)
        steps = steps_of_hour(idle, near, far, contract_mw, limit, waiting, work, level[h], surplus[h])
        number[h], start[h] = steps, min(idle, limit)
        low = max(low, start[h])
        if steps > 0:
            high = max(high, level[h, steps - 1])
    while low < high:
        trial = 0.5 * (low + high)
        if trial >= high:
            trial = low
        slope, below, above = 0.0, low, high
        for h in range(hours):
            j = passed[h]
            while j < number[h] and level[h, j] <= low:
                j += 1
            passed[h] = j
            bottom = level[h, j - 1] if j > 0 else start[h]
            while j < number[h] and level[h, j] <= trial:
                bottom = level[h, j]
                j += 1
            below = max(below, bottom)
            if j < number[h]:
                slope += surplus[h, j]
                above = min(above, level[h, j])
        if slope > charge_usd_per_mw:
            low = above
        else:
            high = below
    return max(low, high)
