"""The merit order of coupled hours in eight scenarios at once, compiled (it imports Numba)."""

from __future__ import annotations

from sites.dispatch.columns import (
    ABLE,
    ABLE_FACTOR,
    ADDER,
    ASKED,
    ASKED_FACTOR,
    BEFORE_NOW,
    BLOCK,
    CAP,
    CAP_NOW,
    CHARGE_USD,
    CREDIT,
    CREDITS_USD,
    DEVICE,
    ENERGY_USD,
    FIRST_SUM,
    FORGONE,
    IDLE,
    LIMIT,
    LOAD_LIMIT,
    MADE_SUM,
    METER_MWH,
    MINING,
    MWH_SUM,
    OWN,
    PAID,
    PASSED_SUM,
    PENALTY_USD,
    RESALE_OVER_SPOT,
    REVENUE_USD,
    SHORT_MWH,
    SHORT_SUM,
    SLA,
    SPOT,
    TABLE_BLOCK,
    TABLE_HOUR,
    TOTAL_SUMS,
    UNITS,
    UNITS_FACTOR,
    WORTH,
    WORTH_FACTOR,
    WORTH_NOW,
)
from sites.dispatch.formulas import larger, owed_mw, power_prices, programme_usd, resale_price, smaller, work_mw
from sites.jit import site_njit, site_njit_inlined
from sites.scenarios.kernels.vectors import LANES, any_above, if_above, if_at_least, load, splat, store


@site_njit
def gather(factors, m, g, own):
    """Copy one month's factors of eight scenarios next to one another, and clear the sums behind them.

    own: for each block OWN slots of eight lanes. One flat array: views of arrays cost atomic counts in inner loops.
    """
    worth, able, asked, units = factors.worth, factors.able, factors.asked, factors.units
    for k in range(worth.shape[0]):
        here = OWN * LANES * k
        for i in range(LANES):
            own[here + WORTH_FACTOR * LANES + i] = worth[k, m, g + i]
            own[here + ABLE_FACTOR * LANES + i] = able[k, m, g + i]
            own[here + ASKED_FACTOR * LANES + i] = asked[k, m, g + i]
            own[here + UNITS_FACTOR * LANES + i] = units[k, m, g + i]
        for i in range(FIRST_SUM * LANES, OWN * LANES):
            own[here + i] = 0.0


@site_njit
def _rank(table, t, kinds, blocks, passes, cost, own):
    """Write each block's cap, worth and the draw before it in one hour's merit order; return the idle draw."""
    count, none = kinds.shape[0], splat(0.0)
    idle = none
    for k in range(count):
        at = TABLE_HOUR + TABLE_BLOCK * k
        here = OWN * LANES * k
        kind = kinds[k]
        if kind == MINING:
            store(own, here + CAP_NOW * LANES, load(own, here + ABLE_FACTOR * LANES) * table[t, at + CAP])
            store(own, here + WORTH_NOW * LANES, load(own, here + WORTH_FACTOR * LANES) * table[t, at + WORTH])
        elif kind == IDLE:
            cap = load(own, here + ABLE_FACTOR * LANES) * table[t, at + CAP]
            store(own, here + CAP_NOW * LANES, cap)
            idle = idle + cap
        else:
            can = load(own, here + ABLE_FACTOR * LANES) * table[t, at + ABLE]
            want = load(own, here + ASKED_FACTOR * LANES) * table[t, at + ASKED]
            promised_frac, better_frac = blocks[k, BLOCK.promised_frac], blocks[k, BLOCK.better_frac]
            store(own, here + CAP_NOW * LANES, work_mw(kind, can, promised_frac, want, better_frac))
            paid = load(own, here + WORTH_FACTOR * LANES) * table[t, at + PAID]
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


@site_njit_inlined
def _drawn(mine, before, end, near, far, contract_mw):
    """Return what a block draws between two levels at the meter, within the contract and beyond it, by its worth."""
    none = splat(0.0)
    if contract_mw > 0.0:
        contract = splat(contract_mw)
        within = larger(smaller(end, contract) - before, none)
        beyond = larger(end - larger(before, contract), none)
        return if_above(mine, near, within, none) + if_above(mine, far, beyond, none)
    return if_above(mine, far, larger(end - before, none), none)


@site_njit
def _load_without_event(kinds, firm, contract_mw, near, far, room, start, shift, own):
    """Return the power at the meter that one hour's blocks would draw without an event, and its part of firm blocks.

    Parameters
    ----------
    near, far, room
        Prices of power and the power that may be drawn, without the event.
    start, shift
        Idle draw without the event, and how much it is above that with the event.
    """
    none = splat(0.0)
    at_meter, kept = start, none
    for k in range(kinds.shape[0]):
        if kinds[k] == IDLE:
            continue
        here = OWN * LANES * k
        mine, before = load(own, here + WORTH_NOW * LANES), load(own, here + BEFORE_NOW * LANES) + shift
        end = smaller(before + load(own, here + CAP_NOW * LANES), room)
        drawn = _drawn(mine, before, end, near, far, contract_mw)
        at_meter = at_meter + drawn
        if firm[k] > 0.0:
            kept = kept + drawn
    return at_meter, kept


