"""What a site with a battery or start costs draws, earns and pays in a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.columns import IDLE, MINING, SUM, BlockSums, HourLoad
from sites.dispatch.formulas import resale_price
from sites.dispatch.merit_order import Dispatch, dispatch
from sites.dispatch.parts import NO_FACTORS, penalties_usd_per_mwh
from sites.dispatch.stored.reasons import ROUNDING, peaks_of, reasons_of
from sites.dispatch.stored.rows import Case, prices_of, rows_of, steps_of
from sites.storage.hours import NO_BATTERY, fill, lost_shares, started, within_peaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.parts import PartFactors
    from sites.model import Site
    from sites.storage.hours import Steps, Stored
    from sites.storage.terms import Battery


@dataclass(frozen=True, slots=True)
class UnitStarts:
    """The starts of a block in a year."""

    name: str
    starts: int
    start_usd: float  # [USD] without the output that is lost while waking up
    wake_mwh: float  # [MWh meter] drawn without output


@dataclass(frozen=True, slots=True)
class StorageYear:
    """The year of a site's battery and of its blocks with start costs."""

    charge_mw: Floats  # [MW meter] mean of each step, shape [T]
    discharge_mw: Floats  # [MW meter] shape [T]
    state_mwh: Floats  # [MWh] in the cells at the end of each step, shape [T]
    useful_mw: Floats  # [MW device] of each part, without what is drawn while waking up, shape [T, B]
    charged_mwh: float  # [MWh meter]
    discharged_mwh: float  # [MWh meter] shifted to another time
    cycles: float  # full discharges of the battery
    wear_usd: float  # [USD] degradation
    power_usd: float  # [USD] cost of charging less that of the power displaced, at each step's mean cost
    export_mwh: float  # [MWh meter] fed into the grid
    export_usd: float  # [USD] paid for it; part of power_usd
    units: tuple[UnitStarts, ...]
    method: str  # in words
    gap_frac: float  # that the method leaves between this plan and the best one

    @property
    def start_usd(self) -> float:
        """Cost of all starts [USD]."""
        return sum(unit.start_usd for unit in self.units)


def stored_dispatch(
    site: Site,
    arrays: Problem,
    *,
    solver: Callable[[Steps, Battery], Stored] | None = None,
    factors: PartFactors = NO_FACTORS,
) -> tuple[Dispatch, StorageYear]:
    """Dispatch a site with a battery or start costs.

    Parameters
    ----------
    site, arrays
        The site, and its steps; in a scenario with prices of its own.
    solver
        Function that returns the plan; `sites.storage.solve.best` if None.
    factors
        Factors on the parts in a scenario; units of miners are then BTC.
    """
    from sites.storage.solve import best

    rows = rows_of(site, arrays, factors)
    steps = steps_of(site, arrays, rows)
    case = Case(site, arrays, rows, steps, (solver or best)(steps, site.battery or NO_BATTERY), factors)
    return _added_up(case, *_drawn(case))


def _drawn(case: Case) -> tuple[Floats, Floats]:
    """Return what each row draws [MW meter], and the part of it that makes output, both [B, T]."""
    _, arrays, rows, steps, plan, _ = case
    meter = np.zeros_like(rows.cap_mw)
    free = ~rows.is_must & ~(rows.is_base & (arrays.parts.kind == IDLE))
    meter[free], _ = fill(within_peaks(steps, plan.peaks_mw), plan.net_mw, plan.on)
    left = arrays.hours.limit_mw.copy()
    must = np.flatnonzero(rows.is_must)
    for k in sorted(must, key=lambda k: arrays.blocks[k, 0] != IDLE):  # idle power comes before tenants
        meter[k] = np.minimum(rows.cap_mw[k], left)
        left -= meter[k]
    useful, lost = meter.copy(), lost_shares(steps, plan.on)
    for k in np.flatnonzero(rows.is_base):
        u = rows.unit[k]
        base = steps.base_mw[u] * plan.on[u]
        meter[k] += base
        useful[k] += base * (1.0 - lost[u])
    return meter, useful


class _Power(NamedTuple):
    """The power of a site at its meter in each step, and what it costs; all of shape [T]."""

    drawn_mw: Floats
    exported_mw: Floats
    bought_mw: Floats  # of drawn_mw on the spot market; the rest is within the contract
    sold_mw: Floats  # of the contract, resold
    mean_usd_per_mwh: Floats  # cost of a drawn MWh


def _power(arrays: Problem, net_mw: Floats) -> _Power:
    hour, contract_mw = arrays.hours, arrays.contract_mw
    resale = resale_price(hour.resale_usd_per_mwh)
    drawn = np.maximum(net_mw, 0.0)
    all_resold = (resale > hour.spot_usd_per_mwh) & (contract_mw > 0.0)
    bought = np.where(all_resold, drawn, np.maximum(drawn - contract_mw, 0.0))
    sold = np.where(all_resold, contract_mw, np.maximum(contract_mw - drawn, 0.0))
    cost = (drawn - bought) * arrays.contract_usd_per_mwh + bought * hour.spot_usd_per_mwh
    mean = np.divide(cost, drawn, out=hour.spot_usd_per_mwh.copy(), where=drawn > 0.0) + hour.adder_usd_per_mwh
    return _Power(drawn, np.maximum(-net_mw, 0.0), bought, np.where(resale == 0.0, 0.0, sold), mean)


