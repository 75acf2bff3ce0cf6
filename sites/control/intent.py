"""The intent: what every unit of a site should be in at a moment, a pure function of plan, rules, inputs and looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sites.control.model import OFF
from sites.control.moment import W_PER_MW, WHOLE, Limit, Moment
from sites.control.prices import decisive, held
from sites.control.rules import Fallback
from sites.control.units import Fleet, counted_w, ladder, left_alone, switched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.control.model import Inputs, UnitView
    from sites.control.moment import Budget
    from sites.control.order import Draw
    from sites.control.plan import Plan
    from sites.control.rules import Rules


@dataclass(frozen=True, slots=True)
class BlockTarget:
    """What a block should draw now; expected values at the meter, as those of the plan."""

    name: str
    planned_mw: float | None  # [MW meter] None outside the plan
    target_mw: float  # [MW meter] by the order of worth, before units are chosen
    code: str  # why it is what it is


@dataclass(frozen=True, slots=True)
class Intent:
    """What the blocks and the units of a site should be in now."""

    targets: tuple[BlockTarget, ...]
    levels: Mapping[str, str]  # by unit: those that go down, worst first; those that come up, best first; the others
    reasons: Mapping[str, str] = field(default_factory=dict)  # code of each unit, also of those that are left alone
    codes: tuple[str, ...] = ()  # of the whole site; words in `reasons.REASONS`
    plan_w: float | None = None  # [W] of the units by the plan; None outside it
    intended_w: float = 0.0  # [W] of all units at these levels; of those that are left alone as it counts


class _Want(NamedTuple):
    """What the units of a block should draw before the limits of outside."""

    taken: list[int]  # rungs of each commanded unit
    power_w: float  # [W] of the commanded units
    keeps: bool  # whether all stay as they are
    code: str


class _Room(NamedTuple):
    """A limit of the commanded units."""

    mw: float  # [MW]
    ratios: Sequence[float]  # MW that one device MW of each block counts as
    code: str


def intent(plan: Plan, rules: Rules, inputs: Inputs, views: Sequence[UnitView], now_s: float) -> Intent:
    """Return what each unit should be in at a time.

    Parameters
    ----------
    plan
        The plan of the site's dispatch.
    rules
        What the operator declares.
    inputs
        Prices and load targets, up to this time.
    views
        What is known of each unit.
    now_s
        The time [s, Unix].

    Notes
    -----
    The parts of the plan are put into the order of their worth at the present price. A block that has all it asks for
    runs all its units; another one gets as many megawatts as the order leaves it. Then the units of each block are
    chosen: the worst J/unit goes down first, a unit of unknown efficiency last, and equal ones keep their state.
    Limits hold for the units at full power, those that are left alone included. Units of a block that are not among
    `views` are taken to do as those that are.
    """
    fleets, reasons, lost = _fleets(plan, rules, views)
    at = Moment(plan, now_s)
    price = decisive(plan, at.step, rules, inputs, now_s) if at.is_planned else held("no_plan")
    target, target_code = _target(rules, inputs, now_s)
    limit = min(target, at.limit, key=lambda each: each.mw)
    low, high = at.draws(price, limit)
    holds = price.fallback is Fallback.HOLD
    wants = [
        _wanted(fleet, at.budget(index, low, high), share, holds=holds)
        for index, (fleet, share) in enumerate(zip(fleets, _shares(plan, fleets), strict=True))
    ]
    others_mw = sum(fleet.others_w for fleet in fleets) / W_PER_MW
    rooms = (
        _Room(_site_mw(at, fleets, low, limit), at.ratios, limit.code),
        _Room(rules.units_within_mw(target.mw) - others_mw, [1.0] * len(fleets), target.code),
        _Room(rules.units_mw - others_mw, [1.0] * len(fleets), "feeder"),
    )
    wants, over = _within(at, fleets, wants, low, rooms)
    order = at.by_worth(low)
    down, up = switched([fleets[index] for index in order], [wants[index].taken for index in order])
    levels = {**down, **dict.fromkeys(lost, OFF), **up}
    for fleet, want in zip(fleets, wants, strict=True):
        for name, steps, taken in zip(fleet.names, fleet.ladders, want.taken, strict=True):
            levels.setdefault(name, steps.level(taken))
            reasons[name] = want.code if taken < len(steps.rungs) else "hold" if want.keeps else "runs"
    targets = tuple(
        BlockTarget(name, at.planned_mw(index), at.drawn_mw(index, low), wants[index].code)
        for index, name in enumerate(plan.block_names)
    )
    codes = (price.code, target_code, over, *(want.code for want in wants))
    return Intent(
        targets=targets,
        levels=levels,
        reasons=reasons,
        codes=tuple(dict.fromkeys(code for code in codes if code not in {"", "runs"})),
        plan_w=_plan_w(at, fleets),
        intended_w=sum(want.power_w + fleet.others_w for want, fleet in zip(wants, fleets, strict=True)),
    )


def _fleets(plan: Plan, rules: Rules, views: Sequence[UnitView]) -> tuple[list[Fleet], dict[str, str], list[str]]:
    """Return the units of each block, the codes of those that are left alone, and those that are stopped unseen."""
    indices = {name: index for index, name in enumerate(plan.block_names)}
    fleets = [Fleet() for _ in plan.blocks]
    reasons: dict[str, str] = {}
    lost: list[str] = []
    for view in views:
        index = indices.get(view.unit.block)
        if index is None:
            reasons[view.unit.name] = "not_in_plan"
            continue
        fleet = fleets[index]
        fleet.full_w += view.unit.full_w
        code = left_alone(view, rules.on_lost_telemetry)
        steps = None if code else ladder(view.unit, str(view.as_found))
        if steps is not None:
            fleet.add(view, steps)
            continue
        fleet.others_w += counted_w(view)
        reasons[view.unit.name] = code or "no_power"
        if code == "lost_telemetry":
            lost.append(view.unit.name)
    for fleet in fleets:
        fleet.rank()
    return fleets, reasons, lost


def _target(rules: Rules, inputs: Inputs, now_s: float) -> tuple[Limit, str]:
    """Return the lowest load target that holds, and the code of a source that is silent."""
    held_mw = inputs.target_mw(now_s)
    lowest = Limit(float("inf") if held_mw is None else held_mw, "target")
    if not inputs.targets_lost:
        return lowest, ""
    rule = rules.on_lost_target or Fallback.HOLD
    code = f"target_lost_{rule}"
    if rule is Fallback.HOLD:
        return lowest, code
    return Limit(0.0 if rule is Fallback.CURTAIL else float("inf"), "target"), code


def _shares(plan: Plan, fleets: Sequence[Fleet]) -> list[float]:
    """Return the share of each block's devices that the units are."""
    shares = []
    for block, fleet in zip(plan.blocks, fleets, strict=True):
        nameplate_w = block.nameplate_mw * W_PER_MW
        share = fleet.full_w / nameplate_w if nameplate_w > 0.0 else 1.0
        shares.append(share if share < WHOLE else 1.0)
    return shares


