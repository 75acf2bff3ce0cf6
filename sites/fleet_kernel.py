"""Scenarios of one site's year, eight at a time, compiled; imported only where a fleet is run (it imports Numba).

Hours whose blocks cannot get into each other's way are added up block by block, with the sums in registers; the others
(a full interconnect, contracted power, curtailment credits, a demand charge) go through the whole merit order. Which
hour is which depends on the site alone, so a scenario's sums never depend on the scenarios beside it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sites.dispatch_kernel import IDLE, MINING, ON_DEMAND, SLA
from sites.vectors import LANES, any_above, if_above, if_at_least, larger, load, smaller, splat, store

# Columns of a table's hours, then four for each block.
SPOT, ADDER, CREDIT, RESALE_OVER_SPOT, LIMIT = range(5)
HOUR_COLUMNS = 5
# A block's columns: mining and idle (cap, worth), inference (able, asked, worth, device MW per meter MW).
CAP, WORTH = 0, 1
ABLE, ASKED, PAID, DEVICE = range(4)
BLOCK_COLUMNS = 4
# Sums of a block, and of a site.
METER_MWH, REVENUE_USD, UNITS, SHORT_MWH = range(4)
ROW_SUMS = 4
ENERGY_USD, CHARGE_USD, PENALTY_USD, FORGONE_USD = range(4)
TOTAL_SUMS = 4
# Slots of eight lanes that a block has in the merit order of coupled hours: factors, the hour's own, sums.
WORTH_OF, ABLE_OF, ASKED_OF, UNITS_OF, CAP_NOW, WORTH_NOW, BEFORE_NOW = range(7)
MWH_SUM, MADE_SUM, PASSED_SUM, SHORT_SUM = range(7, 11)
FIRST_SUM, OWN = 7, 11
_INFINITE = np.inf


@njit(cache=True, nogil=True)
def fill_table(how, first_of_month, series, blocks, profiles, offset, table):
    """Write what each hour is before any scenario: prices, limit, and each block's capacity and worth.

    offset: hours since the start of the first year, for ageing and growth. Formulas as dispatch_kernel.rank_hour.
    """
    count = blocks.shape[0]
    for m in range(first_of_month.shape[0] - 1):
        for k in range(count):
            growth = np.exp(blocks[k, 5] * (first_of_month[m] + offset)) if blocks[k, 5] != 0.0 else 1.0
            step = np.exp(blocks[k, 5])
            at = HOUR_COLUMNS + BLOCK_COLUMNS * k
            for t in range(first_of_month[m], first_of_month[m + 1]):
                kind = int(blocks[k, 0])
                if kind == MINING:
                    table[t, at + CAP] = blocks[k, 1] * series[4, t] * series[6, t]
                    reward = series[8, t] + blocks[k, 3] * series[9, t]
                    table[t, at + WORTH] = blocks[k, 2] * growth * reward * (1.0 / series[6, t])
                elif kind == IDLE:
                    table[t, at + CAP] = blocks[k, 1] * series[7, t]
                else:
                    device = 1.0 / series[7, t]
                    asked = blocks[k, 4] * profiles[int(blocks[k, 7]), how[t]] * growth
                    table[t, at + ABLE] = blocks[k, 1] * series[5, t] * series[7, t]
                    table[t, at + ASKED] = asked * series[7, t]
                    table[t, at + PAID] = (blocks[k, 2] + blocks[k, 9]) * device
                    table[t, at + DEVICE] = device
                growth *= step
    for t in range(how.shape[0]):
        table[t, SPOT] = series[0, t]
        table[t, ADDER] = series[1, t]
        table[t, CREDIT] = series[10, t]
        table[t, RESALE_OVER_SPOT] = series[2, t] - series[0, t]
        table[t, LIMIT] = series[3, t]


@njit(cache=True, nogil=True)
def run_tile(table, bounds, blocks, contract_mw, charges, power, worth, able, asked, units, rows, totals):
    """Add up one site-year for a tile of scenarios.

    table: [T, 5 + 4 B], each month's plain hours first. bounds: [M, 3] first hour, first coupled hour, end.
    power: [M, S]; worth, able, asked, units: [B, M, S] factors of a month, block and scenario. S is a multiple of 8.
    rows: [B, 4, S], totals: [4, S], both results.
    """
    count, lanes = blocks.shape[0], power.shape[1]
    widest = 0
    for m in range(bounds.shape[0]):
        widest = max(widest, bounds[m, 2] - bounds[m, 1])
    charged = charges.max() > 0.0
    pieces = np.empty(widest * count * 6 * LANES if charged else LANES)
    own, sums = np.empty(count * OWN * LANES), np.empty(TOTAL_SUMS * LANES)
    kinds = blocks[:, 0].astype(np.int64)
    promised, passes = blocks[:, 6].copy(), blocks[:, 8].copy()
    for m in range(bounds.shape[0]):
        for k in range(count):
            if int(blocks[k, 0]) == IDLE:
                _plain_idle(table, bounds[m], k, power[m], able[k, m], rows[k], totals)
        for g in range(0, lanes, LANES):
            for k in range(count):
                kind = int(blocks[k, 0])
                if kind == MINING:
                    _plain_mining(
                        table, bounds[m], k, power[m], worth[k, m], able[k, m], units[k, m], g, rows[k], totals
                    )
                elif kind != IDLE:
                    _plain_inference(
                        table, bounds[m], k, blocks[k], power[m], worth[k, m], able[k, m], asked[k, m], units[k, m], g,
                        rows[k], totals,
                    )  # fmt: skip
            if bounds[m, 1] < bounds[m, 2]:
                _gather(blocks, worth, able, asked, units, m, g, own)
                price, peak = load(power[m], g), splat(_INFINITE)
                if charges[m] > 0.0:
                    peak = _peak_of_month(
                        table, bounds[m, 1], bounds[m, 2], kinds, promised, passes, contract_mw, charges[m], price, own,
                        pieces,
                    )  # fmt: skip
                _coupled(
                    table, bounds[m, 1], bounds[m, 2], kinds, promised, passes, contract_mw, charges[m], peak,
                    price, own, sums,
                )  # fmt: skip
                _add_coupled(blocks, kinds, own, sums, rows, totals, g)


@njit(cache=True, nogil=True)
def _plain_mining(table, bound, k, power, worth, able, units, g, row, totals):
    at = HOUR_COLUMNS + BLOCK_COLUMNS * k
    price, worth_of, cap_of = load(power, g), load(worth, g), load(able, g)
    none = splat(0.0)
    mwh, gross, energy = none, none, none
    for t in range(bound[0], bound[1]):
        cost = price * table[t, SPOT] + table[t, ADDER]
        drawn = if_above(worth_of * table[t, at + WORTH], cost, cap_of * table[t, at + CAP], none)
        mwh = mwh + drawn
        gross = gross + drawn * table[t, at + WORTH]
        energy = energy + drawn * cost
    store(row[METER_MWH], g, load(row[METER_MWH], g) + mwh)
    store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + gross * worth_of)
    store(row[UNITS], g, load(row[UNITS], g) + gross * load(units, g))
    store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)


@njit(cache=True, nogil=True)
def _plain_idle(table, bound, k, power, able, row, totals):
    # What is drawn whatever happens is a product of sums: no hour has to be looked at for each scenario.
    at = HOUR_COLUMNS + BLOCK_COLUMNS * k
    mwh, spot_usd, adder_usd = 0.0, 0.0, 0.0
    for t in range(bound[0], bound[1]):
        mwh += table[t, at + CAP]
        spot_usd += table[t, at + CAP] * table[t, SPOT]
        adder_usd += table[t, at + CAP] * table[t, ADDER]
    for g in range(0, power.shape[0], LANES):
        cap_of = load(able, g)
        store(row[METER_MWH], g, load(row[METER_MWH], g) + cap_of * mwh)
        energy = cap_of * (load(power, g) * spot_usd + adder_usd)
        store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)


@njit(cache=True, nogil=True)
def _plain_inference(table, bound, k, block, power, worth, able, asked, units, g, row, totals):
    at = HOUR_COLUMNS + BLOCK_COLUMNS * k
    price, worth_of, able_of, asked_of = load(power, g), load(worth, g), load(able, g), load(asked, g)
    none = splat(0.0)
    mwh, device, energy, passed, short = none, none, none, none, none
    promised_frac, passes = block[6], block[8]
    first = int(block[0]) == SLA
    for t in range(bound[0], bound[1]):
        cost = price * table[t, SPOT] + table[t, ADDER]
        can, want = able_of * table[t, at + ABLE], asked_of * table[t, at + ASKED]
        bound_to = want * promised_frac
        cap = smaller(can, bound_to)
        if not first:
            cap = smaller(can, want) - cap
        paid = worth_of * table[t, at + PAID]
        if passes > 0.0:
            paid = paid + cost * passes
        drawn = if_above(paid, cost, cap, none)
        mwh = mwh + drawn
        device = device + drawn * table[t, at + DEVICE]
        energy = energy + drawn * cost
        if passes > 0.0:
            passed = passed + drawn * (cost * passes)
        if first:
            short = short + larger(bound_to - drawn, none) * table[t, at + DEVICE]
    store(row[METER_MWH], g, load(row[METER_MWH], g) + mwh)
    store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + (device * worth_of * block[2] + passed))
    store(row[UNITS], g, load(row[UNITS], g) + device * load(units, g) * block[10])
    store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)
    if first:
        store(row[SHORT_MWH], g, load(row[SHORT_MWH], g) + short)
        store(totals[PENALTY_USD], g, load(totals[PENALTY_USD], g) + short * worth_of * block[9])


@njit(cache=True, nogil=True)
def _gather(blocks, worth, able, asked, units, m, g, own):
    """Copy one month's factors of eight scenarios next to one another, and clear the sums behind them.

    own: for each block OWN slots of eight lanes. One flat array: views of arrays cost atomic counts in inner loops.
    """
    for k in range(blocks.shape[0]):
        here = OWN * LANES * k
        for i in range(LANES):
            own[here + WORTH_OF * LANES + i] = worth[k, m, g + i]
            own[here + ABLE_OF * LANES + i] = able[k, m, g + i]
            own[here + ASKED_OF * LANES + i] = asked[k, m, g + i]
            own[here + UNITS_OF * LANES + i] = units[k, m, g + i]
        for i in range(FIRST_SUM * LANES, OWN * LANES):
            own[here + i] = 0.0


@njit(cache=True, nogil=True)
def _rank(table, t, kinds, promised, passes, cost, own):
    """Write cap, worth and what stands before each block in one hour's merit order; return the idle draw wanted."""
    count = kinds.shape[0]
    none = splat(0.0)
    idle = none
    for k in range(count):
        at = HOUR_COLUMNS + BLOCK_COLUMNS * k
        here = OWN * LANES * k
        kind = kinds[k]
        if kind == MINING:
            store(own, here + CAP_NOW * LANES, load(own, here + ABLE_OF * LANES) * table[t, at + CAP])
            store(own, here + WORTH_NOW * LANES, load(own, here + WORTH_OF * LANES) * table[t, at + WORTH])
        elif kind == IDLE:
            cap = load(own, here + ABLE_OF * LANES) * table[t, at + CAP]
            store(own, here + CAP_NOW * LANES, cap)
            idle = idle + cap
        else:
            can = load(own, here + ABLE_OF * LANES) * table[t, at + ABLE]
            want = load(own, here + ASKED_OF * LANES) * table[t, at + ASKED]
            cap = smaller(can, want * promised[k])
            if kind == ON_DEMAND:
                cap = smaller(can, want) - cap
            store(own, here + CAP_NOW * LANES, cap)
            paid = load(own, here + WORTH_OF * LANES) * table[t, at + PAID]
            if passes[k] > 0.0:
                paid = paid + cost * passes[k]
            store(own, here + WORTH_NOW * LANES, paid)
    start = smaller(idle, splat(table[t, LIMIT]))
    for k in range(count):
        if kinds[k] == IDLE:
            continue
        here = OWN * LANES * k
        cap, mine = load(own, here + CAP_NOW * LANES), load(own, here + WORTH_NOW * LANES)
        before = start
        for j in range(k):
            if kinds[j] == IDLE:
                continue
            there = OWN * LANES * j
            theirs = load(own, there + WORTH_NOW * LANES)
            before = before + if_at_least(theirs, mine, load(own, there + CAP_NOW * LANES), none)
        for j in range(k + 1, count):
            if kinds[j] == IDLE:
                continue
            there = OWN * LANES * j
            theirs = load(own, there + WORTH_NOW * LANES)
            before = before + if_above(theirs, mine, load(own, there + CAP_NOW * LANES), none)
        store(own, here + BEFORE_NOW * LANES, before)
    return idle