def _added_up(case: Case, meter: Floats, useful: Floats) -> tuple[Dispatch, StorageYear]:
    site, arrays, rows, steps, plan, _ = case
    hour, step_h, battery = arrays.hours, arrays.step_h, site.battery or NO_BATTERY
    net = meter.sum(axis=0) + plan.net_mw
    net[np.abs(net) <= ROUNDING * (meter.sum(axis=0) + battery.power_mw)] = 0.0
    power = _power(arrays, net)
    drawn, resale = power.drawn_mw, resale_price(hour.resale_usd_per_mwh)
    export_usd = float((power.exported_mw * steps.price[0]).sum()) * step_h
    sums, penalty_usd = _sums(case, meter, useful, power)
    peaks = np.maximum(peaks_of(arrays, drawn), 0.0)
    near, far = prices_of(arrays)
    load = _load(arrays)

    def total(values: Floats) -> float:
        return float(values.sum()) * step_h

    done = Dispatch(
        blocks=sums,
        bought_mwh=total(power.bought_mw),
        bought_usd=total(power.bought_mw * hour.spot_usd_per_mwh),
        sold_mwh=total(power.sold_mw),
        sold_usd=total(power.sold_mw * resale),
        adder_usd=total(hour.adder_usd_per_mwh * drawn),
        forgone_usd=total(hour.forgone_usd_per_mwh * drawn),
        penalty_usd=penalty_usd,
        drawn_mwh=total(drawn),
        contract_usd=arrays.contract_mw * arrays.contract_usd_per_mwh * net.size * step_h,
        resale_hours=total((power.sold_mw > 0.0).astype(np.float64)),
        peaks_mw=peaks,
        demand_charge_usd=float(peaks @ arrays.charges_usd_per_mw),
        mw=np.ascontiguousarray((meter / rows.ratio).T),
        why=reasons_of(case, meter, net),
        price_usd_per_mwh=np.where(drawn < arrays.contract_mw, near, far),
        load=load._replace(drawn_mw=drawn) if load.load_mw.size else load,
        export_usd=export_usd,
    )
    discharged = total(plan.discharge_mw)
    return done, StorageYear(
        charge_mw=plan.charge_mw,
        discharge_mw=plan.discharge_mw,
        state_mwh=plan.state_mwh,
        useful_mw=np.ascontiguousarray((useful / rows.ratio).T),
        charged_mwh=total(plan.charge_mw),
        discharged_mwh=discharged,
        cycles=discharged / battery.energy_mwh if battery.energy_mwh > 0.0 else 0.0,
        wear_usd=discharged * battery.wear_usd_per_mwh,
        power_usd=total((plan.net_mw + power.exported_mw) * power.mean_usd_per_mwh) - export_usd,
        export_mwh=total(power.exported_mw),
        export_usd=export_usd,
        units=_unit_starts(case),
        method=plan.method,
        gap_frac=plan.gap_frac,
    )


def _load(arrays: Problem) -> HourLoad:
    """Return the load that a programme counts: that of the site without battery and start costs."""
    if arrays.programme.load_limit_mw.size:
        return dispatch(arrays).load
    return HourLoad(np.zeros(0), np.zeros(0), np.zeros(0))


def _sums(case: Case, meter: Floats, useful: Floats, power: _Power) -> tuple[Floats, float]:
    """Return the sums of each row, columns as columns.BlockSums, and the penalties [USD]."""
    site, arrays, rows, _, _, factors = case
    parts = arrays.parts
    device, made = meter / rows.ratio, useful / rows.ratio
    short = np.maximum(rows.owed_mw - device, 0.0)
    short[short <= 1e-12 * rows.owed_mw] = 0.0
    elapsed_h = np.arange(site.calendar.steps) * arrays.step_h
    aged = np.where((parts.kind == MINING)[:, None], np.exp(parts.growth_log_per_hour[:, None] * elapsed_h), 1.0)
    revenue = useful * (rows.worth - penalties_usd_per_mwh(site) * factors.worth)
    units = made * aged * parts.units_per_mwh[:, None]
    if factors is not NO_FACTORS:
        units = np.where((parts.kind == MINING)[:, None], revenue / factors.worth, units) * factors.units
    sums = np.zeros((len(arrays.blocks), len(BlockSums._fields)))
    for column, values in (
        (SUM.device_mwh, device),
        (SUM.meter_mwh, meter),
        (SUM.revenue_usd, revenue),
        (SUM.energy_usd, meter * power.mean_usd_per_mwh),
        (SUM.short_mwh, short),
        (SUM.units, units),
    ):
        sums[:, column] = values.sum(axis=1) * arrays.step_h
    penalty_usd = (short * parts.penalty_usd_per_mwh[:, None] * arrays.over_mean * factors.worth).sum() * arrays.step_h
    return sums, float(penalty_usd)


def _unit_starts(case: Case) -> tuple[UnitStarts, ...]:
    _, arrays, rows, steps, plan, _ = case
    starts, lost = started(plan.on), lost_shares(steps, plan.on)
    return tuple(
        UnitStarts(
            name=block.name,
            starts=int(starts[u].sum()),
            start_usd=float(starts[u].sum() * steps.start_usd[u]),
            wake_mwh=float((lost[u] * plan.on[u] * steps.base_mw[u]).sum()) * arrays.step_h,
        )
        for u, block in enumerate(rows.units)
    )
