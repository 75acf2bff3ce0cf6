"""A site's year in a tile of scenarios, eight at a time, compiled (it imports Numba).

Plain hours, in which blocks cannot compete for power, are added up block by block with the sums in registers. Coupled
hours (a full interconnect, contracted power, curtailment credits, a demand charge) go through the whole merit order.
The site alone decides which hours are coupled, so a scenario's sums do not depend on its neighbours in the tile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sites.dispatch.columns import (
    ABLE,
    ADDER,
    ASKED,
    BLOCK,
    CAP,
    DEVICE,
    END_HOUR,
    FIRST_COUPLED,
    FORGONE,
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
from sites.dispatch.formulas import able_mw, asked_mw, capacity_mw, meter_per_device, worth_usd_per_mwh
from sites.dispatch.kernels.compiled_formulas import block_of, hour_of
from sites.jit import site_njit
from sites.scenarios.kernels.coupled import add_to_year, add_up_hours, gather, peak_of_month
from sites.scenarios.kernels.plain import plain_idle, plain_inference, plain_mining
from sites.scenarios.kernels.vectors import LANES, load, splat


class SiteHours(NamedTuple):
    """The year of one site before any scenario, as in case.SiteCase."""

    table: np.ndarray  # columns in dispatch.columns, shape [T, 5 + 4 B]
    bounds: np.ndarray  # columns FIRST_HOUR, FIRST_COUPLED and END_HOUR of each month, shape [M, 3]
    blocks: np.ndarray  # columns in dispatch.columns.Blocks, shape [B, columns]
    charges: np.ndarray  # [USD/MW meter] demand charge of each month, shape [M]
    contract_mw: float  # [MW meter]
    programme: np.ndarray  # columns LOAD_LIMIT and CREDIT, shape [T, 2]; [0, 2] without a programme
    enrolled_mw: float  # [MW meter]
    ready_usd_per_mw_hour: float  # [USD/MWh meter]


@site_njit
def fill_table(problem, first_of_month, table):
    """Write each hour before any scenario: prices, limit, and each block's capacity and worth.

    Parameters
    ----------
    problem
        merit_order.Problem of the site.
    first_of_month
        First hour of each month, and the end of the year, shape [M + 1].
    table
        Result; columns in dispatch.columns, shape [T, 5 + 4 B].
    """
    series, blocks, profiles, how = problem.series, problem.blocks, problem.profiles, problem.how
    count = blocks.shape[0]
    for m in range(first_of_month.shape[0] - 1):
        for k in range(count):
            block = block_of(blocks, k)
            kind, log_growth = int(block.kind), block.growth_log_per_hour
            growth = np.exp(log_growth * first_of_month[m]) if log_growth != 0.0 else 1.0
            step = np.exp(log_growth)
            at = TABLE_HOUR + TABLE_BLOCK * k
            for t in range(first_of_month[m], first_of_month[m + 1]):
                hour = hour_of(series, t)
                per_device = meter_per_device(block, hour)
                device = 1.0 / per_device
                worth = worth_usd_per_mwh(block, hour, growth, 1.0) * device
                if kind in (MINING, IDLE):
                    table[t, at + CAP] = capacity_mw(block, hour, 0.0) * per_device
                    table[t, at + WORTH] = worth
                else:
                    asked = asked_mw(block, profiles[int(block.profile), how[t]], growth)
                    table[t, at + ABLE] = able_mw(block, hour) * per_device
                    table[t, at + ASKED] = asked * per_device
                    table[t, at + PAID] = worth
                    table[t, at + DEVICE] = device
                growth *= step
    for t in range(how.shape[0]):
        hour = hour_of(series, t)
        table[t, SPOT] = hour.spot_usd_per_mwh
        table[t, ADDER] = hour.adder_usd_per_mwh
        table[t, FORGONE] = hour.forgone_usd_per_mwh
        table[t, RESALE_OVER_SPOT] = hour.resale_usd_per_mwh - hour.spot_usd_per_mwh
        table[t, LIMIT] = hour.limit_mw


@site_njit
def run_tile(hours, factors, rows, totals):
    """Add up one site-year for a tile of scenarios.

    Parameters
    ----------
    hours
        SiteHours of the site.
    factors
        Factors of the tile's scenarios, whose number is a multiple of 8.
    rows, totals
        Results, shapes [B, 4, S] and [4, S].
    """
    table, bounds, blocks, charges = hours.table, hours.bounds, hours.blocks, hours.charges
    power, worth, able, asked, units = factors.power, factors.worth, factors.able, factors.asked, factors.units
    contract_mw = hours.contract_mw
    firm = blocks[:, BLOCK.is_firm].copy()
    programme = (hours.programme, hours.enrolled_mw, hours.ready_usd_per_mw_hour, firm)
    count, lanes = blocks.shape[0], power.shape[1]
    widest = 0
    for m in range(bounds.shape[0]):
        widest = max(widest, bounds[m, END_HOUR] - bounds[m, FIRST_COUPLED])
    charged = charges.max() > 0.0
    pieces = np.empty(widest * count * 6 * LANES if charged else LANES)
    own, sums = np.empty(count * OWN * LANES), np.empty(TOTAL_SUMS * LANES)
    kinds = blocks[:, BLOCK.kind].astype(np.int64)
    passes = blocks[:, BLOCK.passes_energy].copy()
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
            first, end = bounds[m, FIRST_COUPLED], bounds[m, END_HOUR]
            if first < end:
                gather(factors, m, g, own)
                power_factor, peak = load(power[m], g), splat(np.inf)
                if charges[m] > 0.0:
                    peak = peak_of_month(
                        table, first, end, kinds, blocks, passes, contract_mw, charges[m],
                        power_factor, own, pieces,
                    )  # fmt: skip
                add_up_hours(
                    table, first, end, kinds, blocks, passes, contract_mw, charges[m], peak,
                    power_factor, own, sums, programme,
                )  # fmt: skip
                add_to_year(blocks, kinds, own, sums, rows, totals, g)
