"""The formulas of a block in an hour: each written once, for a number, an array of hours, and eight scenarios at once.

NumPy calls them as they are. `compiled_formulas` makes them known to compiled code, so that the dispatch of a year, the
scenario engine, the planners' tables and the waterfall cannot disagree. `block` is a row of Problem.blocks by name,
`hour` holds the columns of Problem.series by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sites.dispatch.columns import IDLE, MINING, SLA

if TYPE_CHECKING:
    from sites.dispatch.columns import Blocks, Hours

Value = Any
"""A number, an array of hours, or eight lanes."""


def smaller(x: Value, y: Value) -> Value:
    """Return the smaller of two values."""
    return np.minimum(x, y)


def larger(x: Value, y: Value) -> Value:
    """Return the larger of two values."""
    return np.maximum(x, y)


def resale_price(quoted: Value) -> Value:
    """Return what contracted power that is not drawn earns [USD/MWh meter]: where resale costs, it is left untaken."""
    return larger(quoted, 0.0)


def power_prices(spot: Value, resale: Value, adder: Value, forgone: Value) -> tuple[Value, Value]:
    """Return the prices of drawn power [USD/MWh meter]: within the contract, and beyond it.

    Parameters
    ----------
    spot, adder, forgone
        Spot price, delivery and other adders, and curtailment credit that is forgone [USD/MWh meter].
    resale
        Price of resold power [USD/MWh meter], as `resale_price` returns it.
    """
    given_up = adder + forgone
    return smaller(resale, spot) + given_up, spot + given_up


def programme_usd(enrolled: Value, payments: tuple[Value, Value], load: Value, fixed: Value, drawn: Value) -> Value:
    """Return what a curtailment programme pays in an hour [USD].

    Parameters
    ----------
    enrolled
        Enrolled power [MW meter].
    payments
        Payment for readiness [USD/MW], and credit for what is not drawn [USD/MWh].
    load, fixed, drawn
        Power that would be drawn without an event, that part of it which cannot be given up for a payment, and the
        power that is drawn [MW meter].

    Notes
    -----
    Readiness is paid for the load that can be given up. Credits are counted from the load. Neither is counted beyond
    the enrolled power, so that nothing is paid for load that is not there.
    """
    ready, credit = payments
    there = smaller(larger(load - fixed, 0.0), enrolled)
    return ready * there + credit * larger(smaller(load, enrolled) - drawn, 0.0)


def meter_per_device(block: Blocks[Any], hour: Hours[Any]) -> Value:
    """Return the meter MW that one device MW takes."""
    return hour.mining_meter_per_device if block.kind == MINING else hour.gpu_meter_per_device


def asked_mw(block: Blocks[Any], over_mean: Value, growth: Value) -> Value:
    """Return the demand of an hour [MW device]; over_mean is the profile's value of the hour of the week."""
    return block.demand_mw * over_mean * growth


def left_mw(able: Value, wanted: Value, better_frac: Value) -> Value:
    """Return the work [MW] that better operating points leave to one that can do `able`."""
    return larger(wanted - better_frac * able, 0.0) if better_frac > 0.0 else wanted


def work_mw(kind: Value, able: Value, promised_frac: Value, asked: Value, better_frac: Value) -> Value:
    """Return the promised or the on-demand work [MW] of machines that can do `able`; promised work comes first."""
    promised = smaller(able, left_mw(able, promised_frac * asked, better_frac))
    return promised if kind == SLA else smaller(able, left_mw(able, asked, better_frac)) - promised


def owed_mw(able: Value, promised: Value, better_frac: Value, has_next: Value) -> Value:
    """Return the promised work [MW] that an operating point must do or fall short of.

    The last one of a block owes also what no machine can do.
    """
    left = left_mw(able, promised, better_frac)
    return smaller(able, left) if has_next > 0.0 else left


def able_mw(block: Blocks[Any], hour: Hours[Any]) -> Value:
    """Return the power [MW device] of an inference block's machines that run in an hour, whether asked for or not."""
    return block.capacity_mw * hour.gpu_capacity_frac


def capacity_mw(block: Blocks[Any], hour: Hours[Any], asked: Value) -> Value:
    """Return the power [MW device] that a block can use in an hour; idle blocks draw it whatever it costs."""
    if block.kind == MINING:
        return block.capacity_mw * hour.mining_capacity_frac
    if block.kind == IDLE:
        return block.capacity_mw
    return work_mw(block.kind, able_mw(block, hour), block.promised_frac, asked, block.better_frac)


def worth_usd_per_mwh(block: Blocks[Any], hour: Hours[Any], growth: Value, over_mean: Value) -> Value:
    """Return what a device MWh earns or saves [USD/MWh device], without the power that a tenant pays for.

    `over_mean` is the price of inference in the hour over its mean of the year.
    """
    if block.kind == MINING:
        return block.worth * growth * (hour.subsidy_usd_per_hash + block.pays_fees * hour.fees_usd_per_hash)
    return (block.worth + block.penalty_usd_per_mwh) * over_mean


def passed_usd_per_mwh(block: Blocks[Any], hour: Hours[Any]) -> Value:
    """Return what a tenant pays for power on top of the worth of its work [USD/MWh meter]."""
    return block.passes_energy * (hour.spot_usd_per_mwh + hour.adder_usd_per_mwh)


FORMULAS = (
    resale_price,
    power_prices,
    programme_usd,
    meter_per_device,
    asked_mw,
    left_mw,
    work_mw,
    owed_mw,
    able_mw,
    capacity_mw,
    worth_usd_per_mwh,
    passed_usd_per_mwh,
)
