"""Capacity, promised work and worth of every part of a site in each hour, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.columns import IDLE, KINDS, ON_DEMAND, SLA, SUM, Blocks
from sites.dispatch.formulas import (
    able_mw,
    asked_mw,
    capacity_mw,
    owed_mw,
    passed_usd_per_mwh,
    work_mw,
    worth_usd_per_mwh,
)
from sites.dispatch.problem import full_mw, labels, meter_per_device, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.problem import Label
    from sites.dispatch.year import SiteYear
    from sites.model import InferenceBlock, Site


class PartFactors(NamedTuple):
    """Factors on the parts of a site in a scenario: numbers, or arrays of shape [parts, T]."""

    able: Floats | float  # on capacity
    asked: Floats | float  # on demand
    worth: Floats | float
    units: Floats | float  # on output; of miners BTC per USD of worth without its factor


NO_FACTORS = PartFactors(1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the value curve of a site: one part."""

    label: Label
    mw_from: float  # [MW meter] mean of the year
    mw_to: float  # [MW meter] mean of the year
    usd_per_mwh: float  # [USD/MWh meter]


def meter_of_parts(site: Site, rows: Sequence[Label]) -> Floats:
    """Return the meter MW per device MW of each part and hour, shape [parts, T]."""
    return np.stack([meter_per_device(site, row.product) for row in rows])


def hourly_parts(site: Site) -> tuple[Floats, Floats, Floats]:
    """Return capacity, promised work and worth of each part and step.

    Returns
    -------
    capacity
        [MW device], shape [parts, T]; of idle parts their draw.
    promised
        [MW device], shape [parts, T]; 0 except for promised work.
    worth
        [USD/MWh meter], shape [parts, T]; of promised work with its penalty, of idle parts 0.
    """
    return scaled_parts(site, problem(site), NO_FACTORS)


def scaled_parts(site: Site, arrays: Problem, factors: PartFactors) -> tuple[Floats, Floats, Floats]:
    """Return the same as `hourly_parts`, of `arrays` in place of the site's own and with factors on each part."""
    hours = np.arange(site.calendar.steps) * site.calendar.step_h
    ratio = meter_of_parts(site, labels(site))
    caps, promises, worths = np.zeros_like(ratio), np.zeros_like(ratio), np.zeros_like(ratio)
    hour, over_mean = arrays.hours, arrays.over_mean
    able_factor, asked_factor, worth_factor = (np.broadcast_to(factor, ratio.shape) for factor in factors[:3])
    for k, row in enumerate(arrays.blocks):
        block: Blocks[float] = Blocks._make(row)
        growth = np.exp(block.growth_log_per_hour * hours)
        asked = asked_mw(block, arrays.profiles[int(block.profile)][arrays.how], growth) * asked_factor[k]
        if block.kind in {SLA, ON_DEMAND}:
            able = able_mw(block, hour) * able_factor[k]
            caps[k] = work_mw(block.kind, able, block.promised_frac, asked, block.better_frac)
        else:
            caps[k] = capacity_mw(block, hour, asked) * able_factor[k]
        if block.kind == SLA:
            promises[k] = owed_mw(able, block.promised_frac * asked, block.better_frac, block.has_next)
        worth = worth_usd_per_mwh(block, hour, growth, over_mean[k]) * worth_factor[k]
        worths[k] = worth / ratio[k] + passed_usd_per_mwh(block, hour)
    return caps, promises, worths


def hourly_worth(site: Site) -> tuple[Floats, Floats, Floats]:
    """Return capacity and worth of the parts that are dispatched, and the idle draw.

    Returns
    -------
    capacity
        [MW meter], shape [parts other than idle, T].
    worth
        [USD/MWh meter], shape [parts other than idle, T].
    idle
        [MW meter], shape [T].
    """
    caps, _, worth = hourly_parts(site)
    rows = labels(site)
    ratio = meter_of_parts(site, rows)
    idle = [index for index, row in enumerate(rows) if row.part == KINDS[IDLE]]
    working = [index for index, row in enumerate(rows) if row.part != KINDS[IDLE]]
    draw = (caps * ratio)[idle].sum(axis=0)
    return (caps * ratio)[working], worth[working], draw


def penalties_usd_per_mwh(site: Site) -> Floats:
    """Return the penalty within the worth of each part and step [USD/MWh meter], shape [parts, T]."""
    rows = labels(site)
    arrays = problem(site)
    penalty: Floats = arrays.parts.penalty_usd_per_mwh[:, None] * arrays.over_mean
    return penalty / meter_of_parts(site, rows)


def value_curve(year: SiteYear) -> list[Step]:
    """Return the worth of one more metered MWh in each part that is dispatched, best first.

    Idle power is left out, and so is what tenants have a right to: no MWh more of it is paid for.

    Megawatts and worth are means over the year; the worth is weighted with the megawatts.
    """
    caps, worth, _ = hourly_worth(year.site)
    contracted = {block.name for block in year.site.inference if block.is_contracted}
    working = [label for label in year.labels if label.part != KINDS[IDLE]]
    means = caps.mean(axis=1)
    worths = [float((c * w).sum() / c.sum()) if c.sum() > 0 else 0.0 for c, w in zip(caps, worth, strict=True)]
    steps: list[Step] = []
    at = 0.0
    for index in sorted(range(len(working)), key=lambda k: -worths[k]):
        if means[index] <= 0 or working[index].name in contracted:
            continue
        steps.append(Step(working[index], at, at + float(means[index]), worths[index]))
        at += float(means[index])
    return steps


def point_shares(year: SiteYear, block: InferenceBlock) -> list[float]:
    """Return the share of the year for which the block's GPUs but its spares are at each of its operating points."""
    rows = [k for k, label in enumerate(year.labels) if label.name == block.name and label.part != KINDS[IDLE]]
    each = len(rows) // len(block.steps)  # promised and on-demand work of one point stand together
    full_mwh = full_mw(block) * year.hours
    reached = [
        float(year.dispatch.blocks[rows[each * i : each * (i + 1)], SUM.device_mwh].sum())
        / (full_mwh * step.power_frac)
        for i, step in enumerate(block.steps)
    ]
    return [max(share - after, 0.0) for share, after in zip(reached, [*reached[1:], 0.0], strict=True)]
