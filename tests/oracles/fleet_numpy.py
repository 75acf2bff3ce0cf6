"""The fleet's model once more in plain, vectorised NumPy: the compiled engine is checked and timed against it.

Arrays of [block, hour of a month, scenario]; nothing is compiled, nothing is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.dispatch.merit_order import KINDS
from sites.scenarios import engine as fleet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sites.scenarios.engine import Run, SiteCase, Sums

    Floats = NDArray[np.float64]

MINING, IDLE, SLA, ON_DEMAND = range(len(KINDS))
SPOT, ADDER, CREDIT, RESALE_OVER_SPOT, LIMIT = range(5)
CHUNK = 32


def run_shard_numpy(case: SiteCase, run: Run, first: int, count: int, *, chunk: int = CHUNK) -> Sums:
    """Return what fleet.run_shard does, in NumPy: rows [B, 4, count], totals [4, count], within rounding."""
    import numpy as np

    rows = np.zeros((case.blocks.shape[0], 4, count))
    totals = np.zeros((4, count))
    for begin in range(0, count, chunk):
        width = min(chunk, count - begin)
        power, worth, able, asked, units = fleet.factors_of(case, run, first + begin, width)
        for m in range(case.months):
            month = case.table[case.bounds[m, 0] : case.bounds[m, 2]]
            row, total = _month(
                case, month, case.charges[m], power[m], worth[:, m], able[:, m], asked[:, m], units[:, m]
            )
            rows[:, :, begin : begin + width] += row
            totals[:, begin : begin + width] += total
    return rows, totals


def _month(  # noqa: PLR0915, PLR0917 - the model in one piece, to be read beside the kernel
    case: SiteCase,
    month: Floats,
    charge: float,
    power: Floats,
    worth_of: Floats,
    able_of: Floats,
    asked_of: Floats,
    units_of: Floats,
) -> Sums:
    import numpy as np

    blocks, contract = case.blocks, case.contract_mw
    kinds = blocks[:, 0].astype(int)
    hours, lanes, count = month.shape[0], power.shape[0], blocks.shape[0]
    spot = month[:, SPOT, None] * power
    cost = spot + month[:, ADDER, None]
    resale = np.maximum(spot + month[:, RESALE_OVER_SPOT, None], 0.0)
    given_up = (month[:, ADDER] + month[:, CREDIT])[:, None]
    near, far = np.minimum(resale, spot) + given_up, spot + given_up
    limit = np.broadcast_to(month[:, LIMIT, None], (hours, lanes))
    cap, worth = np.zeros((count, hours, lanes)), np.full((count, hours, lanes), -np.inf)
    made, due = np.zeros((count, hours)), np.zeros((count, hours, lanes))
    for k in range(count):
        own = month[:, 5 + 4 * k : 9 + 4 * k]
        if kinds[k] in {MINING, IDLE}:
            cap[k] = own[:, 0, None] * able_of[k]
            if kinds[k] == MINING:
                worth[k], made[k] = own[:, 1, None] * worth_of[k], own[:, 1]
            continue
        can, want = own[:, 0, None] * able_of[k], own[:, 1, None] * asked_of[k]
        promised = np.minimum(can, want * blocks[k, 6])
        cap[k] = promised if kinds[k] == SLA else np.minimum(can, want) - promised
        worth[k] = own[:, 2, None] * worth_of[k] + blocks[k, 8] * cost
        made[k] = own[:, 3]
        if kinds[k] == SLA:
            due[k] = want * blocks[k, 6]
    idle = cap[kinds == IDLE].sum(axis=0)
    start = np.minimum(idle, limit)
    standing = np.where((kinds == IDLE)[:, None, None], 0.0, cap)
    order = np.argsort(-worth, axis=0, kind="stable")
    ranked = np.take_along_axis(standing, order, axis=0)
    ends = start + np.cumsum(ranked, axis=0)
    before = np.empty_like(ends)
    np.put_along_axis(before, order, ends - ranked, axis=0)
    room = limit
    if charge > 0.0:
        room = np.minimum(limit, _peak(before, standing, worth, near, far, limit, contract, charge, start.max(axis=0)))
    end = np.minimum(before + standing, room)
    within = np.where(worth > near, np.maximum(np.minimum(end, contract) - before, 0.0), 0.0)
    drawn = within + np.where(worth > far, np.maximum(end - np.maximum(before, contract), 0.0), 0.0)
    brown = np.where(idle > limit, start / np.maximum(idle, 1e-300), 1.0)
    drawn[kinds == IDLE] = cap[kinds == IDLE] * brown
    at = start + drawn[kinds != IDLE].sum(axis=0)
    rows, totals = np.zeros((count, 4, lanes)), np.zeros((4, lanes))
    rows[:, 0] = drawn.sum(axis=1)
    produced = (drawn * made[:, :, None]).sum(axis=1)
    for k in range(count):
        if kinds[k] == MINING:
            rows[k, 1], rows[k, 2] = produced[k] * worth_of[k], produced[k] * units_of[k]
        elif kinds[k] != IDLE:
            passed = (drawn[k] * cost).sum(axis=0) * blocks[k, 8]
            rows[k, 1] = produced[k] * worth_of[k] * blocks[k, 2] + passed
            rows[k, 2] = produced[k] * units_of[k] * blocks[k, 10]
        if kinds[k] == SLA:
            rows[k, 3] = (np.maximum(due[k] - drawn[k], 0.0) * made[k][:, None]).sum(axis=0)
            totals[2] += rows[k, 3] * worth_of[k] * blocks[k, 9]
    kept = np.minimum(at, contract) * np.maximum(spot - resale, 0.0)
    totals[0] = (at * cost - contract * resale - kept).sum(axis=0)
    totals[1] = at.max(axis=0) * charge
    totals[3] = (at * month[:, CREDIT, None]).sum(axis=0)
    return rows, totals


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
    import numpy as np

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
