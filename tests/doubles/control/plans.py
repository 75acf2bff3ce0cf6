"""Plans of a few hours made up for the tests, units for the blocks of a site, and what is known of units."""

from dataclasses import replace

import numpy as np

from sites.control.model import OFF, ON, Inputs, Level, Price, Unit, UnitState, UnitView
from sites.control.plan import Plan, PlanBlock, PlanPart
from sites.control.planned import plan_of
from sites.control.rules import Fallback, Rules
from sites.dispatch.year import site_year

HOURS, HOUR_S = 12, 3600.0
PUE = {"mining": 1.1, "inference": 1.25}
HOLD = Rules(Fallback.HOLD, Fallback.HOLD)


def made_plan(*parts, spot=50.0, room_mw=1000.0, availability_frac=1.0, contract_mw=0.0, start_usd_per_mwh=None):
    """A plan of equal hours. A part is (block, kind, available MW at the meter, worth, further fields).

    A block is named after its product and what follows; its devices draw as much as its parts.
    """

    def each(value):
        return (value,) * HOURS

    names = list(dict.fromkeys(part[0] for part in parts))
    blocks = []
    for name in names:
        product = "mining" if name.startswith("mine") else "inference"
        mw = sum(part[2] for part in parts if part[0] == name) / PUE[product] / availability_frac
        is_on = each(True) if start_usd_per_mwh is not None else ()
        blocks.append(PlanBlock(name, product, mw, each(mw), start_usd_per_mwh, is_on))
    rows = tuple(
        PlanPart(
            block=names.index(name), part=kind, is_fixed=kind == "idle", is_firm=bool(more.get("firm")),
            passes_energy=bool(more.get("passes")), planned_mw=each(float(mw)), available_mw=each(float(mw)),
            worth_usd_per_mwh=each(float(worth)),
        )
        for name, kind, mw, worth, more in ((*part, {})[:5] for part in parts)
    )  # fmt: skip
    return Plan(
        site="made up", start_s=0, step_s=3600, availability_frac=availability_frac, contract_mw=contract_mw,
        spot_usd_per_mwh=each(float(spot)), resale_usd_per_mwh=each(float(spot)), adder_usd_per_mwh=each(0.0),
        forgone_usd_per_mwh=each(0.0), price_usd_per_mwh=each(float(spot)), room_mw=each(float(room_mw)),
        bound=("grid",) * HOURS, battery_mw=each(0.0), may_export=False, mining_meter_per_device=each(PUE["mining"]),
        gpu_meter_per_device=each(PUE["inference"]), blocks=tuple(blocks), parts=rows,
    )  # fmt: skip


def unit(name, block="miners", watts=3300.0, *, efficiency_j=20.0, asleep_w=0.0, ramp_s=0.0):
    """A unit with two levels; without an efficiency, its rate is not known."""
    rate = None if efficiency_j is None else watts / efficiency_j
    return Unit(name, block, (Level(OFF, asleep_w, 0.0), Level(ON, watts, rate)), ramp_up_s=ramp_s, ramp_down_s=ramp_s)


def fleet(site, count, ramp_s=0.0):
    """Units that have the power of all blocks of a site, equally many in each block."""
    plan = plan_of(site_year(site, hourly=True), hours=1)
    return [
        unit(f"{block.name}-{number}", block.name, block.nameplate_mw * 1e6 / count, ramp_s=ramp_s)
        for block in plan.blocks
        for number in range(count)
    ]


def running(one, **changes):
    """A unit that runs as it was found."""
    return replace(UnitView(one, UnitState.RUNNING, ON, as_found=ON, since_s=0.0), **changes)


def asleep(one, **changes):
    """A unit that is off, and was found running."""
    return replace(UnitView(one, UnitState.OFF, OFF, as_found=ON, since_s=0.0), **changes)


def prices(*usd_per_mwh, end_s=HOUR_S, length_s=300.0):
    """Inputs with price intervals, the last of which ends at a time."""
    first_s = end_s - len(usd_per_mwh) * length_s
    return Inputs(
        prices=tuple(
            Price(float(usd), first_s + length_s * k, first_s + length_s * (k + 1), first_s + length_s * k, "test")
            for k, usd in enumerate(usd_per_mwh)
        )
    )


def wild_prices(hours, seed=1):
    """Prices of a year with days, nights and peaks [USD/MWh]."""
    r = np.random.default_rng(seed)
    return 40 + 25 * np.sin(np.arange(hours) / 24 * 2 * np.pi) + r.gamma(0.3, 60, hours)


def after(views, levels):
    """What is known of units that do as they are asked."""
    return [
        view
        if view.unit.name not in levels
        else replace(
            view,
            level=levels[view.unit.name],
            state=UnitState.OFF if levels[view.unit.name] == OFF else UnitState.RUNNING,
        )
        for view in views
    ]
