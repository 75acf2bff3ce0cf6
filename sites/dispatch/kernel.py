"""The merit order of a whole year, compiled; imported only where a year is dispatched (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit

# Kinds of block.
MINING, IDLE, SLA, ON_DEMAND = 0, 1, 2, 3
# Reasons, one per hour and block.
FULL, PRICE, GRID, EVENT, OUTAGE, PEAK, RESALE, ABSENT, WAITS = range(9)
# Columns of the yearly sums of a block.
DEVICE_MWH, METER_MWH, REVENUE_USD, ENERGY_USD, SHORT_MWH, UNITS = 0, 1, 2, 3, 4, 5
BLOCK_SUMS = 6
# Entries of the yearly sums of a site.
BOUGHT_MWH, BOUGHT_USD, SOLD_MWH, SOLD_USD, ADDER_USD, PENALTY_USD, DRAWN_MWH, RESALE_HOURS, FORGONE_USD = range(9)
SITE_SUMS = 9
_INFINITE = np.inf


@site_njit
def rank_hour(t, how, series, blocks, kinds, profiles, growth, cap, ratio, worth, asked, order, waiting):
    """Fill cap [MW meter], ratio [device per meter], worth [USD/meter MWh], asked [MW device]; sort order by worth.

    order holds the blocks other than idle in the order of the hour before, which is nearly this one's. Returns the
    idle draw [MW meter].
    """
    idle = 0.0
    per_mining, per_gpu = series[6, t], series[7, t]
    device_mining, device_gpu = 1.0 / per_mining, 1.0 / per_gpu
    subsidy, fees = series[8, t], series[9, t]
    energy_usd = series[0, t] + series[1, t]
    hour = how[t]
    for k in range(kinds.shape[0]):
        kind = kinds[k]
        if kind == MINING:
            cap[k] = blocks[k, 1] * series[4, t] * per_mining
            ratio[k] = device_mining
            worth[k] = blocks[k, 2] * growth[k] * (subsidy + blocks[k, 3] * fees) * device_mining
            continue
        ratio[k] = device_gpu
        if kind == IDLE:
            cap[k] = blocks[k, 1] * per_gpu
            idle += cap[k]
            continue
        able = blocks[k, 1] * series[5, t]
        asked[k] = blocks[k, 4] * profiles[int(blocks[k, 7]), hour] * growth[k]
        promised = min(able, blocks[k, 6] * asked[k])
        paid = blocks[k, 2] * device_gpu + blocks[k, 8] * energy_usd
        if kind == SLA:
            cap[k] = promised * per_gpu
            worth[k] = paid + blocks[k, 9] * device_gpu
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
def begin(first, blocks, kinds, growth, step, order):
    """Set growth at hour `first` and its factor per hour; list the blocks other than idle; return their number."""
    waiting = 0
    for k in range(kinds.shape[0]):
        growth[k] = np.exp(blocks[k, 5] * first) if blocks[k, 5] != 0.0 else 1.0
        step[k] = np.exp(blocks[k, 5])
        if kinds[k] != IDLE:
            order[waiting] = k
            waiting += 1
    return waiting


@site_njit
def steps_of_hour(idle, near, far, contract_mw, limit, waiting, cap, worth, order, level, surplus):
    """Write the steps of one hour's surplus over draw, up to its limit; return how many.

    level[j]: [MW meter] where step j ends. surplus[j]: [USD/MWh] what one more MWh earns within it, above 0.
    """
    at = idle
    steps = 0
    for j in range(waiting):
        k = order[j]
        left = cap[k]
        if left > 0.0 and at < contract_mw:
            if worth[k] <= near or at >= limit:
                break
            part = min(left, contract_mw - at)
            at += part
            left -= part
            level[steps], surplus[steps] = min(at, limit), worth[k] - near
            steps += 1
        if left > 0.0 and at >= contract_mw:
            if worth[k] <= far or at >= limit:
                break
            at += left
            level[steps], surplus[steps] = min(at, limit), worth[k] - far
            steps += 1
    return steps


@site_njit
def peak_of_month(first, last, how, series, blocks, kinds, profiles, contract_mw, charge_usd_per_mw):
    """Draw [MW] at which a month's demand charge equals what one more MW would earn in it.

    The surplus is concave and piecewise linear in the cap, so its slope is bisected; each trial moves a bound to a
    breakpoint, hence the result is exact.
    """
    count = kinds.shape[0]
    hours = last - first
    level, surplus = np.empty((hours, count + 1)), np.empty((hours, count + 1))
    number, passed = np.empty(hours, np.int64), np.zeros(hours, np.int64)
    start = np.empty(hours)
    cap, ratio, worth, asked = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    growth, step = np.empty(count), np.empty(count)
    order = np.empty(count, np.int64)
    waiting = begin(first, blocks, kinds, growth, step, order)
    low, high = 0.0, 0.0
    for h in range(hours):
        t = first + h
        idle = rank_hour(t, how, series, blocks, kinds, profiles, growth, cap, ratio, worth, asked, order, waiting)
        for k in range(count):
            growth[k] *= step[k]
        given_up = series[1, t] + series[10, t]
        far, near = series[0, t] + given_up, min(max(series[2, t], 0.0), series[0, t]) + given_up
        limit = series[3, t]
        steps = steps_of_hour(idle, near, far, contract_mw, limit, waiting, cap, worth, order, level[h], surplus[h])
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


@site_njit
def dispatch_year(
    how, month, series, blocks, profiles, contract_mw, contract_usd, charges, event, peaks, sums, totals, mw, why, price
):
    """Dispatch every hour, add up the year, and write the hours out where arrays for them are given.

    Arguments as in merit_order.Problem; peaks[M], sums[B, 6], totals[9] are results, and so are mw[T, B],
    why[T, B] and price[T] unless they are empty.
    """
    count = blocks.shape[0]
    hours = how.shape[0]
    detail = mw.shape[0] == hours
    kinds = np.empty(count, np.int64)
    for k in range(count):
        kinds[k] = int(blocks[k, 0])
    cap, ratio, worth, asked = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    growth, step = np.empty(count), np.empty(count)
    order = np.empty(count, np.int64)
    drawn = np.empty(count)
    first = 0
    while first < hours:
        last = first
        while last < hours and month[last] == month[first]:
            last += 1
        charge = charges[month[first]]
        peak = _INFINITE
        if charge > 0.0:
            peak = peak_of_month(first, last, how, series, blocks, kinds, profiles, contract_mw, charge)
        seen = 0.0
        waiting = begin(first, blocks, kinds, growth, step, order)
        for t in range(first, last):
            spot, adder, limit = series[0, t], series[1, t], series[3, t]
            resale = max(series[2, t], 0.0)  # what would cost something to resell is left untaken
            idle = rank_hour(t, how, series, blocks, kinds, profiles, growth, cap, ratio, worth, asked, order, waiting)
            given_up = adder + series[10, t]
            near, far = min(resale, spot) + given_up, spot + given_up
            room = min(limit, peak)
            brown = 1.0 if idle <= limit else limit / idle
            at = idle * brown
            for j in range(waiting):
                k = order[j]
                drawn[k] = 0.0
                left = cap[k]
                code = FULL if left > 0.0 else ABSENT
                if left > 0.0 and at < contract_mw:
                    if worth[k] <= near:
                        code = RESALE if 0.0 < resale <= spot else PRICE
                        left = 0.0
                    else:
                        part = min(left, contract_mw - at, max(room - at, 0.0))
                        drawn[k] += part
                        at += part
                        left -= part
                if left > 0.0 and at >= contract_mw:
                    if worth[k] <= far:
                        code = PRICE
                        left = 0.0
                    else:
                        part = min(left, max(room - at, 0.0))
                        drawn[k] += part
                        at += part
                        left -= part
                if detail:
                    if left > 0.0 and code == FULL:
                        code = (
                            PEAK if peak < limit else (GRID if event[t] == 0 else (EVENT if event[t] == 1 else OUTAGE))
                        )
                    why[t, k] = code
            bought, sold = max(at - contract_mw, 0.0), max(contract_mw - at, 0.0)
            if resale > spot and contract_mw > 0.0:
                bought, sold = at, contract_mw
            seen = max(seen, at)
            totals[BOUGHT_MWH] += bought
            totals[BOUGHT_USD] += bought * spot
            if resale == 0.0:
                sold = 0.0
            totals[SOLD_MWH] += sold
            totals[SOLD_USD] += sold * resale
            totals[ADDER_USD] += adder * at
            totals[FORGONE_USD] += series[10, t] * at
            totals[DRAWN_MWH] += at
            if sold > 0.0:
                totals[RESALE_HOURS] += 1.0
            within = at - bought
            mean_usd = (within * contract_usd + (at - within) * spot) / at + adder if at > 0.0 else 0.0
            if detail:
                price[t] = near if at < contract_mw else far
            for k in range(count):
                kind = kinds[k]
                if kind == IDLE:
                    drawn[k] = cap[k] * brown
                    if detail:
                        why[t, k] = WAITS if brown == 1.0 else (OUTAGE if event[t] == 2 else GRID)
                device = drawn[k] * ratio[k]
                if kind == SLA:
                    promised = blocks[k, 6] * asked[k]
                    short = promised - device
                    short = short if short > 1e-12 * promised else 0.0  # less is rounding of PUE and its inverse
                    sums[k, SHORT_MWH] += short
                    totals[PENALTY_USD] += short * blocks[k, 9]
                if device > 0.0:
                    sums[k, DEVICE_MWH] += device
                    sums[k, METER_MWH] += drawn[k]
                    sums[k, ENERGY_USD] += drawn[k] * mean_usd
                    if kind == MINING:
                        sums[k, REVENUE_USD] += worth[k] * drawn[k]
                        sums[k, UNITS] += device * blocks[k, 10] * growth[k]
                    elif kind != IDLE:
                        sums[k, REVENUE_USD] += blocks[k, 2] * device + blocks[k, 8] * (spot + adder) * drawn[k]
                        sums[k, UNITS] += device * blocks[k, 10]
                growth[k] *= step[k]
                if detail:
                    mw[t, k] = device
        peaks[month[first]] = max(peaks[month[first]], seen)
        first = last
