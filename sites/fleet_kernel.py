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
_INFINITE = np.inf


@njit(cache=True, nogil=True)
def fill_table(how, month, first_of_month, series, blocks, profiles, offset, table):
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
    pieces = np.empty(widest * count * 6 * LANES if charged else 1)
    scratch = np.empty((count * 3 + 1) * LANES)
    for m in range(bounds.shape[0]):
        for g in range(0, lanes, LANES):
            for k in range(count):
                kind = int(blocks[k, 0])
                if kind == MINING:
                    _plain_mining(table, bounds[m], k, power[m], worth[k, m], able[k, m], units[k, m], g, rows[k], totals)
                elif kind == IDLE:
                    _plain_idle(table, bounds[m], k, power[m], able[k, m], g, rows[k], totals)
                else:
                    _plain_inference(
                        table, bounds[m], k, blocks[k], power[m], worth[k, m], able[k, m], asked[k, m], units[k, m], g,
                        rows[k], totals,
                    )  # fmt: skip
            if bounds[m, 1] < bounds[m, 2]:
                peak = splat(_INFINITE)
                if charges[m] > 0.0:
                    peak = _peak_of_month(
                        table, bounds[m], blocks, contract_mw, charges[m], power[m], worth[:, m], able[:, m],
                        asked[:, m], g, scratch, pieces,
                    )  # fmt: skip
                _coupled(
                    table, bounds[m], blocks, contract_mw, charges[m], peak, power[m], worth[:, m], able[:, m],
                    asked[:, m], units[:, m], g, scratch, rows, totals,
                )  # fmt: skip


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
def _plain_idle(table, bound, k, power, able, g, row, totals):
    at = HOUR_COLUMNS + BLOCK_COLUMNS * k
    price, cap_of = load(power, g), load(able, g)
    mwh, energy = splat(0.0), splat(0.0)
    for t in range(bound[0], bound[1]):
        drawn = cap_of * table[t, at + CAP]
        mwh = mwh + drawn
        energy = energy + drawn * (price * table[t, SPOT] + table[t, ADDER])
    store(row[METER_MWH], g, load(row[METER_MWH], g) + mwh)
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
def _rank(table, t, blocks, cost, worth, able, asked, g, scratch):
    """Write cap, worth and what stands before each block in one hour's merit order; return the idle draw wanted.

    scratch: for each block eight lanes each of cap, worth, draw of those before it; idle blocks have no worth.
    """
    count = blocks.shape[0]
    none = splat(0.0)
    idle = none
    for k in range(count):
        at = HOUR_COLUMNS + BLOCK_COLUMNS * k
        here = 3 * LANES * k
        kind = int(blocks[k, 0])
        if kind == MINING:
            store(scratch, here, load(able[k], g) * table[t, at + CAP])
            store(scratch, here + LANES, load(worth[k], g) * table[t, at + WORTH])
        elif kind == IDLE:
            cap = load(able[k], g) * table[t, at + CAP]
            store(scratch, here, cap)
            idle = idle + cap
        else:
            can, want = load(able[k], g) * table[t, at + ABLE], load(asked[k], g) * table[t, at + ASKED]
            cap = smaller(can, want * blocks[k, 6])
            if kind == ON_DEMAND:
                cap = smaller(can, want) - cap
            store(scratch, here, cap)
            paid = load(worth[k], g) * table[t, at + PAID]
            if blocks[k, 8] > 0.0:
                paid = paid + cost * blocks[k, 8]
            store(scratch, here + LANES, paid)
    start = smaller(idle, splat(table[t, LIMIT]))
    for k in range(count):
        store(scratch, 3 * LANES * k + 2 * LANES, start)
    for k in range(1, count):
        if int(blocks[k, 0]) == IDLE:
            continue
        here = 3 * LANES * k
        cap, own = load(scratch, here), load(scratch, here + LANES)
        before = load(scratch, here + 2 * LANES)
        for j in range(k):
            if int(blocks[j, 0]) == IDLE:
                continue
            there = 3 * LANES * j
            theirs = load(scratch, there + LANES)
            before = before + if_at_least(theirs, own, load(scratch, there), none)
            after = if_at_least(theirs, own, none, cap)
            store(scratch, there + 2 * LANES, load(scratch, there + 2 * LANES) + after)
        store(scratch, here + 2 * LANES, before)
    return idle


