"""Scenarios of one site's year, eight at a time, compiled; imported only where a fleet is run (it imports Numba).

Hours whose blocks cannot get into each other's way are added up block by block, with the sums in registers; the others
(a full interconnect, contracted power, curtailment credits, a demand charge) go through the whole merit order. Which
hour is which depends on the site alone, so a scenario's sums never depend on the scenarios beside it.
"""

from __future__ import annotations

import numpy as np

from sites.dispatch.columns import (
    ABLE,
    ADDER,
    ASKED,
    BLOCK,
    CAP,
    CREDIT,
    DEVICE,
    HOUR,
    IDLE,
    LIMIT,
    MINING,
    OWN,
    PAID,
    RESALE_OVER_SPOT,
    SPOT,
    TABLE_BLOCK,
    TABLE_HOUR,
    TOTAL_SUMS,
    WORTH,
)
from sites.jit import site_njit
from sites.scenarios.kernels.coupled import add_to_year, add_up_hours, gather, peak_of_month
from sites.scenarios.kernels.plain import plain_idle, plain_inference, plain_mining
from sites.scenarios.kernels.vectors import LANES, load, splat


@site_njit
def fill_table(problem, first_of_month, offset, table):
    """Write what each hour is before any scenario: prices, limit, and each block's capacity and worth.

    offset: hours since the start of the first year, for ageing and growth. Formulas as dispatch.kernel.rank_hour.
    """
    series, blocks, profiles, how = problem.series, problem.blocks, problem.profiles, problem.how
    count = blocks.shape[0]
    for m in range(first_of_month.shape[0] - 1):
        for k in range(count):
            kind, capacity, worth = int(blocks[k, BLOCK.kind]), blocks[k, BLOCK.capacity_mw], blocks[k, BLOCK.worth]
            log_growth = blocks[k, BLOCK.growth_log_per_hour]
            growth = np.exp(log_growth * (first_of_month[m] + offset)) if log_growth != 0.0 else 1.0
            step = np.exp(log_growth)
            at = TABLE_HOUR + TABLE_BLOCK * k
            for t in range(first_of_month[m], first_of_month[m + 1]):
                if kind == MINING:
                    per_device = series[HOUR.mining_meter_per_device, t]
                    reward = (
                        series[HOUR.subsidy_usd_per_hash, t]
                        + blocks[k, BLOCK.pays_fees] * series[HOUR.fees_usd_per_hash, t]
                    )
                    table[t, at + CAP] = capacity * series[HOUR.mining_capacity_frac, t] * per_device
                    table[t, at + WORTH] = worth * growth * reward * (1.0 / per_device)
                elif kind == IDLE:
                    table[t, at + CAP] = capacity * series[HOUR.gpu_meter_per_device, t]
                else:
                    per_device = series[HOUR.gpu_meter_per_device, t]
                    device = 1.0 / per_device
                    asked = blocks[k, BLOCK.demand_mw] * profiles[int(blocks[k, BLOCK.profile]), how[t]] * growth
                    table[t, at + ABLE] = capacity * series[HOUR.gpu_capacity_frac, t] * per_device
                    table[t, at + ASKED] = asked * per_device
                    table[t, at + PAID] = (worth + blocks[k, BLOCK.penalty_usd_per_mwh]) * device
                    table[t, at + DEVICE] = device
                growth *= step
    for t in range(how.shape[0]):
        table[t, SPOT] = series[HOUR.spot_usd_per_mwh, t]
        table[t, ADDER] = series[HOUR.adder_usd_per_mwh, t]
        table[t, CREDIT] = series[HOUR.credit_usd_per_mwh, t]
        table[t, RESALE_OVER_SPOT] = series[HOUR.resale_usd_per_mwh, t] - series[HOUR.spot_usd_per_mwh, t]
        table[t, LIMIT] = series[HOUR.limit_mw, t]


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
    kinds = blocks[:, BLOCK.kind].astype(np.int64)
    promised, passes = blocks[:, BLOCK.promised_frac].copy(), blocks[:, BLOCK.passes_energy].copy()
    for m in range(bounds.shape[0]):
        for k in range(count):
            if int(blocks[k, BLOCK.kind]) == IDLE:
                plain_idle(table, bounds[m], k, power[m], able[k, m], rows[k], totals)
        for g in range(0, lanes, LANES):
            for k in range(count):
                kind = int(blocks[k, BLOCK.kind])
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