@site_njit
def add_up_hours(
    table, first, last, kinds, blocks, passes, contract_mw, charge, peak, power_factor, own, sums, programme
):
    """Add up the coupled hours of a month; sums has eight lanes each of energy, charge, penalty and credits."""
    called, enrolled_mw, ready, firm = programme
    count = kinds.shape[0]
    none, contract = splat(0.0), splat(contract_mw)
    energy, earned, seen = none, none, none
    for t in range(first, last):
        spot = power_factor * table[t, SPOT]
        cost = spot + table[t, ADDER]
        resale = resale_price(spot + table[t, RESALE_OVER_SPOT])
        near, far = power_prices(spot, resale, table[t, ADDER], table[t, FORGONE])
        limit = splat(table[t, LIMIT])
        room = smaller(limit, peak)
        idle = _rank(table, t, kinds, blocks, passes, cost, own)
        start = smaller(idle, limit)
        at_meter = start
        for k in range(count):
            at = TABLE_HOUR + TABLE_BLOCK * k
            here = OWN * LANES * k
            kind = kinds[k]
            cap = load(own, here + CAP_NOW * LANES)
            if kind == IDLE:
                brown = if_above(idle, limit, start / larger(idle, splat(1e-300)), splat(1.0))
                store(own, here + MWH_SUM * LANES, load(own, here + MWH_SUM * LANES) + cap * brown)
                continue
            mine, before = load(own, here + WORTH_NOW * LANES), load(own, here + BEFORE_NOW * LANES)
            end = smaller(before + cap, room)
            drawn = _drawn(mine, before, end, near, far, contract_mw)
            at_meter = at_meter + drawn
            store(own, here + MWH_SUM * LANES, load(own, here + MWH_SUM * LANES) + drawn)
            made = drawn * table[t, at + (WORTH if kind == MINING else DEVICE)]
            store(own, here + MADE_SUM * LANES, load(own, here + MADE_SUM * LANES) + made)
            if passes[k] > 0.0:
                paid = load(own, here + PASSED_SUM * LANES) + drawn * (cost * passes[k])
                store(own, here + PASSED_SUM * LANES, paid)
            if kind == SLA:
                want = load(own, here + ASKED_FACTOR * LANES) * table[t, at + ASKED] * blocks[k, BLOCK.promised_frac]
                can = load(own, here + ABLE_FACTOR * LANES) * table[t, at + ABLE]
                owed = owed_mw(can, want, blocks[k, BLOCK.better_frac], blocks[k, BLOCK.has_next])
                short = larger(owed - drawn, none) * table[t, at + DEVICE]
                store(own, here + SHORT_SUM * LANES, load(own, here + SHORT_SUM * LANES) + short)
        seen = larger(seen, at_meter)
        energy = energy + at_meter * cost
        if contract_mw > 0.0:
            kept = smaller(at_meter, contract) * larger(spot - resale, none)
            energy = energy - (contract * resale + kept)
        if called.shape[0] > 0:
            without = power_prices(spot, resale, table[t, ADDER], table[t, FORGONE] - called[t, CREDIT])
            load_limit = splat(called[t, LOAD_LIMIT])
            fixed = smaller(idle, load_limit)
            there, kept = _load_without_event(
                kinds, firm, contract_mw, without[0], without[1], smaller(load_limit, peak), fixed, fixed - start, own
            )
            earned = earned + programme_usd(enrolled_mw, (ready, called[t, CREDIT]), there, fixed + kept, at_meter)
    store(sums, ENERGY_USD * LANES, energy)
    store(sums, CHARGE_USD * LANES, seen * charge)
    store(sums, PENALTY_USD * LANES, none)
    store(sums, CREDITS_USD * LANES, earned)


@site_njit
def add_to_year(blocks, kinds, own, sums, rows, totals, g):
    """Add a month's coupled sums of eight scenarios to the year's."""
    for i in range(LANES):
        for k in range(kinds.shape[0]):
            here = OWN * LANES * k + i
            rows[k, METER_MWH, g + i] += own[here + MWH_SUM * LANES]
            if kinds[k] == IDLE:
                continue
            made = own[here + MADE_SUM * LANES]
            worth_factor, units_factor = own[here + WORTH_FACTOR * LANES], own[here + UNITS_FACTOR * LANES]
            if kinds[k] == MINING:
                rows[k, REVENUE_USD, g + i] += made * worth_factor
                rows[k, UNITS, g + i] += made * units_factor
                continue
            rows[k, REVENUE_USD, g + i] += made * worth_factor * blocks[k, BLOCK.worth] + own[here + PASSED_SUM * LANES]
            rows[k, UNITS, g + i] += made * units_factor * blocks[k, BLOCK.units_per_mwh]
            short = own[here + SHORT_SUM * LANES]
            rows[k, SHORT_MWH, g + i] += short
            totals[PENALTY_USD, g + i] += short * worth_factor * blocks[k, BLOCK.penalty_usd_per_mwh]
        for j in range(TOTAL_SUMS):
            totals[j, g + i] += sums[j * LANES + i]


@site_njit
def peak_of_month(table, first, last, kinds, blocks, passes, contract_mw, charge, power_factor, own, pieces):
    """Return the draw [MW] at which a month's demand charge equals what one more MW would earn, in each lane.

    The bisection of dispatch.kernels.year.peak_of_month on eight scenarios at once: each trial moves a bound to a
    breakpoint, so the result is exact. pieces: bottom, top and surplus of each block within and beyond the contract.
    """
    count = kinds.shape[0]
    none, contract = splat(0.0), splat(contract_mw)
    low, high = none, none
    number = 0
    for t in range(first, last):
        spot = power_factor * table[t, SPOT]
        resale = resale_price(spot + table[t, RESALE_OVER_SPOT])
        near, far = power_prices(spot, resale, table[t, ADDER], table[t, FORGONE])
        limit = splat(table[t, LIMIT])
        idle = _rank(table, t, kinds, blocks, passes, spot + table[t, ADDER], own)
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
                top = if_above(top, bottom, top, none)  # a piece without surplus, or an empty one, ends at 0
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