@njit(cache=True, nogil=True)
def _coupled(
    table, bound, blocks, contract_mw, charge, peak, power, worth, able, asked, units, g, scratch, rows, totals
):
    count = blocks.shape[0]
    none = splat(0.0)
    price = load(power, g)
    contract = splat(contract_mw)
    energy, forgone, penalty, seen = none, none, none, none
    for t in range(bound[1], bound[2]):
        spot = price * table[t, SPOT]
        cost = spot + table[t, ADDER]
        resale = spot + table[t, RESALE_OVER_SPOT]
        given_up = table[t, ADDER] + table[t, CREDIT]
        near, far = smaller(resale, spot) + given_up, spot + given_up
        limit = splat(table[t, LIMIT])
        room = smaller(limit, peak)
        idle = _rank(table, t, blocks, cost, worth, able, asked, g, scratch)
        start = smaller(idle, limit)
        brown = if_above(idle, limit, start / larger(idle, splat(1e-300)), splat(1.0))
        drawn_all = start
        for k in range(count):
            at = HOUR_COLUMNS + BLOCK_COLUMNS * k
            here = 3 * LANES * k
            kind = int(blocks[k, 0])
            cap = load(scratch, here)
            row = rows[k]
            if kind == IDLE:
                store(row[METER_MWH], g, load(row[METER_MWH], g) + cap * brown)
                continue
            own, before = load(scratch, here + LANES), load(scratch, here + 2 * LANES)
            end = smaller(before + cap, room)
            if contract_mw > 0.0:
                within = larger(smaller(end, contract) - before, none)
                beyond = larger(end - larger(before, contract), none)
                drawn = if_above(own, near, within, none) + if_above(own, far, beyond, none)
            else:
                drawn = if_above(own, far, larger(end - before, none), none)
            drawn_all = drawn_all + drawn
            store(row[METER_MWH], g, load(row[METER_MWH], g) + drawn)
            if kind == MINING:
                gross = drawn * table[t, at + WORTH]
                store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + gross * load(worth[k], g))
                store(row[UNITS], g, load(row[UNITS], g) + gross * load(units[k], g))
                continue
            device = drawn * table[t, at + DEVICE]
            paid = device * load(worth[k], g) * blocks[k, 2]
            if blocks[k, 8] > 0.0:
                paid = paid + drawn * (cost * blocks[k, 8])
            store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + paid)
            store(row[UNITS], g, load(row[UNITS], g) + device * load(units[k], g) * blocks[k, 10])
            if kind == SLA:
                promised = load(asked[k], g) * table[t, at + ASKED] * blocks[k, 6]
                short = larger(promised - drawn, none) * table[t, at + DEVICE]
                store(row[SHORT_MWH], g, load(row[SHORT_MWH], g) + short)
                penalty = penalty + short * load(worth[k], g) * blocks[k, 9]
        seen = larger(seen, drawn_all)
        if contract_mw > 0.0 and table[t, RESALE_OVER_SPOT] > 0.0:
            energy = energy + (drawn_all * spot - contract * resale)
        else:
            energy = energy + (larger(drawn_all - contract, none) * spot - larger(contract - drawn_all, none) * resale)
        energy = energy + drawn_all * table[t, ADDER]
        forgone = forgone + drawn_all * table[t, CREDIT]
    store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)
    store(totals[CHARGE_USD], g, load(totals[CHARGE_USD], g) + seen * charge)
    store(totals[PENALTY_USD], g, load(totals[PENALTY_USD], g) + penalty)
    store(totals[FORGONE_USD], g, load(totals[FORGONE_USD], g) + forgone)


@njit(cache=True, nogil=True)
def _peak_of_month(table, bound, blocks, contract_mw, charge, power, worth, able, asked, g, scratch, pieces):
    """Draw [MW] at which the month's demand charge equals what one more MW would earn, in each lane.

    The bisection of dispatch_kernel.peak_of_month on eight scenarios at once: each trial moves a bound to a
    breakpoint, so the result is exact. pieces: bottom, top and surplus of each block within and beyond the contract.
    """
    count = blocks.shape[0]
    none = splat(0.0)
    price = load(power, g)
    contract = splat(contract_mw)
    low, high = none, none
    number = 0
    for t in range(bound[1], bound[2]):
        spot = price * table[t, SPOT]
        resale = spot + table[t, RESALE_OVER_SPOT]
        given_up = table[t, ADDER] + table[t, CREDIT]
        near, far = smaller(resale, spot) + given_up, spot + given_up
        limit = splat(table[t, LIMIT])
        idle = _rank(table, t, blocks, spot + table[t, ADDER], worth, able, asked, g, scratch)
        low = larger(low, smaller(idle, limit))
        for k in range(count):
            if int(blocks[k, 0]) == IDLE:
                continue
            here = 3 * LANES * k
            cap, own, before = load(scratch, here), load(scratch, here + LANES), load(scratch, here + 2 * LANES)
            end = smaller(before + cap, limit)
            for beyond in range(2):
                if beyond == 0:
                    if contract_mw <= 0.0:
                        continue
                    surplus, bottom, top = own - near, before, smaller(end, contract)
                else:
                    surplus, bottom, top = own - far, larger(before, contract), end
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
            bottom, top = load(pieces, i), load(pieces, i + LANES)
            ended = if_at_least(trial, top, top, none)
            below = larger(below, ended)
            inside = if_above(top, trial, if_at_least(trial, bottom, splat(1.0), none), none)
            slope = slope + if_above(inside, none, load(pieces, i + 2 * LANES), none)
            above = smaller(above, if_above(inside, none, top, above))
            below = larger(below, if_above(inside, none, bottom, none))
        moving = if_above(high, low, splat(1.0), none)
        up = if_above(slope, splat(charge), moving, none)
        down = moving - up
        low = if_above(up, none, above, low)
        high = if_above(down, none, below, high)
    return larger(low, high)