def _wanted(fleet: Fleet, budget: Budget, share: float, *, holds: bool) -> _Want:
    """Return what the units of a block should draw by its budget."""
    low_w, high_w = budget.low_w * share - fleet.others_w, budget.high_w * share - fleet.others_w
    if holds or (low_w < high_w and low_w <= fleet.now_w <= high_w):
        return _Want(list(fleet.reached), fleet.now_w, keeps=True, code="hold")
    power_w = low_w if fleet.now_w < low_w else high_w
    taken, made_w = fleet.up_to(power_w, above=True)
    return _Want(taken, made_w, keeps=False, code=budget.code or "runs")


def _site_mw(at: Moment, fleets: Sequence[Fleet], drawn: Draw, limit: Limit) -> float:
    """Return what the commanded units may draw at the meter; below 0 if the others alone are above the limit."""
    others_mw = sum(fleet.others_w * ratio for fleet, ratio in zip(fleets, at.ratios, strict=True)) / W_PER_MW
    absent_mw = sum(
        (1.0 - share) * at.drawn_mw(index, drawn) / at.plan.availability_frac
        for index, share in enumerate(_shares(at.plan, fleets))
    )
    return limit.mw - at.battery_mw - absent_mw - others_mw


def _within(
    at: Moment, fleets: list[Fleet], wants: list[_Want], drawn: Draw, limits: Sequence[_Room]
) -> tuple[list[_Want], str]:
    """Return what the units should draw within the room for them, and a code if they cannot."""
    over = ""
    for room in limits:

        def counted_mw(each: Sequence[_Want], ratios: Sequence[float] = room.ratios) -> list[float]:
            return [want.power_w * ratio / W_PER_MW for want, ratio in zip(each, ratios, strict=True)]

        if sum(counted_mw(wants)) <= room.mw / WHOLE:
            continue
        allowed = at.shared(counted_mw(wants), room.mw, drawn)
        wants = [
            _cut(fleet, want, allowed_mw / ratio * W_PER_MW, room.code)
            for fleet, want, allowed_mw, ratio in zip(fleets, wants, allowed, room.ratios, strict=True)
        ]
        if room.mw < 0.0 or sum(counted_mw(wants)) > room.mw / WHOLE:
            over = "over_limit"
    return wants, over


def _cut(fleet: Fleet, want: _Want, allowed_w: float, code: str) -> _Want:
    if want.power_w <= allowed_w / WHOLE:
        return want
    taken, made_w = fleet.up_to(allowed_w, above=False, as_now=want.keeps)
    return _Want(taken, made_w, keeps=want.keeps, code=code)


def _plan_w(at: Moment, fleets: Sequence[Fleet]) -> float | None:
    """Return what the plan lets the units draw [W]; None outside the plan."""
    if not at.is_planned:
        return None
    shares = _shares(at.plan, fleets)
    planned = [at.planned_mw(index) or 0.0 for index in range(len(fleets))]
    return sum(mw / ratio * share * W_PER_MW for mw, ratio, share in zip(planned, at.ratios, shares, strict=True))
