"""The plain hours of a month, in which blocks do not compete for power, added up block by block, compiled (Numba).

`tile.run_tile` explains the arrays, `dispatch.columns` their columns. The functions add to `row` and `totals`, the sums
of a block and of the site.
"""

from __future__ import annotations

from sites.dispatch.columns import (
    ABLE,
    ADDER,
    ASKED,
    BLOCK,
    CAP,
    DEVICE,
    ENERGY_USD,
    FIRST_COUPLED,
    FIRST_HOUR,
    METER_MWH,
    PAID,
    PENALTY_USD,
    REVENUE_USD,
    SHORT_MWH,
    SLA,
    SPOT,
    TABLE_BLOCK,
    TABLE_HOUR,
    UNITS,
    WORTH,
)
from sites.dispatch.formulas import larger, owed_mw, work_mw
from sites.jit import site_njit, site_njit_inlined
from sites.scenarios.kernels.vectors import LANES, if_above, load, splat, store


@site_njit
def plain_mining(table, bound, k, power, worth, able, units, g, row, totals):
    """Add up a mining block k over the plain hours of a month, in the eight scenarios from g on."""
    at = TABLE_HOUR + TABLE_BLOCK * k
    power_factor, worth_factor, able_factor = load(power, g), load(worth, g), load(able, g)
    none = splat(0.0)
    mwh, gross, energy = none, none, none
    for t in range(bound[FIRST_HOUR], bound[FIRST_COUPLED]):
        cost = power_factor * table[t, SPOT] + table[t, ADDER]
        drawn = if_above(worth_factor * table[t, at + WORTH], cost, able_factor * table[t, at + CAP], none)
        mwh = mwh + drawn
        gross = gross + drawn * table[t, at + WORTH]
        energy = energy + drawn * cost
    store(row[METER_MWH], g, load(row[METER_MWH], g) + mwh)
    store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + gross * worth_factor)
    store(row[UNITS], g, load(row[UNITS], g) + gross * load(units, g))
    store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)


@site_njit
def plain_idle(table, bound, k, power, able, row, totals):
    """Add up the idle power of a block k over the plain hours of a month, in all scenarios of the tile."""
    # Idle power is drawn at any price, so a month is a product of sums: no loop over hours for each scenario.
    at = TABLE_HOUR + TABLE_BLOCK * k
    mwh, spot_usd, adder_usd = 0.0, 0.0, 0.0
    for t in range(bound[FIRST_HOUR], bound[FIRST_COUPLED]):
        mwh += table[t, at + CAP]
        spot_usd += table[t, at + CAP] * table[t, SPOT]
        adder_usd += table[t, at + CAP] * table[t, ADDER]
    for g in range(0, power.shape[0], LANES):
        able_factor = load(able, g)
        store(row[METER_MWH], g, load(row[METER_MWH], g) + able_factor * mwh)
        energy = able_factor * (load(power, g) * spot_usd + adder_usd)
        store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)


@site_njit
def plain_inference(table, bound, k, block, power, worth, able, asked, units, g, row, totals):
    """Add up promised or on-demand work k over the plain hours of a month, in the eight scenarios from g on."""
    better_frac, has_next = block[BLOCK.better_frac], block[BLOCK.has_next]
    if better_frac > 0.0 or has_next > 0.0:
        _add_inference(
            table, bound, k, block, (power, worth, able, asked, units), g, row, totals, better_frac, has_next
        )
    else:  # the compiler leaves out what constants make superfluous: most blocks have no operating curve
        _add_inference(table, bound, k, block, (power, worth, able, asked, units), g, row, totals, 0.0, 0.0)


@site_njit_inlined
def _add_inference(table, bound, k, block, factors, g, row, totals, better_frac, has_next):
    power, worth, able, asked, units = factors
    at = TABLE_HOUR + TABLE_BLOCK * k
    power_factor, worth_factor = load(power, g), load(worth, g)
    able_factor, asked_factor = load(able, g), load(asked, g)
    none = splat(0.0)
    mwh, device, energy, passed, short = none, none, none, none, none
    promised_frac, passes = block[BLOCK.promised_frac], block[BLOCK.passes_energy]
    kind = int(block[BLOCK.kind])
    for t in range(bound[FIRST_HOUR], bound[FIRST_COUPLED]):
        cost = power_factor * table[t, SPOT] + table[t, ADDER]
        can, want = able_factor * table[t, at + ABLE], asked_factor * table[t, at + ASKED]
        cap = work_mw(kind, can, promised_frac, want, better_frac)
        paid = worth_factor * table[t, at + PAID]
        if passes > 0.0:
            paid = paid + cost * passes
        drawn = if_above(paid, cost, cap, none)
        mwh = mwh + drawn
        device = device + drawn * table[t, at + DEVICE]
        energy = energy + drawn * cost
        if passes > 0.0:
            passed = passed + drawn * (cost * passes)
        if kind == SLA:
            owed = owed_mw(can, want * promised_frac, better_frac, has_next)
            short = short + larger(owed - drawn, none) * table[t, at + DEVICE]
    store(row[METER_MWH], g, load(row[METER_MWH], g) + mwh)
    store(row[REVENUE_USD], g, load(row[REVENUE_USD], g) + (device * worth_factor * block[BLOCK.worth] + passed))
    store(row[UNITS], g, load(row[UNITS], g) + device * load(units, g) * block[BLOCK.units_per_mwh])
    store(totals[ENERGY_USD], g, load(totals[ENERGY_USD], g) + energy)
    if kind == SLA:
        store(row[SHORT_MWH], g, load(row[SHORT_MWH], g) + short)
        due = short * worth_factor * block[BLOCK.penalty_usd_per_mwh]
        store(totals[PENALTY_USD], g, load(totals[PENALTY_USD], g) + due)