@njit(cache=True, nogil=True)
def _coupled(table, first, last, kinds, promised, passes, contract_mw, charge, peak, price, own, sums):
    """Add up the coupled hours of a month; sums: eight lanes each of energy, charge, penalty and forgone credit."""
    count = kinds.shape[0]
    none = splat(0.0)
    contract = splat(contract_mw)
    energy, forgone, seen = none, none, none
    for t in range(first, last):
        spot = price * table[t, SPOT]
        cost = spot + table[t, ADDER]
        resale = larger(spot + table[t, RESALE_OVER_SPOT], none)
        given_up = table[t, ADDER] + table[t, CREDIT]
        near, far = smaller(resale, spot) + given_up, spot + given_up
        limit = splat(table[t, LIMIT])
        room = smaller(limit, peak)
        idle = _rank(table, t, kinds, promised, passes, cost, own)
        start = smaller(idle, limit)
        at_meter = start
        for k in range(count):
            at = HOUR_COLUMNS + BLOCK_COLUMNS * k
            here = OWN * LANES * k
            kind = kinds[k]
            cap = load(own, here + CAP_NOW * LANES)
            if kind == IDLE:
                brown = if_above(idle, limit, start / larger(idle, splat(1e-300)), splat(1.0))
                store(own, here + MWH_SUM * LANES, load(own, here + MWH_SUM * LANES) + cap * brown)
                continue
            mine, before = load(own, here + WORTH_NOW * LANES), load(own, here + BEFORE_NOW * LANES)
            end = smaller(before + cap, room)
            if contract_mw > 0.0:
                within = larger(smaller(end, contract) - before, none)
                beyond = larger(end - larger(before, contract), none)
                drawn = if_above(mine, near, within, none) + if_above(mine, far, beyond, none)
            else:
                drawn = if_above(mine, far, larger(end - before, none), none)
            at_meter = at_meter + drawn
            store(own, here + MWH_SUM * LANES, load(own, here + MWH_SUM * LANES) + drawn)
            made = drawn * table[t, at + (WORTH if kind == MINING else DEVICE)]
            store(own, here + MADE_SUM * LANES, load(own, here + MADE_SUM * LANES) + made)
            if passes[k] > 0.0:
                paid = load(own, here + PASSED_SUM * LANES) + drawn * (cost * passes[k])
                store(own, here + PASSED_SUM * LANES, paid)
            if kind == SLA:
                due = load(own, here + ASKED_OF * LANES) * table[t, at + ASKED] * promised[k]
                short = larger(due - drawn, none) * table[t, at + DEVICE]
                store(own, here + SHORT_SUM * LANES, load(own, here + SHORT_SUM * LANES) + short)
        seen = larger(seen, at_meter)
        energy = energy + at_meter * cost
        if contract_mw > 0.0:
            kept = smaller(at_meter, contract) * larger(spot - resale, none)
            energy = energy - (contract * resale + kept)
        forgone = forgone + at_meter * table[t, CREDIT]
    store(sums, ENERGY_USD * LANES, energy)
    store(sums, CHARGE_USD * LANES, seen * charge)
    store(sums, PENALTY_USD * LANES, none)
    store(sums, FORGONE_USD * LANES, forgone)


