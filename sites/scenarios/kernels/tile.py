"""Scenarios of one site's year, eight at a time, compiled; imported only where a fleet is run (it imports Numba).

Hours whose blocks cannot get into each other's way are added up block by block, with the sums in registers; the others
(a full interconnect, contracted power, curtailment credits, a demand charge) go through the whole merit order. Which
hour is which depends on the site alone, so a scenario's sums never depend on the scenarios beside it.
"""

from __future__ import annotations

import numpy as np

from sites.dispatch.kernel import IDLE, MINING
from sites.jit import site_njit
from sites.scenarios.kernels.columns import (
    ABLE,
    ADDER,
    ASKED,
    BLOCK_COLUMNS,
    CAP,
    CREDIT,
    DEVICE,
    HOUR_COLUMNS,
    LIMIT,
    OWN,
    PAID,
    RESALE_OVER_SPOT,
    SPOT,
    TOTAL_SUMS,
    WORTH,
)
from sites.scenarios.kernels.coupled import add_to_year, add_up_hours, gather, peak_of_month
from sites.scenarios.kernels.plain import plain_idle, plain_inference, plain_mining
from sites.scenarios.kernels.vectors import LANES, load, splat


@site_njit
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


@site_njit
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
                plain_idle(table, bounds[m], k, power[m], able[k, m], rows[k], totals)
        for g in range(0, lanes, LANES):
            for k in range(count):
                kind = int(blocks[k, 0])
                if kind == MINING:
                    plain_mining(
                        table, bounds[m], k, power[m], worth[k, m], able[k, m], units[k, m], g, rows[k], totals
                    )
                elif kind != IDLE:
                    plain_inference(
                        table, bounds[m], k, blocks[k], power[m], worth[k, m], able[k, m], asked[k, m], units[k, m], g,
                        rows[k], totals,
                    )  # fmt: skip
            if bounds[m, 1] < bounds[m, 2]:
                gather(blocks, worth, able, asked, units, m, g, own)
                price, peak = load(power[m], g), splat(np.inf)
                if charges[m] > 0.0:
                    peak = peak_of_month(
                        table, bounds[m, 1], bounds[m, 2], kinds, promised, passes, contract_mw, charges[m], price, own,
                        pieces,
                    )  # fmt: skip
                add_up_hours(
                    table, bounds[m, 1], bounds[m, 2], kinds, promised, passes, contract_mw, charges[m], peak,
                    price, own, sums,
                )  # fmt: skip
                add_to_year(blocks, kinds, own, sums, rows, totals, g)
