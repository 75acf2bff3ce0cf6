"""A plan at a moment: what its blocks may draw at the present price, within the limits of plan and outside."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sites.control.order import draw, flat_prices, plan_prices
from sites.control.rules import Fallback
from sites.dispatch.columns import IDLE, KINDS

if TYPE_CHECKING:
    from sites.control.order import Draw, Prices
    from sites.control.plan import Plan
    from sites.control.prices import Decisive

W_PER_MW = 1e6
WHOLE = 1.0 - 1e-9


class Limit(NamedTuple):
    """The most that may be drawn."""

    mw: float  # [MW meter]
    code: str  # of what limits it


class Budget(NamedTuple):
    """What the order of worth leaves open to a block, all its devices together."""

    low_w: float  # [W] that it should draw at least
    high_w: float  # [W] that it should draw at most
    code: str  # why not more


class Moment:
    """A plan at a time [s, Unix], at the nearest of its steps if the time is outside."""

    def __init__(self, plan: Plan, now_s: float) -> None:
        step = plan.step_at(now_s)
        self.is_planned = step is not None
        self.plan = plan
        self.step = (0 if now_s < plan.start_s else plan.steps - 1) if step is None else step
        self.ratios = [plan.ratio(block, self.step) for block in plan.blocks]

    @cached_property
    def limit(self) -> Limit:
        """The limit of the plan, which is an expected value, for all devices at work."""
        if not self.is_planned:
            return Limit(math.inf, "no_plan")
        return Limit(self.plan.room_mw[self.step] / self.plan.availability_frac, self.plan.bound[self.step])

    @property
    def battery_mw(self) -> float:
        """Net power of the battery, as planned [MW meter]; 0 outside the plan."""
        return self.plan.battery_mw[self.step] if self.is_planned else 0.0

    def draws(self, price: Decisive, limit: Limit) -> tuple[Draw, Draw]:
        """Return what the parts draw at the price that takes units down, and at the one that brings them up."""
        plan, step = self.plan, self.step
        room_mw = limit.mw * plan.availability_frac

        def at(usd_per_mwh: float) -> Draw:
            return draw(plan, step, plan_prices(plan, step, usd_per_mwh), room_mw, limit.code)

        if price.fallback in {Fallback.CURTAIL, Fallback.RUN}:
            worst = math.inf if price.fallback is Fallback.CURTAIL else -math.inf
            only = draw(plan, step, flat_prices(plan, step, worst), room_mw, limit.code)
            return only, only
        if price.fallback is Fallback.HOLD:
            only = at(plan.spot_usd_per_mwh[step])
            return only, only
        low = at(price.low_usd_per_mwh)
        return low, low if price.high_usd_per_mwh == price.low_usd_per_mwh else at(price.high_usd_per_mwh)

    def budget(self, index: int, low: Draw, high: Draw) -> Budget:
        """Return the budget of a block: it stays on as far as the low price allows, and comes on by the high one."""
        most, least = self._power(index, low), self._power(index, high)
        return Budget(min(least.mw, most.mw) * W_PER_MW, most.mw * W_PER_MW, most.code or least.code)

    def _power(self, index: int, drawn: Draw) -> Limit:
        """Return the power of a block with all its devices at work [MW device]."""
        plan, block = self.plan, self.plan.blocks[index]
        ceiling_mw = block.ceiling_mw[self.step]
        parts = self._parts[index]
        code = next((drawn.codes[k] for k in drawn.ranked if k in parts and drawn.codes[k]), "")
        if not code:
            return Limit(ceiling_mw, "derated" if ceiling_mw < WHOLE * block.nameplate_mw else "")
        work_mw = sum(drawn.mw[k] for k in parts if plan.parts[k].part != KINDS[IDLE])
        if work_mw <= 0.0:
            return Limit(0.0, code)
        expected_mw = sum(drawn.mw[k] for k in parts) / self.ratios[index]
        return Limit(min(expected_mw / plan.availability_frac, ceiling_mw), code)

    @cached_property
    def _parts(self) -> list[frozenset[int]]:
        """The parts of each block."""
        every = enumerate(self.plan.parts)
        owners = [(k, part.block) for k, part in every]
        return [frozenset(k for k, owner in owners if owner == index) for index in range(len(self.plan.blocks))]

    def drawn_mw(self, index: int, drawn: Draw) -> float:
        """Return what a block draws as an expected value [MW meter]."""
        return math.fsum(drawn.mw[k] for k in sorted(self._parts[index]))

    def planned_mw(self, index: int) -> float | None:
        """Return what the plan says of a block [MW meter]; None outside the plan."""
        if not self.is_planned:
            return None
        return math.fsum(self.plan.parts[k].planned_mw[self.step] for k in sorted(self._parts[index]))

    def shared(self, wants_mw: list[float], room_mw: float, drawn: Draw) -> list[float]:
        """Return the power of each block within a limit, that of the parts which are worth most first [MW meter].

        Parameters
        ----------
        wants_mw
            What each block would draw.
        room_mw
            What all may draw.
        drawn
            The parts in their order, and the shares of each in its block.
        """
        whole = [self.drawn_mw(index, drawn) for index in range(len(wants_mw))]
        allowed, seen, left = [0.0] * len(wants_mw), set(), max(room_mw, 0.0)
        for k in drawn.ranked:
            index = self.plan.parts[k].block
            is_first = index not in seen
            seen.add(index)
            share = drawn.mw[k] / whole[index] if whole[index] > 0.0 else float(is_first)
            more = min(wants_mw[index] * share, left)
            allowed[index] += more
            left -= more
        return allowed

    def parts_mw(self, index: int, meter_mw: float, prices: Prices) -> dict[int, float]:
        """Return what the parts of a block draw of an expected power [MW meter]: those of most worth first."""
        plan, step = self.plan, self.step
        left, drawn = meter_mw, {}
        for k in sorted(self._parts[index], key=lambda k: (not plan.parts[k].is_fixed, -self.worth(k, prices), k)):
            drawn[k] = min(plan.parts[k].available_mw[step], left)
            left -= drawn[k]
        return drawn

    def worth(self, k: int, prices: Prices) -> float:
        """Return what a MWh of a part is worth, with the power that a tenant pays for [USD/MWh meter]."""
        part = self.plan.parts[k]
        return part.worth_usd_per_mwh[self.step] + part.passes_energy * prices.passed

    def work(self, index: int, meter_mw: float, prices: Prices) -> tuple[float, float]:
        """Return the power of a block that has work or is idle [MW meter], and what the work is worth [USD/h].

        Parameters
        ----------
        index
            The block.
        meter_mw
            Power of its devices [MW meter].
        prices
            Prices of power.
        """
        plan, step = self.plan, self.step
        whole = math.fsum(plan.parts[k].available_mw[step] for k in sorted(self._parts[index]))
        real = 1.0 / plan.availability_frac
        if plan.blocks[index].product == "mining" and whole > 0.0:
            real = plan.blocks[index].ceiling_mw[step] * self.ratios[index] / whole
        expected = self.parts_mw(index, meter_mw / real, prices)
        return math.fsum(expected.values()) * real, math.fsum(
            mw * real * self.worth(k, prices) for k, mw in expected.items()
        )

    def by_worth(self, drawn: Draw) -> list[int]:
        """Return the blocks, that with the part of most worth first."""
        return list(dict.fromkeys(self.plan.parts[k].block for k in drawn.ranked))
