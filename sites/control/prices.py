"""The price that an intent is decided by: the one of this interval, those before it, or the declared fallback."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sites.control.rules import Fallback

if TYPE_CHECKING:
    from sites.control.model import Inputs, Price
    from sites.control.plan import Plan
    from sites.control.rules import Rules


class Decisive(NamedTuple):
    """The prices that an intent is decided by."""

    spot_usd_per_mwh: float | None  # of this moment; None if nothing is known
    low_usd_per_mwh: float  # what is not worth this much goes off
    high_usd_per_mwh: float  # what is worth more than this comes on
    fallback: Fallback | None  # in place of prices
    code: str  # of what is unusual; empty if nothing is


def decisive(plan: Plan, step: int, rules: Rules, inputs: Inputs, now_s: float) -> Decisive:
    """Return the prices that decide in a step of a plan at a time [s, Unix].

    Notes
    -----
    A block goes off if each of the last `windows_down` prices calls for it, hence if their lowest does; it comes on if
    each of the last `windows_up` prices does, hence if their highest does. Before the first known price the plan's
    prices count, so that a controller that has just started does not need to wait.
    """
    if not rules.has_price:
        planned = plan.spot_usd_per_mwh[step]
        return Decisive(planned, planned, planned, None, "plan_price")
    known = _known(inputs, now_s)
    late_s = now_s - known[-1].end_s if known else math.inf
    if late_s >= rules.stale_price_s and late_s >= 0.0:
        fallback = rules.on_stale_price
        return Decisive(None, 0.0, 0.0, fallback, f"price_stale_{fallback}")
    spot = known[-1].usd_per_mwh
    down = _windows(plan, known, rules.windows_down)
    up = _windows(plan, known, rules.windows_up)
    return Decisive(spot, min(down), max(up), None, "price_late" if late_s >= 0.0 else "")


def _known(inputs: Inputs, now_s: float) -> list[Price]:
    """Return the price intervals that have begun, oldest first, the latest of those with one start."""
    begun = {}
    for price in inputs.prices:
        if price.start_s <= now_s and math.isfinite(price.usd_per_mwh):
            begun[price.start_s] = price
    return [begun[start_s] for start_s in sorted(begun)]


def _windows(plan: Plan, known: list[Price], count: int) -> list[float]:
    """Return the prices of the last intervals [USD/MWh], those before the first known one by the plan."""
    prices = [price.usd_per_mwh for price in known[-count:]]
    first = known[0]
    for before in range(1, count - len(prices) + 1):
        step = plan.step_at(first.start_s - before * (first.end_s - first.start_s))
        if step is not None:
            prices.append(plan.spot_usd_per_mwh[step])
    return prices


def held(code: str) -> Decisive:
    """Return what decides where nothing is known: units stay as they are."""
    return Decisive(None, 0.0, 0.0, Fallback.HOLD, code)
