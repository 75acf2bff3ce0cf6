"""Statistics of windows: intervals, combined uncertainty, slopes, and the verdict of a comparison.

These few formulas are written out, not taken from SciPy's `stats`, whose import takes longer than all other work of
`perwatt compare`; only Student's quantile comes from `scipy.special`.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench import limits

Verdict = Literal["same", "higher", "lower", "cannot_tell"]


def t_quantile(dof: float, confidence: float = limits.CONFIDENCE) -> float:
    """Return the two-sided quantile of Student's t [-]; with infinite degrees of freedom, that of the normal one."""
    if math.isinf(dof):
        return statistics.NormalDist().inv_cdf(0.5 + confidence / 2.0)
    from scipy.special import stdtrit

    return float(stdtrit(dof, 0.5 + confidence / 2.0))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _sd(values: Sequence[float]) -> float:
    """Return the sample standard deviation; `statistics.stdev` is exact but thirty times slower."""
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def relative_sd(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation over the mean [-], or None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = _mean(values)
    return _sd(values) / abs(mean) if mean else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its standard uncertainties, each relative to the mean [-]."""

    value: float  # in the unit of the values
    n: int  # number of values
    relative_sd_frac: float | None  # standard deviation of the values; None for a single one
    u_spread_frac: float | None  # s/√n
    u_meter_frac: float  # systematic, of the meter
    u_work_frac: float  # systematic, of the count of work
    interval: tuple[float, float] | None  # 95 %; None for a single value


def standard_from_limits(accuracy_frac: float) -> float:
    """Return the standard uncertainty [-] of a stated accuracy ±a: rectangular, a/√3 (GUM 4.3.7)."""
    return accuracy_frac / math.sqrt(3.0)


def half_width(u_spread: float, dof: float, u_systematic: float) -> float:
    """Return half of a 95 % interval, in the unit of the standard uncertainties.

    Parameters
    ----------
    u_spread
        Standard uncertainty from a spread that was seen.
    dof
        Its degrees of freedom.
    u_systematic
        Standard uncertainty of what is alike in all values.

    Notes
    -----
    The half widths of both parts, each with a quantile of its own, add as squares. One quantile for the sum, with the
    effective degrees of freedom of GUM G.4, covers too little if few values have a spread that outweighs the systematic
    part (87 % with two, docs/evidence/meters.md), because it takes the spread that was seen for the true one.
    """
    return math.hypot(t_quantile(dof) * u_spread, t_quantile(math.inf) * u_systematic)


def estimate(values: Sequence[float], u_meter_frac: float = 0.0, u_work_frac: float = 0.0) -> Estimate:
    """Return the mean of windows with its 95 % interval, from spread, meter and work (method rule 13).

    Parameters
    ----------
    values
        One figure per window.
    u_meter_frac, u_work_frac
        Relative standard uncertainty of the meter and of the count of work [-].

    Raises
    ------
    ValueError
        There are no values.
    """
    if not values:
        raise ValueError("an estimate needs at least one value")
    mean = _mean(values)
    n = len(values)
    spread = relative_sd(values)
    if spread is None:
        return Estimate(mean, n, None, None, u_meter_frac, u_work_frac, None)
    u_spread = spread / math.sqrt(n)
    half = half_width(u_spread, n - 1.0, math.hypot(u_meter_frac, u_work_frac)) * abs(mean)
    return Estimate(mean, n, spread, u_spread, u_meter_frac, u_work_frac, (mean - half, mean + half))


def effective_dof(parts: Sequence[tuple[float, float]]) -> float:
    """Return the Welch-Satterthwaite degrees of freedom of the standard uncertainties (u, dof) of two spreads."""
    total = sum(u * u for u, _ in parts)
    below = sum(u**4 / dof for u, dof in parts if u > 0.0)
    return total * total / below if below > 0.0 else math.inf


def split_halves(first: float, second: float) -> float:
    """Return the difference of the second half from the first over their mean [-]."""
    middle = (first + second) / 2.0
    return (second - first) / middle if middle else math.inf


def slope_interval(times_s: Sequence[float], values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the relative slope [1/min], or None for fewer than three points."""
    n = len(times_s)
    if n < 3:
        return None
    mean_t, mean_v = _mean(times_s), _mean(values)
    spread_t = sum((t - mean_t) ** 2 for t in times_s)
    if spread_t <= 0.0 or mean_v == 0.0:
        return None
    slope = sum((t - mean_t) * (v - mean_v) for t, v in zip(times_s, values, strict=True)) / spread_t
    residual = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in zip(times_s, values, strict=True))
    half = t_quantile(n - 2.0) * math.sqrt(residual / (n - 2) / spread_t)
    scale = 60.0 / abs(mean_v)
    return ((slope - half) * scale, (slope + half) * scale)


def touches(interval: tuple[float, float] | None, limit: float) -> bool:
    """Return whether an interval reaches into ±limit; a missing interval counts as reaching."""
    return interval is None or (interval[0] <= limit and interval[1] >= -limit)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratio of two means with its 95 % interval [-] and the verdict."""

    ratio: float  # [-] of the geometric means, a over b
    interval: tuple[float, float] | None  # [-] 95 %; None if there are too few values
    verdict: Verdict


def compare(a: Sequence[float], b: Sequence[float], u_systematic_frac: float = 0.0) -> Comparison:
    """Return the ratio of a to b by Welch's t-test on logarithms (method rules 13 and 14).

    Parameters
    ----------
    a, b
        One figure per window.
    u_systematic_frac
        Relative standard uncertainty [-] that does not cancel in the ratio.

    Raises
    ------
    ValueError
        A side is empty or has a value that is not above 0.
    """
    if not a or not b or min(*a, *b, math.inf) <= 0.0:
        raise ValueError("both sides of a ratio need values above 0")
    logs_a, logs_b = [math.log(x) for x in a], [math.log(x) for x in b]
    difference = _mean(logs_a) - _mean(logs_b)
    if len(a) < 2 or len(b) < 2:
        return Comparison(math.exp(difference), None, "cannot_tell")
    parts = [(_sd(logs) / math.sqrt(len(logs)), len(logs) - 1.0) for logs in (logs_a, logs_b)]
    half = half_width(math.hypot(parts[0][0], parts[1][0]), effective_dof(parts), u_systematic_frac)
    interval = (math.exp(difference - half), math.exp(difference + half))
    return Comparison(math.exp(difference), interval, judge(interval))


def compare_pairs(ratios: Sequence[float]) -> Comparison:
    """Return the mean ratio of interleaved pairs by Student's t-test on its logarithms, since a pair shares its moment.

    Raises
    ------
    ValueError
        There are fewer than two pairs, or a ratio is not above 0.
    """
    if len(ratios) < 2 or min(ratios) <= 0.0:
        raise ValueError("a comparison of pairs needs two or more ratios above 0")
    logs = [math.log(ratio) for ratio in ratios]
    mean = _mean(logs)
    half = t_quantile(len(logs) - 1.0) * _sd(logs) / math.sqrt(len(logs))
    interval = (math.exp(mean - half), math.exp(mean + half))
    return Comparison(math.exp(mean), interval, judge(interval))


def judge(interval: tuple[float, float]) -> Verdict:
    """Return the verdict for the interval of a ratio; `same` comes first, then `higher` or `lower`."""
    low, high = interval
    if low >= 1.0 - limits.SAME_FRAC and high <= 1.0 + limits.SAME_FRAC:
        return "same"
    if low > 1.0:
        return "higher"
    if high < 1.0:
        return "lower"
    return "cannot_tell"
