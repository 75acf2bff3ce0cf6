"""A year under control without a device: what the intent would have done at the prices of a year, and its money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sites.control.intent import intent
from sites.control.model import Inputs, Price, UnitState, UnitView
from sites.control.moment import W_PER_MW, Moment
from sites.control.money import Money, check_no_battery, year_money
from sites.control.order import draw, plan_prices
from sites.control.planned import plan_of
from sites.dispatch.year import site_year
from sites.hours.calendar import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.control.intent import Intent
    from sites.control.model import Unit
    from sites.control.order import Prices
    from sites.control.plan import Plan
    from sites.control.rules import Rules
    from sites.model import Site


@dataclass(frozen=True, slots=True)
class Shadow:
    """The money of a year at the prices that came, by what was carried out."""

    plan_sha256: str
    best: Money  # dispatch with these prices known in advance
    planned: Money  # the plan, carried out whatever the prices
    ordered: Money  # the targets of the blocks, without units
    switched: Money  # whole units, at their levels at once
    ramps_usd: float  # [USD] output that is lost and power that is drawn while units change
    switches: int  # changes of level
    held_h: float  # [h] in which units kept their state because too few prices in a row called for a change

    @property
    def net_usd(self) -> float:
        """What the intent would have earned [USD], ramps included."""
        return self.switched.net_usd - self.ramps_usd

    @property
    def units_usd(self) -> float:
        """Cost of whole units and of patience with prices [USD]; below 0 where units asleep save idle power."""
        return self.ordered.net_usd - self.switched.net_usd

    @property
    def regret_usd(self) -> float:
        """What the perfect plan would have earned more [USD]."""
        return self.best.net_usd - self.net_usd


def at_prices(site: Site, spot_usd_per_mwh: Floats) -> Site:
    """Return a site with other market prices [USD/MWh meter], [T]; contracted power is resold at the same discount."""
    shift = spot_usd_per_mwh - site.spot_usd_per_mwh
    return replace(site, spot_usd_per_mwh=spot_usd_per_mwh, resale_usd_per_mwh=site.resale_usd_per_mwh + shift)


def shadow_year(site: Site, units: Sequence[Unit], rules: Rules, spot_usd_per_mwh: Floats | None = None) -> Shadow:
    """Carry the plan of a site out at the prices of a year, with units that do as they are asked.

    Parameters
    ----------
    site
        A site without a battery. Its own prices are those of the plan.
    units
        The units. Devices of a block that are not among them do as they do; a block without units follows the order.
    rules
        What the operator declares.
    spot_usd_per_mwh
        The prices that come [USD/MWh meter], [T]; None for those of the plan.

    Raises
    ------
    InputError
        The site has a battery.

    Notes
    -----
    A unit that comes up draws full power without output for `ramp_up_s`. One that goes down draws the power it had,
    without output, for `ramp_down_s`. A block with start costs pays these in place of the ramps of its units.
    """
    check_no_battery(site)
    year = site_year(site, hourly=True)
    plan = plan_of(year)
    spot = site.spot_usd_per_mwh if spot_usd_per_mwh is None else spot_usd_per_mwh
    real = at_prices(site, spot)
    best = site_year(real, hourly=True)
    walk = _Walk(plan, units, rules)
    for step in range(plan.steps):
        walk.go(step, spot)
    ordered_mw = walk.ordered_mw / _ratios(plan)
    return Shadow(
        plan_sha256=plan.sha256,
        best=year_money(real, best.in_hours()[0]),
        planned=year_money(real, year.in_hours()[0]),
        ordered=year_money(real, ordered_mw),
        switched=year_money(real, walk.switched_mw / _ratios(plan), walk.asleep_mw),
        ramps_usd=walk.ramps_usd,
        switches=walk.switches,
        held_h=walk.held * plan.step_s / HOUR_S,
    )


def _ratios(plan: Plan) -> Floats:
    """Return the meter MW per device MW of each step and part, [T, B]."""
    return np.array([[plan.ratio(plan.blocks[part.block], t) for part in plan.parts] for t in range(plan.steps)])


class _Walk:
    """The steps of a year, one after the other."""

    def __init__(self, plan: Plan, units: Sequence[Unit], rules: Rules) -> None:
        self._plan, self._rules = plan, rules
        self._views = [UnitView(unit, UnitState.RUNNING, "on", as_found="on") for unit in units]
        self._index = {unit.name: index for index, unit in enumerate(units)}
        self._prices: tuple[Price, ...] = ()
        shape = (plan.steps, len(plan.parts))
        self.ordered_mw, self.switched_mw = np.zeros(shape), np.zeros(shape)  # [MW meter]
        self.asleep_mw = np.zeros(plan.steps)
        self.ramps_usd, self.switches, self.held = 0.0, 0, 0
        names = plan.block_names
        self._blocks = [names.index(unit.block) for unit in units]
        self._running_w = [0.0] * len(names)  # [W] of units above their lowest level
        self._asleep_w = [0.0] * len(names)
        for unit, index in zip(units, self._blocks, strict=True):
            self._running_w[index] += unit.full_w
        self._whole = [  # devices of each block over its units, which all devices do as; 0 without units
            max(block.nameplate_mw * W_PER_MW / full_w, 1.0) if full_w > 0.0 else 0.0
            for block, full_w in zip(plan.blocks, self._running_w, strict=True)
        ]

    def go(self, step: int, spot_usd_per_mwh: Floats) -> None:
        """Take one step, at the prices that came up to it."""
        plan, spot = self._plan, float(spot_usd_per_mwh[step])
        now_s = float(plan.start_s + step * plan.step_s)
        self._prices = (*self._prices[-11:], Price(spot, now_s, now_s + plan.step_s, now_s, "replay"))
        at, prices = Moment(plan, now_s), plan_prices(plan, step, spot)
        ordered = draw(plan, step, prices, plan.room_mw[step], plan.bound[step])
        self.ordered_mw[step] = ordered.mw
        decided = intent(plan, self._rules, Inputs(prices=self._prices), self._views, now_s)
        changed = self._switch(decided)
        self.switched_mw[step] = ordered.mw  # of blocks without units
        expected = [ratio * whole * plan.availability_frac for ratio, whole in zip(at.ratios, self._whole, strict=True)]
        for index in sorted(set(self._blocks)):
            meter_mw = self._running_w[index] / W_PER_MW * expected[index]
            for k, mw in at.parts_mw(index, meter_mw, prices).items():
                self.switched_mw[step, k] = mw
            self.asleep_mw[step] += self._asleep_w[index] / W_PER_MW * expected[index]
        self.held += any(target.code == "hold" for target in decided.targets)
        for up_mw_h, down_mw_h, index in changed:
            if plan.blocks[index].start_usd_per_mwh:  # a block with least times alone pays the ramps of its units
                continue
            usd = up_mw_h * self._worth(at, index, prices) + down_mw_h * prices.decisive
            self.ramps_usd += expected[index] * usd

    def _switch(self, decided: Intent) -> list[tuple[float, float, int]]:
        """Bring units to their levels; return the energy of each change up and down [MWh device], and its block."""
        changed = []
        for name, level in decided.levels.items():
            number = self._index[name]
            view, index = self._views[number], self._blocks[number]
            if view.level == level:
                continue
            before_w, after_w = _power_w(view.unit, str(view.level)), _power_w(view.unit, level)
            is_running = level != view.unit.levels[0].name
            for powers, sign in (
                (self._running_w if view.state is UnitState.RUNNING else self._asleep_w, -before_w),
                (self._running_w if is_running else self._asleep_w, after_w),
            ):
                powers[index] += sign
            self._views[number] = replace(view, level=level, state=UnitState.RUNNING if is_running else UnitState.OFF)
            self.switches += 1
            up_h, down_h = view.unit.ramp_up_s / HOUR_S, view.unit.ramp_down_s / HOUR_S
            change_mw = (after_w - before_w) / W_PER_MW
            changed.append((max(change_mw, 0.0) * up_h, max(-change_mw, 0.0) * down_h, index))
        return changed

    def _worth(self, at: Moment, index: int, prices: Prices) -> float:
        """Return what a MWh of a block's work is worth, on average of what it draws [USD/MWh meter]."""
        mw = self.switched_mw[at.step]
        own = [k for k, part in enumerate(self._plan.parts) if part.block == index]
        drawn_mw = sum(mw[k] for k in own)
        return float(sum(mw[k] * at.worth(k, prices) for k in own) / drawn_mw) if drawn_mw > 0.0 else 0.0


def _power_w(unit: Unit, level: str) -> float:
    return next((known.power_w or 0.0 for known in unit.levels if known.name == level), unit.full_w)
