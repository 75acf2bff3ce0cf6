"""Units whose figure changes over time by more than their runs differ, with a stated rate of false alarms."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench import limits
from bench.measure.stats import t_quantile

LEAST_RECORDS = 3  # of a unit
LEAST_SPAN_DAYS = 1.0  # from the first to the last record of a unit; a shorter change is one of warmth, not of age
TEST = (
    "a straight line through the records of each unit, Student's t against the scatter of all units' records about "
    "their lines, or the unit's own if that is larger; Bonferroni over the units"
)
FALSE_ALARMS_FRAC = 1.0 - limits.CONFIDENCE
"""Share [-] of fleets without drift in which the test names a unit: at most this."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The change of a unit's figure from its first record to its last, by a straight line."""

    frac: float  # [-] of the first
    interval: tuple[float, float]  # [-] 95 %, of this unit alone
    days: float  # from the first record to the last
    records: int
    probability: float  # [-] of a change so significant anywhere in the fleet, where no unit drifts
    drifts: bool


def drifts(series: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Drift]:
    """Return the drift of each unit with enough records.

    Parameters
    ----------
    series
        Time [days] and natural logarithm of the figure of each record, by unit.

    Notes
    -----
    The scatter about the lines is pooled over the units, because three records have one degree of freedom. A unit that
    scatters more than the others is held against its own scatter.
    """
    from scipy.special import stdtr

    lines = {unit: line for unit, points in series.items() if (line := _line(points)) is not None}
    dof = sum(line.dof for line in lines.values())
    if not dof:
        return {}
    pooled = math.fsum(line.squares for line in lines.values()) / dof
    result = {}
    for unit, line in lines.items():
        error = math.sqrt(max(pooled, line.squares / line.dof) * line.slope_variance) * line.days
        change, half = line.slope * line.days, t_quantile(dof) * error
        tail = 2.0 * float(stdtr(dof, -abs(change) / error)) if error > 0.0 else float(change == 0.0)
        probability = min(1.0, tail * len(lines))
        interval = (math.expm1(change - half), math.expm1(change + half))
        result[unit] = Drift(
            math.expm1(change), interval, line.days, line.dof + 2, probability, probability <= FALSE_ALARMS_FRAC
        )
    return result


@dataclass(frozen=True, slots=True)
class _Line:
    slope: float  # [1/day]
    slope_variance: float  # [1/day²] for a scatter of 1
    squares: float  # sum of the squared residuals
    dof: int
    days: float


def _line(points: Sequence[tuple[float, float]]) -> _Line | None:
    if len(points) < LEAST_RECORDS:
        return None
    days, logs = np.array(points).T
    span = float(days.max() - days.min())
    if span < LEAST_SPAN_DAYS:
        return None
    centred = days - days.mean()
    sum_of_squares = float(centred @ centred)
    slope = float(centred @ logs) / sum_of_squares
    residuals = logs - logs.mean() - slope * centred
    return _Line(slope, 1.0 / sum_of_squares, float(residuals @ residuals), len(points) - 2, span)
