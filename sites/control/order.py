"""The merit order of a site at a moment: the parts of a plan that draw power at a price and within a limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sites.dispatch.formulas import power_prices, resale_price

if TYPE_CHECKING:
    from sites.control.plan import Plan

ROUNDING = 1e-9


class Prices(NamedTuple):
    """What a drawn MWh costs at a moment [USD/MWh meter], in the order in which power is drawn."""

    passed: float  # that a tenant who pays for power is charged
    exported: float  # instead of what a battery feeds into the grid; what it must not feed there is free
    near: float  # within the contract
    far: float  # beyond it
    decisive: float  # of the two that the plan is decided by
    refused: str  # code of a part that is worth less than power within the contract


class Draw(NamedTuple):
    """What the parts of a plan draw at a moment."""

    mw: list[float]  # [MW meter] of each part
    codes: list[str]  # why a part does not draw all it can; empty if it does
    ranked: list[int]  # the parts, those that draw first at the front


def plan_prices(plan: Plan, step: int, spot_usd_per_mwh: float) -> Prices:
    """Return the prices of power in a step at a market price [USD/MWh meter]."""
    shift = spot_usd_per_mwh - plan.spot_usd_per_mwh[step]
    quoted = plan.resale_usd_per_mwh[step] + shift
    resale = float(resale_price(quoted))
    adder, forgone = plan.adder_usd_per_mwh[step], plan.forgone_usd_per_mwh[step]
    near, far = (float(price) for price in power_prices(spot_usd_per_mwh, resale, adder, forgone))
    return Prices(
        passed=spot_usd_per_mwh + adder,
        exported=min(quoted, spot_usd_per_mwh, near) if plan.may_export else -math.inf,
        near=near,
        far=far,
        decisive=plan.price_usd_per_mwh[step] + shift,
        refused="resale" if 0.0 < resale <= spot_usd_per_mwh else "price",
    )


def flat_prices(plan: Plan, step: int, usd_per_mwh: float) -> Prices:
    """Return one price for all power [USD/MWh meter], which may be infinite; tenants are charged the plan's price."""
    passed = plan.spot_usd_per_mwh[step] + plan.adder_usd_per_mwh[step]
    return Prices(passed, usd_per_mwh, usd_per_mwh, usd_per_mwh, usd_per_mwh, "price")


def draw(plan: Plan, step: int, prices: Prices, room_mw: float, bound: str) -> Draw:
    """Let the parts of a plan draw power in the order of their worth, as the dispatch does.

    Parameters
    ----------
    plan, step
        The plan, and one of its steps.
    prices
        Prices of power.
    room_mw
        Power that may be drawn, as an expected value [MW meter].
    bound
        Code of what limits it.

    Notes
    -----
    A block with start costs is on or off as planned, unless the price differs from the plan's by more than a start
    costs: `start_usd_per_mwh` above both its worth and the plan's price it goes off, and as much below both it comes
    on. At the plan's own prices and room, every part draws what the plan says.
    """
    is_on = [_is_on(plan, index, step, prices) for index in range(len(plan.blocks))]
    mw, codes = [0.0] * len(plan.parts), [""] * len(plan.parts)
    worth = [part.worth_usd_per_mwh[step] + part.passes_energy * prices.passed for part in plan.parts]
    battery = plan.battery_mw[step]
    fixed = [k for k, part in enumerate(plan.parts) if part.is_fixed]
    free = sorted((k for k, part in enumerate(plan.parts) if not part.is_fixed), key=lambda k: -worth[k])
    for k in fixed:
        mw[k], codes[k] = _fixed_mw(plan, k, step, is_on=is_on[plan.parts[k].block])
    drawn, left_mw = sum(mw), max(room_mw - battery, 0.0)
    if drawn > left_mw * (1.0 + ROUNDING):
        for k in fixed:
            mw[k], codes[k] = mw[k] * left_mw / drawn, codes[k] or bound
        drawn = left_mw
    at = drawn + battery
    tops = ((0.0, prices.exported), (plan.contract_mw, prices.near), (math.inf, prices.far))
    for k in free:
        part = plan.parts[k]
        if not is_on[part.block]:
            codes[k] = "committed"
            continue
        left = part.available_mw[step]
        for top, price in tops:
            if left <= 0.0 or at >= top:
                continue
            if worth[k] <= price and not part.is_firm:
                codes[k] = prices.refused if top == plan.contract_mw else "price"
                break
            more = max(min(left, top - at, room_mw - at), 0.0)
            mw[k], at, left = mw[k] + more, at + more, left - more
            if left > 0.0 and at >= room_mw * (1.0 - ROUNDING):
                codes[k] = bound if left > ROUNDING * part.available_mw[step] else ""
                break
    return Draw(mw, codes, fixed + free)


def _is_on(plan: Plan, index: int, step: int, prices: Prices) -> bool:
    """Return whether a block may draw power: always, unless it has start costs and they keep it off."""
    block = plan.blocks[index]
    cost = block.start_usd_per_mwh
    if cost is None:
        return True
    parts = [part for part in plan.parts if part.block == index]
    if any(part.is_firm for part in parts):
        return block.is_on[step]
    worth = max(part.worth_usd_per_mwh[step] + part.passes_energy * prices.passed for part in parts)
    planned = plan.price_usd_per_mwh[step]
    if block.is_on[step]:
        return prices.decisive <= max(worth, planned) + cost
    return prices.decisive < min(worth, planned) - cost


def _fixed_mw(plan: Plan, k: int, step: int, *, is_on: bool) -> tuple[float, str]:
    part = plan.parts[k]
    block = plan.blocks[part.block]
    if not is_on:
        return 0.0, "committed" if block.is_on and not block.is_on[step] else "price"
    if block.is_on and not block.is_on[step]:
        return part.available_mw[step], ""
    return part.planned_mw[step], ""
