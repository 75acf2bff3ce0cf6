"""The merit order of a whole year, compiled; imported only where a year is dispatched (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.dispatch.columns import (
    ABSENT,
    BLOCK,
    CURTAILED,
    EVENT,
    FULL,
    GRID,
    HOUR,
    IDLE,
    MINING,
    NO_EVENT,
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
from sites.dispatch.peak import peak_of_month
from sites.dispatch.ranking import begin, rank_hour, work_arrays
from sites.jit import site_njit

_INFINITE = np.inf


@site_njit
def dispatch_year(problem, peaks, sums, detail):
    """Dispatch every hour, add up the year, and write the hours out where there are arrays for them.

    peaks [M], sums (columns.BlockSums) and detail (columns.HourDetail) are written to; returns columns.SiteTotals.
    """
    series, blocks = problem.series, problem.blocks
    month, event, contract_mw = problem.month, problem.event, problem.contract_mw
    mw, why, price = detail.mw, detail.why, detail.price_usd_per_mwh
    count = blocks.shape[0]
    hours = month.shape[0]
    detailed = mw.shape[0] == hours
    work = work_arrays(count)
    cap, ratio, worth, asked, drawn = work.cap, work.ratio, work.worth, work.asked, work.drawn
    growth, step, order, kinds = work.growth, work.step, work.order, work.kind
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
            spot, adder = series[HOUR.spot_usd_per_mwh, t], series[HOUR.adder_usd_per_mwh, t]
            credit, limit = series[HOUR.credit_usd_per_mwh, t], series[HOUR.limit_mw, t]
            resale = max(series[HOUR.resale_usd_per_mwh, t], 0.0)  # what would cost something to resell is left untaken
            idle = rank_hour(t, problem, work, waiting)
            given_up = adder + credit
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
                if detailed:
                    if left > 0.0 and code == FULL:
                        code = (
                            PEAK
                            if peak < limit
                            else (GRID if event[t] == NO_EVENT else (EVENT if event[t] == CURTAILED else OUTAGE))
                        )
                    why[t, k] = code
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
            forgone_usd += credit * at
            drawn_mwh += at
            if sold > 0.0:
                resale_hours += 1
            within = at - bought
            mean_usd = (within * problem.contract_usd_per_mwh + (at - within) * spot) / at + adder if at > 0.0 else 0.0
            if detailed:
                price[t] = near if at < contract_mw else far
            for k in range(count):
                kind = kinds[k]
                if kind == IDLE:
                    drawn[k] = cap[k] * brown
                    if detailed:
                        why[t, k] = WAITS if brown == 1.0 else (OUTAGE if event[t] == OUT else GRID)
                device = drawn[k] * ratio[k]
                if kind == SLA:
                    promised = blocks[k, BLOCK.promised_frac] * asked[k]
                    short = promised - device
                    short = short if short > 1e-12 * promised else 0.0  # less is rounding of PUE and its inverse
                    sums[k, SUM.short_mwh] += short
                    penalty_usd += short * blocks[k, BLOCK.penalty_usd_per_mwh]
                if device > 0.0:
                    sums[k, SUM.device_mwh] += device
                    sums[k, SUM.meter_mwh] += drawn[k]
                    sums[k, SUM.energy_usd] += drawn[k] * mean_usd
                    if kind == MINING:
                        sums[k, SUM.revenue_usd] += worth[k] * drawn[k]
                        sums[k, SUM.units] += device * blocks[k, BLOCK.units_per_mwh] * growth[k]
                    elif kind != IDLE:
                        passed = blocks[k, BLOCK.passes_energy] * (spot + adder) * drawn[k]
                        sums[k, SUM.revenue_usd] += blocks[k, BLOCK.worth] * device + passed
                        sums[k, SUM.units] += device * blocks[k, BLOCK.units_per_mwh]
                growth[k] *= step[k]
                if detailed:
                    mw[t, k] = device
        peaks[month[first]] = max(peaks[month[first]], seen)
        first = last
    return SiteTotals(
        bought_mwh, bought_usd, sold_mwh, sold_usd, adder_usd, forgone_usd, penalty_usd, drawn_mwh, resale_hours
    )
