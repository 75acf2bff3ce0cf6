"""What the dispatch sees in each hour, in NumPy: capacity, worth and meter MW of every part of a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.dispatch.problem import labels, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sites.dispatch.problem import Label
    from sites.dispatch.year import SiteYear
    from sites.model import Site

    Floats = NDArray[np.float64]

MINING, IDLE, SLA = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the value curve of a site: one part, between two mean powers at the meter."""

    label: Label
    mw_from: float
    mw_to: float
    usd_per_mwh: float


def meter_per_device(site: Site, rows: Sequence[Label]) -> Floats:
    """Meter MW per device MW of each part and hour, [parts, T]."""
    import numpy as np

    pue = [site.mining_pue if row.product == "mining" else site.gpu_pue for row in rows]
    return np.stack(pue) / site.delivered_frac


def hourly_parts(site: Site) -> tuple[Floats, Floats, Floats]:
    """Capacity [MW device], promised work [MW device] and worth [USD/MWh meter] of each part and hour, [parts, T].

    Idle parts have their draw as capacity and a worth of 0; the worth of promised work includes its penalty.
    """
    import numpy as np

    given = problem(site)
    hours = np.arange(site.hours)
    ratio = meter_per_device(site, labels(site))
    caps, promises, worths = np.zeros_like(ratio), np.zeros_like(ratio), np.zeros_like(ratio)
    energy_usd = given.series[0] + given.series[1]
    for k, row in enumerate(given.blocks):
        kind, grown = int(row[0]), np.exp(row[5] * hours)
        if kind == MINING:
            caps[k] = row[1] * given.series[4]
            worths[k] = row[2] * grown * (given.series[8] + row[3] * given.series[9]) / ratio[k]
        elif kind == IDLE:
            caps[k] = row[1]
        else:
            able = row[1] * given.series[5]
            asked = row[4] * given.profiles[int(row[7])][given.how] * grown
            first = np.minimum(able, row[6] * asked)
            caps[k] = first if kind == SLA else np.minimum(able, asked) - first
            promises[k] = row[6] * asked if kind == SLA else 0.0
            worths[k] = (row[2] + row[9]) / ratio[k] + row[8] * energy_usd
    return caps, promises, worths


def hourly_worth(site: Site) -> tuple[Floats, Floats, Floats]:
    """Capacity and worth at the meter of the parts that are dispatched, [parts, T], and the idle draw [MW meter, T]."""
    caps, _, worth = hourly_parts(site)
    rows = labels(site)
    ratio = meter_per_device(site, rows)
    idle = [index for index, row in enumerate(rows) if row.part == "idle"]
    working = [index for index, row in enumerate(rows) if row.part != "idle"]
    draw = (caps * ratio)[idle].sum(axis=0)
    return (caps * ratio)[working], worth[working], draw


def penalties_usd_per_mwh(site: Site) -> Floats:
    """Penalty within the worth of each part and hour [USD/MWh meter], [parts, T]."""
    rows = labels(site)
    blocks = problem(site).blocks
    return blocks[:, 9][:, None] / meter_per_device(site, rows)


def value_curve(year: SiteYear) -> list[Step]:
    """Return the worth of one more metered MWh in each part that is dispatched, best first; idle power is left out.

    Megawatts and worth are means over the year, the worth weighted with the megawatts.
    """
    caps, worth, _ = hourly_worth(year.site)
    working = [label for label in year.labels if label.part != "idle"]
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
