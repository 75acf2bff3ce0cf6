"""The merit order of a whole year, with the monthly peaks that demand charges pay for, compiled (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.dispatch.columns import (
    BLOCK,
    CURTAILED,
    EVENT,
    GRID,
    IDLE,
    MINING,
    OUT,
    OUTAGE,
    PEAK,
    PRICE,
    RESALE,
    SLA,
    SUM,
    WAITS,
    SiteTotals,
)
from sites.dispatch.formulas import able_mw, owed_mw, power_prices, resale_price
from sites.dispatch.kernels.compiled_formulas import block_of, hour_of
from sites.dispatch.kernels.ranking import begin, fill_hour, price_over_mean, rank_hour, sort_by_worth, work_arrays
from sites.jit import site_njit, site_njit_inlined

_INFINITE = np.inf


@site_njit
def dispatch_year(problem, peaks, sums, detail, load):
    """Dispatch every hour and return the year's totals of the site, columns.SiteTotals.

    Parameters
    ----------
    problem
        merit_order.Problem.
    peaks
        Result: each month's peak [MW meter], shape [M].
    sums
        Result: sums of each block, columns as columns.BlockSums, shape [B, 6].
    detail
        Result: columns.HourDetail; left alone if its arrays are empty.
    load
        Result: columns.HourLoad, with empty arrays if the site has no programme.
    """
    load_limit, paid = problem.programme.load_limit_mw, problem.programme.credit_usd_per_mwh
    drawn_mw, load_mw, fixed_mw = load.drawn_mw, load.load_mw, load.fixed_mw
    enrolled = load_limit.shape[0] > 0
    series, blocks, paths = problem.series, problem.blocks, problem.price_paths
    month, event, contract_mw = problem.month, problem.event, problem.contract_mw
    mw, why, price = detail.mw, detail.why, detail.price_usd_per_mwh
    count = blocks.shape[0]
    hours = month.shape[0]
    detailed = mw.shape[0] == hours
    work = work_arrays(count)
    cap, ratio, worth, asked, drawn = work.cap, work.ratio, work.worth, work.asked, work.drawn
    growth, step, reason, kinds = work.growth, work.step, work.why, work.kind
    bought_mwh, bought_usd, sold_mwh, sold_usd, adder_usd = 0.0, 0.0, 0.0, 0.0, 0.0
    forgone_usd, penalty_usd, drawn_mwh, resale_hours = 0.0, 0.0, 0.0, 0
    first = 0
    while first < hours:
        last = first
        while last < hours and month[last] == month[first]:
            last += 1
        charge = problem.charges_usd_per_mw[month[first]]
        peak = _INFINITE
        if charge > 0.0:
            peak = peak_of_month(first, last, problem, charge)
        seen = 0.0
        waiting = begin(first, blocks, work)
        for t in range(first, last):
            hour = hour_of(series, t)
            spot, adder, forgone, limit = (
                hour.spot_usd_per_mwh,
                hour.adder_usd_per_mwh,
                hour.forgone_usd_per_mwh,
                hour.limit_mw,
            )
            resale = resale_price(hour.resale_usd_per_mwh)
            near, far = power_prices(spot, resale, adder, forgone)
            idle = rank_hour(t, problem, work, waiting)
            room = min(limit, peak)
            brown = 1.0 if idle <= limit else limit / idle
            unwanted = RESALE if 0.0 < resale <= spot else PRICE
            if enrolled:
                without = power_prices(spot, resale, adder, forgone - paid[t])
                fixed = min(idle, load_limit[t])
                fixed_mw[t] = fixed
                load_mw[t] = fill_hour(
                    without[0], without[1], contract_mw, min(load_limit[t], peak), fixed, unwanted, waiting, work
                )
                for k in range(count):
                    if blocks[k, BLOCK.is_firm] > 0.0:
                        fixed_mw[t] += drawn[k]
            at = fill_hour(near, far, contract_mw, room, idle * brown, unwanted, waiting, work)
            if enrolled:
                drawn_mw[t] = at
            bought, sold = max(at - contract_mw, 0.0), max(contract_mw - at, 0.0)
            if resale > spot and contract_mw > 0.0:
                bought, sold = at, contract_mw
            seen = max(seen, at)
            bought_mwh += bought
            bought_usd += bought * spot
            if resale == 0.0:
                sold = 0.0
            sold_mwh += sold
            sold_usd += sold * resale
            adder_usd += adder * at
            forgone_usd += forgone * at
            drawn_mwh += at
            if sold > 0.0:
                resale_hours += 1
            within = at - bought
            mean_usd = (within * problem.contract_usd_per_mwh + (at - within) * spot) / at + adder if at > 0.0 else 0.0
            full = GRID
            if detailed:
                price[t] = near if at < contract_mw else far
                bound = EVENT if event[t] == CURTAILED else OUTAGE if event[t] == OUT else GRID
                full = PEAK if peak < limit else bound
            for k in range(count):
                kind = kinds[k]
                if kind == IDLE:
                    drawn[k] = cap[k] * brown
                    if detailed:
                        why[t, k] = WAITS if brown == 1.0 else (OUTAGE if event[t] == OUT else GRID)
                elif detailed:
                    why[t, k] = full if reason[k] == GRID else reason[k]
                device = drawn[k] * ratio[k]
                if kind == SLA:
                    block = block_of(blocks, k)
                    promised = owed_mw(
                        able_mw(block, hour), block.promised_frac * asked[k], block.better_frac, block.has_next
                    )
                    short = promised - device
                    short = short if short > 1e-12 * promised else 0.0  # less is rounding of PUE and its inverse
                    sums[k, SUM.short_mwh] += short
                    over_mean = price_over_mean(paths, block.price_path, t)
                    penalty_usd += short * block.penalty_usd_per_mwh * over_mean
                if device > 0.0:
                    sums[k, SUM.device_mwh] += device
                    sums[k, SUM.meter_mwh] += drawn[k]
                    sums[k, SUM.energy_usd] += drawn[k] * mean_usd
                    if kind == MINING:
                        sums[k, SUM.revenue_usd] += worth[k] * drawn[k]
                        sums[k, SUM.units] += device * blocks[k, BLOCK.units_per_mwh] * growth[k]
                    elif kind != IDLE:
                        passed = blocks[k, BLOCK.passes_energy] * (spot + adder) * drawn[k]
                        over_mean = price_over_mean(paths, blocks[k, BLOCK.price_path], t)
                        sums[k, SUM.revenue_usd] += blocks[k, BLOCK.worth] * over_mean * device + passed
                        sums[k, SUM.units] += device * blocks[k, BLOCK.units_per_mwh]
                growth[k] *= step[k]
                if detailed:
                    mw[t, k] = device
        peaks[month[first]] = max(peaks[month[first]], seen)
        first = last
    return SiteTotals(
        bought_mwh, bought_usd, sold_mwh, sold_usd, adder_usd, forgone_usd, penalty_usd, drawn_mwh, resale_hours
    )


@site_njit
def fill_hours(caps, worths, near, far, contract_mw, room, start, drawn):
    """Fill every hour of a year in the order of worth, as dispatch_year does.

    Parameters
    ----------
    caps, worths, drawn
        Power that each block can use and what it draws [MW meter], and its worth [USD/MWh meter], shape [B, T].
    near, far
        Prices of power within the contract and beyond it [USD/MWh meter], shape [T].
    room, start
        Power that may be drawn, and that is drawn before the first block [MW meter], shape [T].
    """
    count, hours = caps.shape
    work = work_arrays(count)
    cap, worth, draw, order = work.cap, work.worth, work.drawn, work.order
    for k in range(count):
        order[k] = k
    for t in range(hours):
        for k in range(count):
            cap[k], worth[k] = caps[k, t], worths[k, t]
        sort_by_worth(order, worth, count)
        fill_hour(near[t], far[t], contract_mw, room[t], start[t], PRICE, count, work)
        for k in range(count):
            drawn[k, t] = draw[k]


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
        near, far = power_prices(hour.spot_usd_per_mwh, resale, hour.adder_usd_per_mwh, hour.forgone_usd_per_mwh)
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
