"""The plan of a year's dispatch: the whole year, or some hours of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.control.plan import Plan, PlanBlock, PlanPart
from sites.dispatch.columns import CURTAILED, IDLE, OFF, OUT, WAKES, Blocks
from sites.dispatch.formulas import passed_usd_per_mwh
from sites.dispatch.parts import hourly_parts, meter_of_parts
from sites.dispatch.problem import full_mw, problem
from sites.hours.calendar import HOUR_S
from sites.model import MiningBlock

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.control.plan import Series
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.year import SiteYear
    from sites.model import InferenceBlock, Site


def plan_of(year: SiteYear, start_s: float | None = None, hours: float | None = None) -> Plan:
    """Return the plan of a year that was run with `hourly=True`.

    Parameters
    ----------
    year
        The year of a site.
    start_s
        A time [s, Unix] within the first step of the plan; None for the year's first.
    hours
        Length of the plan [h], which the end of the year cuts; None for all the rest of the year.

    Raises
    ------
    InputError
        Only the year's sums were kept, or the time is outside the year.
    """
    site, calendar = year.site, year.site.calendar
    first = 0 if start_s is None else int((start_s - calendar.start_s) // calendar.step_s)
    if not 0 <= first < calendar.steps:
        expected = f"a time within the {site.hours} hours from {calendar.start_s} s (Unix)"
        raise InputError.at(f"plan of site {site.name}", expected=expected, got=start_s)
    length = calendar.steps if hours is None else max(1, round(hours * HOUR_S / calendar.step_s))
    return _Whole(year).cut(slice(first, min(first + length, calendar.steps)))


class _Whole:
    """The arrays of a whole year; a plan is a part of it."""

    def __init__(self, year: SiteYear) -> None:
        self._year, self._site = year, year.site
        self._device_mw, self._why, self._price = year.in_hours()
        self._arrays = problem(year.site)
        self._ratio = meter_of_parts(year.site, year.labels)
        self._caps, _, worth = hourly_parts(year.site)
        hour = self._arrays.hours
        rows: list[Blocks[float]] = [Blocks._make(row) for row in self._arrays.blocks]
        self._worth = worth - np.stack([passed_usd_per_mwh(row, hour) for row in rows]) if rows else worth

    def cut(self, steps: slice) -> Plan:
        """Return the plan of some steps."""
        site, arrays, hour = self._site, self._arrays, self._arrays.hours
        room, bound = _room(arrays, self._year.dispatch.peaks_mw)
        storage = self._year.storage
        battery = np.zeros_like(room) if storage is None else storage.charge_mw - storage.discharge_mw
        blocks = [self._block(block, steps) for block in site.blocks]
        names = [block.name for block in site.blocks]
        return Plan(
            site=site.name,
            start_s=int(site.start_s + steps.start * site.calendar.step_s),
            step_s=int(site.calendar.step_s),
            availability_frac=float(site.availability_frac),
            contract_mw=float(site.contract_mw),
            spot_usd_per_mwh=_series(hour.spot_usd_per_mwh, steps),
            resale_usd_per_mwh=_series(hour.resale_usd_per_mwh, steps),
            adder_usd_per_mwh=_series(hour.adder_usd_per_mwh, steps),
            forgone_usd_per_mwh=_series(hour.forgone_usd_per_mwh, steps),
            price_usd_per_mwh=_series(self._price, steps),
            room_mw=_series(room, steps),
            bound=tuple(bound[steps].tolist()),
            battery_mw=_series(battery, steps),
            may_export=site.battery is not None and site.battery.may_export,
            mining_meter_per_device=_series(hour.mining_meter_per_device, steps),
            gpu_meter_per_device=_series(hour.gpu_meter_per_device, steps),
            blocks=tuple(blocks),
            parts=tuple(self._part(k, names, steps) for k in range(len(self._year.labels))),
        )

    def _block(self, block: MiningBlock | InferenceBlock, steps: slice) -> PlanBlock:
        ceiling = _ceiling_mw(self._site, block)
        rows = [k for k, label in enumerate(self._year.labels) if label.name == block.name]
        per_mwh: float | None = None
        is_on: tuple[bool, ...] = ()
        if block.starts is not None and rows:
            is_on = tuple(bool(on) for on in (self._why[steps, rows[0]] != OFF))
            per_mwh = self._start_usd_per_mwh(block, rows)
        return PlanBlock(
            name=block.name,
            product="mining" if isinstance(block, MiningBlock) else "inference",
            nameplate_mw=float(_nameplate_mw(block)),
            ceiling_mw=_series(ceiling, steps),
            start_usd_per_mwh=per_mwh,
            is_on=is_on,
        )

    def _start_usd_per_mwh(self, block: MiningBlock | InferenceBlock, rows: list[int]) -> float:
        """Return the mean cost of a start, with the output that is lost, over the least time on or off."""
        terms = block.starts
        if terms is None:
            return 0.0
        least_h = max(min(terms.min_up_h, terms.min_down_h), self._site.calendar.step_h)
        meter = (self._caps[rows] * self._ratio[rows]).sum(axis=0)
        earned = (self._caps[rows] * self._ratio[rows] * self._worth[rows]).sum(axis=0)
        mean_mw = float(meter.mean())
        lost_usd = terms.wake_h * float(earned.mean())
        return (terms.start_usd + lost_usd) / (mean_mw * least_h) if mean_mw > 0.0 else 0.0

    def _part(self, k: int, names: list[str], steps: slice) -> PlanPart:
        label, row, why = self._year.labels[k], self._arrays.parts, self._why[:, k]
        block = self._site.blocks[names.index(label.name)]
        stored = self._year.storage is not None
        is_firm = bool(row.is_firm[k] > 0.0)
        leads = next(j for j, other in enumerate(self._year.labels) if other.name == label.name) == k
        is_base = stored and block.starts is not None and leads and label.product == "mining"
        planned = self._device_mw[:, k] * self._ratio[k]
        available = np.where(why == WAKES, planned, np.maximum(self._caps[k], 0.0) * self._ratio[k])
        return PlanPart(
            block=names.index(label.name),
            part=label.part,
            is_fixed=bool(row.kind[k] == IDLE) or is_base or (stored and is_firm),
            is_firm=is_firm,
            passes_energy=bool(row.passes_energy[k] > 0.0),
            planned_mw=_series(planned, steps),
            available_mw=_series(available, steps),
            worth_usd_per_mwh=_series(self._worth[k], steps),
        )


def _room(arrays: Problem, peaks_mw: Floats) -> tuple[Floats, np.ndarray]:
    """Return the power that may be drawn in each step [MW meter], and the code of what limits it."""
    limit = arrays.hours.limit_mw
    is_charged = arrays.charges_usd_per_mw[arrays.month] > 0.0
    peak = np.where(is_charged, peaks_mw[arrays.month], np.inf)
    cause = np.select([arrays.event == CURTAILED, arrays.event == OUT], ["event", "outage"], "grid")
    return np.minimum(limit, peak), np.where(peak < limit, "peak", cause)


def _nameplate_mw(block: MiningBlock | InferenceBlock) -> float:
    """Return the power of all devices of a block at full power, spares left out [MW device]."""
    if isinstance(block, MiningBlock):
        return block.count * sum(step.power_w for step in block.margins) / 1e6
    return full_mw(block)


def _ceiling_mw(site: Site, block: MiningBlock | InferenceBlock) -> Floats:
    """Return the power that the ambient temperature leaves to all devices of a block [MW device], [T]."""
    if isinstance(block, MiningBlock):
        return _nameplate_mw(block) * site.mining_capacity_frac
    return full_mw(block) * (block.idle_frac + (1.0 - block.idle_frac) * site.gpu_capacity_frac)


def _series(values: Floats, steps: slice) -> Series:
    return tuple(float(value) for value in values[steps])
