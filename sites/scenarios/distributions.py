"""The distribution of a quantity over scenarios: mean, exceedance levels (P50, P90, ...) and the mean of the worst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.scenarios.metrics import more_is_better, site_metric

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.scenarios.engine import FleetRun

LEVELS = {"p99": 0.99, "p90": 0.90, "p50": 0.50, "p10": 0.10, "p01": 0.01}
"""Probabilities of exceedance that are computed, shown and written, in the order of columns.

To show P95 too, add `"p95": 0.95` here and a field `p95` to Distribution.
"""
TAIL = 0.05
WHY_P50_IS_LOWER = (
    "P50 is below the net without spread: the median of a price lies below its mean, and demand above capacity is not "
    "sold"
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of a quantity over scenarios; P90 is exceeded with a probability of 90 %, also for a cost."""

    n: int  # scenarios with a value
    mean: float  # in the unit of the quantity, as are all below
    sd: float  # standard deviation
    p01: float  # exceeded with 1 %
    p10: float  # exceeded with 10 %
    p50: float  # exceeded with 50 %
    p90: float  # exceeded with 90 %, so that p90 < p50
    p99: float  # exceeded with 99 %
    cvar: float  # mean of the worst 5 % of scenarios: the lowest of a yield, the highest of a cost

    def by_label(self) -> dict[str, float]:
        """Return the exceedance levels by their label, such as "P90", in the order of LEVELS."""
        return {label_of(name): getattr(self, name) for name in LEVELS}


def label_of(level: str) -> str:
    """Return the label of a level of LEVELS: "P1" of "p01"."""
    return f"P{int(level[1:])}"


def exceeded(values: Floats, probability: float) -> float:
    """Return the value that scenarios exceed with a probability, linear between order statistics.

    Raises
    ------
    InputError
        The probability is not within 0 to 1, or there are no values.

    References
    ----------
    R. J. Hyndman and Y. Fan (1996), The American Statistician 50, 361 (definition 7).
    """
    if not 0.0 <= probability <= 1.0:
        raise InputError.at("exceedance", expected="a probability of 0 to 1", got=probability)
    if values.size == 0:
        raise InputError("exceedance: expected at least one scenario, got none")
    return float(np.quantile(values, 1.0 - probability))


def tail_mean(values: Floats, share: float = TAIL, *, more_is_better: bool = True) -> float:
    """Return the mean of the worst share of scenarios (conditional value at risk), at least of one scenario.

    The worst values are the lowest, or for a cost (`more_is_better=False`) the highest.
    """
    count = max(1, math.ceil(share * values.size))
    ranked = np.sort(values)
    return float((ranked[:count] if more_is_better else ranked[-count:]).mean())


def distribution(values: Floats, *, more_is_better: bool = True) -> Distribution | None:
    """Return the distribution over the scenarios that have a value, or None if there are none."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return None
    mean = math.fsum(finite) / finite.size
    return Distribution(
        n=int(finite.size),
        mean=mean,
        sd=float(finite.std(ddof=1)) if finite.size > 1 else 0.0,
        cvar=tail_mean(finite, more_is_better=more_is_better),
        **{name: exceeded(finite, probability) for name, probability in LEVELS.items()},
    )


def of_sites(run: FleetRun, metric: str) -> dict[str, Distribution | None]:
    """Return the distribution of a metric for each site of a run, by name."""
    better = more_is_better(metric)
    return {
        case.name: distribution(site_metric(run, index, metric), more_is_better=better)
        for index, case in enumerate(run.cases)
    }
