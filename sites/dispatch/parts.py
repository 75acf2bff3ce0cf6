"""What the dispatch sees in each hour, in NumPy: capacity, worth and meter MW of every part of a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import IDLE, KINDS, SLA, Blocks
from sites.dispatch.formulas import asked_mw, capacity_mw, passed_usd_per_mwh, worth_usd_per_mwh
from sites.dispatch.problem import labels, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.dispatch.problem import Label
    from sites.dispatch.year import SiteYear
    from sites.model import Site


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the value curve of a site: one part, between two mean powers at the meter."""

    label: Label
    mw_from: float
    mw_to: float
    usd_per_mwh: float


def meter_per_device(site: Site, rows: Sequence[Label]) -> Floats:
    """Meter MW per device MW of each part and hour, [parts, T]."""
    pue = [site.mining_pue if row.product == "mining" else site.gpu_pue for row in rows]
    return np.stack(pue) / site.delivered_frac


def hourly_parts(site: Site) -> tuple[Floats, Floats, Floats]:
    """Capacity [MW device], promised work [MW device] and worth [USD/MWh meter] of each part and hour, [parts, T].

    Idle parts have their draw as capacity and a worth of 0; the worth of promised work includes its penalty.
    """
    given = problem(site)
    hours = np.arange(site.hours)
    ratio = meter_per_device(site, labels(site))
    caps, promises, worths = np.zeros_like(ratio), np.zeros_like(ratio), np.zeros_like(ratio)
    at = given.hours
    for k, row in enumerate(given.blocks):
        block: Blocks[float] = Blocks._make(row)
        growth = np.exp(block.growth_log_per_hour * hours)
        asked = asked_mw(block, given.profiles[int(block.profile)][given.how], growth)
        caps[k] = capacity_mw(block, at, asked)
        promises[k] = block.promised_frac * asked if block.kind == SLA else 0.0
        worths[k] = worth_usd_per_mwh(block, at, growth) / ratio[k] + passed_usd_per_mwh(block, at)
    return caps, promises, worths


def hourly_worth(site: Site) -> tuple[Floats, Floats, Floats]:
    """Capacity and worth at the meter of the parts that are dispatched, [parts, T], and the idle draw [MW meter, T]."""
    caps, _, worth = hourly_parts(site)
    rows = labels(site)
    ratio = meter_per_device(site, rows)
    idle = [index for index, row in enumerate(rows) if row.part == KINDS[IDLE]]
    working = [index for index, row in enumerate(rows) if row.part != KINDS[IDLE]]
    draw = (caps * ratio)[idle].sum(axis=0)
    return (caps * ratio)[working], worth[working], draw


def penalties_usd_per_mwh(site: Site) -> Floats:
    """Penalty within the worth of each part and hour [USD/MWh meter], [parts, T]."""
    rows = labels(site)
    penalty = problem(site).parts.penalty_usd_per_mwh
    return penalty[:, None] / meter_per_device(site, rows)


def value_curve(year: SiteYear) -> list[Step]:
    """Return the worth of one more metered MWh in each part that is dispatched, best first; idle power is left out.

    Megawatts and worth are means over the year, the worth weighted with the megawatts.
    """
    caps, worth, _ = hourly_worth(year.site)
    working = [label for label in year.labels if label.part != KINDS[IDLE]]
    means = caps.mean(axis=1)
    worths = [float((c * w).sum() / c.sum()) if c.sum() > 0 else 0.0 for c, w in zip(caps, worth, strict=True)]
    steps: list[Step] = []
    at = 0.0
    for index in sorted(range(len(working)), key=lambda k: -worths[k]):
        if means[index] <= 0:
            continue
        steps.append(Step(working[index], at, at + float(means[index]), worths[index]))
        at += float(means[index])
    return steps