@njit(cache=True, nogil=True)
def _add_coupled(blocks, kinds, own, sums, rows, totals, g):
    """Add a month's coupled sums of eight scenarios to the year's."""
    for i in range(LANES):
        for k in range(kinds.shape[0]):
            here = OWN * LANES * k + i
            rows[k, METER_MWH, g + i] += own[here + MWH_SUM * LANES]
            if kinds[k] == IDLE:
                continue
            made = own[here + MADE_SUM * LANES]
            worth_of, units_of = own[here + WORTH_OF * LANES], own[here + UNITS_OF * LANES]
            if kinds[k] == MINING:
                rows[k, REVENUE_USD, g + i] += made * worth_of
                rows[k, UNITS, g + i] += made * units_of
                continue
            rows[k, REVENUE_USD, g + i] += made * worth_of * blocks[k, 2] + own[here + PASSED_SUM * LANES]
            rows[k, UNITS, g + i] += made * units_of * blocks[k, 10]
            short = own[here + SHORT_SUM * LANES]
            rows[k, SHORT_MWH, g + i] += short
            totals[PENALTY_USD, g + i] += short * worth_of * blocks[k, 9]
        for j in range(TOTAL_SUMS):
            totals[j, g + i] += sums[j * LANES + i]


@njit(cache=True, nogil=True)
def _peak_of_month(table, first, last, kinds, promised, passes, contract_mw, charge, price, own, pieces):
    """Draw [MW] at which the month's demand charge equals what one more MW would earn, in each lane.

    The bisection of dispatch_kernel.peak_of_month on eight scenarios at once: each trial moves a bound to a
    breakpoint, so the result is exact. pieces: bottom, top and surplus of each block within and beyond the contract.
    """
    count = kinds.shape[0]
    none = splat(0.0)
    contract = splat(contract_mw)
    low, high = none, none
    number = 0
    for t in range(first, last):
        spot = price * table[t, SPOT]
        resale = larger(spot + table[t, RESALE_OVER_SPOT], none)
        given_up = table[t, ADDER] + table[t, CREDIT]
        near, far = smaller(resale, spot) + given_up, spot + given_up
        limit = splat(table[t, LIMIT])
        idle = _rank(table, t, kinds, promised, passes, spot + table[t, ADDER], own)
        low = larger(low, smaller(idle, limit))
        for k in range(count):
            if kinds[k] == IDLE:
                continue
            here = OWN * LANES * k
            cap, mine = load(own, here + CAP_NOW * LANES), load(own, here + WORTH_NOW * LANES)
            before = load(own, here + BEFORE_NOW * LANES)
            end = smaller(before + cap, limit)
            for beyond in range(2):
                if beyond == 0:
                    if contract_mw <= 0.0:
                        continue
                    surplus, bottom, top = mine - near, before, smaller(end, contract)
                else:
                    surplus, bottom, top = mine - far, larger(before, contract), end
                top = if_above(surplus, none, top, none)
                top = if_above(top, bottom, top, none)  # a piece that nobody wants, or an empty one, ends at 0
                store(pieces, number, bottom)
                store(pieces, number + LANES, top)
                store(pieces, number + 2 * LANES, surplus)
                number += 3 * LANES
                high = larger(high, top)
    while any_above(high, low):
        trial = (low + high) * 0.5
        trial = if_at_least(trial, high, low, trial)
        slope, below, above = none, low, high
        for i in range(0, number, 3 * LANES):
            bottom, top, surplus = load(pieces, i), load(pieces, i + LANES), load(pieces, i + 2 * LANES)
            # Of a piece that holds the trial count surplus, bottom and top; of one that ends below it, the top.
            started = if_at_least(trial, bottom, top, none)
            inside_top = if_above(top, trial, started, none)
            slope = slope + if_above(inside_top, none, surplus, none)
            above = smaller(above, if_above(inside_top, none, top, above))
            below = larger(below, if_at_least(trial, top, top, if_above(inside_top, none, bottom, none)))
        moving = if_above(high, low, splat(1.0), none)
        up = if_above(slope, splat(charge), moving, none)
        low = if_above(up, none, above, low)
        high = if_above(moving - up, none, below, high)
    return larger(low, high)
