"""What power that is drawn in the steps of a year earns, by the formulas of the dispatch; and at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.control.moment import W_PER_MW, Moment
from sites.control.order import draw, plan_prices
from sites.dispatch.formulas import resale_price
from sites.dispatch.merit_order import dispatch
from sites.dispatch.parts import hourly_parts, meter_of_parts, penalties_usd_per_mwh
from sites.dispatch.problem import labels, problem
from sites.dispatch.programme import programme_hourly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.arrays import Floats
    from sites.control.plan import Plan
    from sites.model import Site


@dataclass(frozen=True, slots=True)
class Money:
    """What a site earns in its year, without rents and fixed cost, which no switching changes."""

    revenue_usd: float  # [USD]
    power_usd: float  # [USD] spot and contract, less resale, with adders
    demand_charge_usd: float  # [USD]
    penalty_usd: float  # [USD] for promised work that is not served
    credits_usd: float  # [USD] of the curtailment programme
    start_usd: float = 0.0  # [USD] of starts of blocks that have start costs

    @property
    def net_usd(self) -> float:
        """What is left [USD]."""
        spent_usd = self.power_usd + self.demand_charge_usd + self.penalty_usd + self.start_usd
        return self.revenue_usd + self.credits_usd - spent_usd


def year_money(site: Site, device_mw: Floats, extra_mw: Floats | float = 0.0) -> Money:
    """Return what the parts of a site earn in its year.

    Parameters
    ----------
    site
        A site without a battery.
    device_mw
        Power of each part in each step [MW device], shape [T, B].
    extra_mw
        Power without output [MW meter], as that of units asleep, [T].

    Raises
    ------
    InputError
        The site has a battery.

    Notes
    -----
    A block with start costs that comes up from nothing pays a start, and its first step lacks the output of waking up.
    """
    check_no_battery(site)
    arrays = problem(site)
    hour, step_h = arrays.hours, arrays.step_h
    _, promised, worth = hourly_parts(site)
    device = device_mw.T
    meter = device * meter_of_parts(site, labels(site))
    drawn = meter.sum(axis=0) + extra_mw
    penalty = penalties_usd_per_mwh(site)
    short = np.maximum(promised - device, 0.0)
    short[short <= 1e-12 * promised] = 0.0
    per_device = arrays.parts.penalty_usd_per_mwh[:, None] * arrays.over_mean
    resale = resale_price(hour.resale_usd_per_mwh)
    is_resold = (resale > hour.spot_usd_per_mwh) & (arrays.contract_mw > 0.0)
    bought = np.where(is_resold, drawn, np.maximum(drawn - arrays.contract_mw, 0.0))
    sold = np.where(is_resold, arrays.contract_mw, np.maximum(arrays.contract_mw - drawn, 0.0))
    contract_usd = arrays.contract_mw * arrays.contract_usd_per_mwh
    power = bought * hour.spot_usd_per_mwh + contract_usd - sold * resale + hour.adder_usd_per_mwh * drawn
    peaks = np.zeros(arrays.charges_usd_per_mw.size)
    np.maximum.at(peaks, arrays.month, drawn)
    load = dispatch(arrays).load
    load = load._replace(drawn_mw=drawn) if load.load_mw.size else load
    useful, start_usd = _woken(site, device)
    return Money(
        revenue_usd=float((meter * useful * (worth - penalty)).sum()) * step_h,
        power_usd=float(power.sum()) * step_h,
        demand_charge_usd=float(peaks @ arrays.charges_usd_per_mw),
        penalty_usd=float((short * per_device).sum()) * step_h,
        credits_usd=float(programme_hourly(arrays.programme, load).sum()) * step_h,
        start_usd=start_usd,
    )


def check_no_battery(site: Site) -> None:
    """Raise InputError if a site has a battery, whose money no switching of units shows."""
    if site.battery is not None:
        raise InputError(f"replay of a year: expected site {site.name!r} without a [battery], got one")


def _woken(site: Site, device_mw: Floats) -> tuple[Floats, float]:
    """Return the share of power that makes output, [B, T], and what the starts of blocks cost [USD].

    As in the dispatch, only the first part of a block of miners draws power while it wakes up; the others wait. A step
    without power for the block, as in an outage, neither stops nor starts it.
    """
    useful, start_usd = np.ones_like(device_mw), 0.0
    caps, _, _ = hourly_parts(site)
    rows = labels(site)
    for block in site.blocks:
        if block.starts is None:
            continue
        own = [k for k, label in enumerate(rows) if label.name == block.name]
        is_known = (caps[own].sum(axis=0) > 0.0) & (site.limit_mw > 0.0)
        at = np.maximum.accumulate(np.where(is_known, np.arange(is_known.size), 0))
        is_on = (device_mw[own].sum(axis=0) > 0.0)[at]
        begins = np.flatnonzero(is_on[1:] & ~is_on[:-1]) + 1
        start_usd += float(begins.size * block.starts.start_usd)
        if rows[own[0]].product == "mining":
            for after, lost in enumerate(block.starts.in_steps(site.calendar.step_h)[2]):
                steps = begins + after
                useful[own[0], steps[steps < is_on.size]] -= lost
    return useful, start_usd


def earning_usd_per_h(plan: Plan, now_s: float, spot_usd_per_mwh: float, device_w: Mapping[str, float]) -> float:
    """Return what blocks earn in an hour at a moment [USD/h]: the worth of their work less the cost of their power.

    Parameters
    ----------
    plan
        The plan of the site.
    now_s
        The time [s, Unix]; outside the plan its nearest step counts.
    spot_usd_per_mwh
        Price of power [USD/MWh meter].
    device_w
        Power of each block's devices [W]; a block that is absent draws nothing.

    Notes
    -----
    The power of a block goes to its part of most worth first; a block draws no more than all its work and idle power.
    A penalty that promised work avoids is counted as earned, and contracted power costs what its resale would pay.
    Rents, demand charges and the price of the contract are left out: no switching at this moment changes them.
    """
    at = Moment(plan, now_s)
    prices = plan_prices(plan, at.step, spot_usd_per_mwh)
    drawn_mw, worth_usd = at.battery_mw, 0.0
    for index, block in enumerate(plan.blocks):
        meter_mw, usd = at.work(index, device_w.get(block.name, 0.0) / W_PER_MW * at.ratios[index], prices)
        drawn_mw += meter_mw
        worth_usd += usd
    within_mw = min(max(drawn_mw, 0.0), plan.contract_mw)
    beyond_mw = max(drawn_mw - plan.contract_mw, 0.0)
    exported_usd = -drawn_mw * prices.exported if drawn_mw < 0.0 and plan.may_export else 0.0
    return worth_usd + exported_usd - within_mw * prices.near - beyond_mw * prices.far


def best_usd_per_h(
    plan: Plan, now_s: float, spot_usd_per_mwh: float, full_w: Mapping[str, float], most_mw: float = math.inf
) -> float:
    """Return the most that units can earn in an hour at a moment, by the order of worth at its price [USD/h].

    Parameters
    ----------
    plan, now_s, spot_usd_per_mwh
        As for `earning_usd_per_h`.
    full_w
        Power of the units of each block at full power [W].
    most_mw
        The most that the units may draw, as a load target leaves them [MW].

    Notes
    -----
    Idle power of a block with work is drawn whatever it costs, as in the dispatch.
    """
    at = Moment(plan, now_s)
    shares = [
        min(full_w.get(block.name, 0.0) / (block.nameplate_mw * W_PER_MW), 1.0) if block.nameplate_mw > 0.0 else 0.0
        for block in plan.blocks
    ]
    # of several blocks the one that a megawatt reaches furthest in: never less than what the units can earn
    per_mw = max((ratio / share for ratio, share in zip(at.ratios, shares, strict=True) if share > 0.0), default=1.0)
    room_mw = min(at.limit.mw * plan.availability_frac, max(most_mw, 0.0) * per_mw)
    best = draw(plan, at.step, plan_prices(plan, at.step, spot_usd_per_mwh), room_mw, at.limit.code)
    device_w = {
        block.name: at.budget(index, best, best).high_w * shares[index] for index, block in enumerate(plan.blocks)
    }
    return earning_usd_per_h(plan, now_s, spot_usd_per_mwh, device_w)
