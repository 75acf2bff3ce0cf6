"""The fleet's model once more in plain, vectorised NumPy: the compiled engine is checked and timed against it.

Arrays of [block, hour of a month, scenario]; nothing is compiled, nothing is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import (
    ABLE,
    ADDER,
    ASKED,
    BLOCK,
    CAP,
    CHARGE_USD,
    CREDIT,
    CREDITS_USD,
    DEVICE,
    ENERGY_USD,
    FORGONE,
    IDLE,
    LIMIT,
    LOAD_LIMIT,
    METER_MWH,
    MINING,
    PAID,
    PENALTY_USD,
    RESALE_OVER_SPOT,
    REVENUE_USD,
    ROW_SUMS,
    SHORT_MWH,
    SLA,
    SPOT,
    TABLE_BLOCK,
    TABLE_HOUR,
    TOTAL_SUMS,
    UNITS,
    WORTH,
)
from sites.scenarios.draws import factors_of

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.scenarios.engine import Run, SiteCase, Sums

CHUNK = 32


def run_shard_numpy(case: SiteCase, run: Run, first: int, count: int, *, chunk: int = CHUNK) -> Sums:
    """Return the rows [B, 4, count] and totals [4, count] of engine.run_shard within rounding, in NumPy."""
    rows = np.zeros((case.blocks.shape[0], ROW_SUMS, count))
    totals = np.zeros((TOTAL_SUMS, count))
    for begin in range(0, count, chunk):
        width = min(chunk, count - begin)
        power, worth, able, asked, units = factors_of(case, run, first + begin, width)
        for m in range(case.months):
            here = slice(case.bounds[m, 0], case.bounds[m, 2])
            row, total = _month(
                case,
                case.table[here],
                case.programme[here],
                case.charges[m],
                power[m],
                worth[:, m],
                able[:, m],
                asked[:, m],
                units[:, m],
            )
            rows[:, :, begin : begin + width] += row
            totals[:, begin : begin + width] += total
    return rows, totals


def _month(  # noqa: C901, PLR0915, PLR0917 - the model in one piece, to be read beside the kernel
    case: SiteCase,
    month: Floats,
    programme: Floats,
    charge: float,
    power: Floats,
    worth_of: Floats,
    able_of: Floats,
    asked_of: Floats,
    units_of: Floats,
) -> Sums:
    blocks, contract = case.blocks, case.contract_mw
    kinds = blocks[:, BLOCK.kind].astype(int)
    hours, lanes, count = month.shape[0], power.shape[0], blocks.shape[0]
    spot = month[:, SPOT, None] * power
    cost = spot + month[:, ADDER, None]
    resale = np.maximum(spot + month[:, RESALE_OVER_SPOT, None], 0.0)
    given_up = (month[:, ADDER] + month[:, FORGONE])[:, None]
    near, far = np.minimum(resale, spot) + given_up, spot + given_up
    limit = np.broadcast_to(month[:, LIMIT, None], (hours, lanes))
    cap, worth = np.zeros((count, hours, lanes)), np.full((count, hours, lanes), -np.inf)
    made, due = np.zeros((count, hours)), np.zeros((count, hours, lanes))
    for k in range(count):
        own = month[:, TABLE_HOUR + TABLE_BLOCK * k : TABLE_HOUR + TABLE_BLOCK * (k + 1)]
        if kinds[k] in {MINING, IDLE}:
            cap[k] = own[:, CAP, None] * able_of[k]
            if kinds[k] == MINING:
                worth[k], made[k] = own[:, WORTH, None] * worth_of[k], own[:, WORTH]
            continue
        can, want = own[:, ABLE, None] * able_of[k], own[:, ASKED, None] * asked_of[k]
        taken = can * blocks[k, BLOCK.better_frac]
        left = np.maximum(want * blocks[k, BLOCK.promised_frac] - taken, 0.0)
        promised = np.minimum(can, left)
        cap[k] = promised if kinds[k] == SLA else np.minimum(can, np.maximum(want - taken, 0.0)) - promised
        worth[k] = own[:, PAID, None] * worth_of[k] + blocks[k, BLOCK.passes_energy] * cost
        made[k] = own[:, DEVICE]
        if kinds[k] == SLA:
            due[k] = promised if blocks[k, BLOCK.has_next] else left
    idle = cap[kinds == IDLE].sum(axis=0)
    start = np.minimum(idle, limit)
    standing = np.where((kinds == IDLE)[:, None, None], 0.0, cap)
    order = np.argsort(-worth, axis=0, kind="stable")
    ranked = np.take_along_axis(standing, order, axis=0)
    ends = start + np.cumsum(ranked, axis=0)
    before = np.empty_like(ends)
    np.put_along_axis(before, order, ends - ranked, axis=0)
    room, peak = limit, np.inf
    if charge > 0.0:
        peak = _peak(before, standing, worth, near, far, limit, contract, charge, start.max(axis=0))
        room = np.minimum(limit, peak)
    end = np.minimum(before + standing, room)
    drawn = _drawn(before, end, worth, (near, far), contract)
    brown = np.where(idle > limit, start / np.maximum(idle, 1e-300), 1.0)
    drawn[kinds == IDLE] = cap[kinds == IDLE] * brown
    at = start + drawn[kinds != IDLE].sum(axis=0)
    rows, totals = np.zeros((count, ROW_SUMS, lanes)), np.zeros((TOTAL_SUMS, lanes))
    rows[:, METER_MWH] = drawn.sum(axis=1)
    produced = (drawn * made[:, :, None]).sum(axis=1)
    for k in range(count):
        if kinds[k] == MINING:
            rows[k, REVENUE_USD], rows[k, UNITS] = produced[k] * worth_of[k], produced[k] * units_of[k]
        elif kinds[k] != IDLE:
            passed = (drawn[k] * cost).sum(axis=0) * blocks[k, BLOCK.passes_energy]
            rows[k, REVENUE_USD] = produced[k] * worth_of[k] * blocks[k, BLOCK.worth] + passed
            rows[k, UNITS] = produced[k] * units_of[k] * blocks[k, BLOCK.units_per_mwh]
        if kinds[k] == SLA:
            rows[k, SHORT_MWH] = (np.maximum(due[k] - drawn[k], 0.0) * made[k][:, None]).sum(axis=0)
            totals[PENALTY_USD] += rows[k, SHORT_MWH] * worth_of[k] * blocks[k, BLOCK.penalty_usd_per_mwh]
    kept = np.minimum(at, contract) * np.maximum(spot - resale, 0.0)
    totals[ENERGY_USD] = (at * cost - contract * resale - kept).sum(axis=0)
    totals[CHARGE_USD] = at.max(axis=0) * charge
    if programme.size:
        load_limit, credit = programme[:, LOAD_LIMIT, None], programme[:, CREDIT, None]
        fixed = np.minimum(idle, load_limit)
        first, room = before - start + fixed, np.minimum(load_limit, peak)
        alone = _drawn(first, np.minimum(first + standing, room), worth, (near - credit, far - credit), contract)
        there = fixed + alone[kinds != IDLE].sum(axis=0)
        free = alone[(kinds != IDLE) & (blocks[:, BLOCK.is_firm] == 0.0)].sum(axis=0)
        given_up = np.maximum(np.minimum(there, case.enrolled_mw) - at, 0.0)
        ready = case.ready_usd_per_mw_hour * np.minimum(free, case.enrolled_mw)
        totals[CREDITS_USD] = (credit * given_up + ready).sum(axis=0)
    return rows, totals


def _drawn(before: Floats, end: Floats, worth: Floats, prices: tuple[Floats, Floats], contract: float) -> Floats:
    near, far = prices
    within = np.where(worth > near, np.maximum(np.minimum(end, contract) - before, 0.0), 0.0)
    beyond = np.where(worth > far, np.maximum(end - np.maximum(before, contract), 0.0), 0.0)
    drawn: Floats = within + beyond
    return drawn


def _peak(  # noqa: PLR0917
    before: Floats,
    cap: Floats,
    worth: Floats,
    near: Floats,
    far: Floats,
    limit: Floats,
    contract: float,
    charge: float,
    low: Floats,
) -> Floats:
    """Bisect each scenario's monthly peak [MW] to the breakpoint at which one more MW no longer pays the charge."""
    end = np.minimum(before + cap, limit)
    pieces = [(before, np.minimum(end, contract), worth - near), (np.maximum(before, contract), end, worth - far)]
    pieces = [(bottom, np.where((gain > 0) & (top > bottom), top, 0.0), gain) for bottom, top, gain in pieces]
    high = np.maximum(low, np.maximum(pieces[0][1].max(axis=(0, 1)), pieces[1][1].max(axis=(0, 1))))
    while (low < high).any():
        trial = 0.5 * (low + high)
        trial = np.where(trial >= high, low, trial)
        slope, below, above = np.zeros_like(low), low.copy(), high.copy()
        for bottom, top, gain in pieces:
            inside = (bottom <= trial) & (top > trial)
            slope += np.where(inside, gain, 0.0).sum(axis=(0, 1))
            below = np.maximum(below, np.where(top <= trial, top, np.where(inside, bottom, 0.0)).max(axis=(0, 1)))
            above = np.minimum(above, np.where(inside, top, np.inf).min(axis=(0, 1)))
        moving = low < high
        up = moving & (slope > charge)
        low, high = np.where(up, above, low), np.where(moving & ~up, below, high)
    peak: Floats = np.maximum(low, high)
    return peak
