"""Units that differ from the others of their model by more than chance explains, with a stated rate of false alarms."""

from dataclasses import dataclass

import numpy as np

from bench import limits
from bench.fleet.errors import Figures, Weighted
from bench.fleet.spread import restricted_likelihood

LEAST_UNITS = 5
"""Units of a test: with fewer, the spread that a unit is held against is hardly known."""
TEST = (
    "each unit against the others (their mean, spread and errors without it), Student's t, Bonferroni over all units; "
    "the largest deviation first, then the others without it"
)
_MARGIN = 1.25  # on a probability: where errors are unequal, the degrees of freedom are approximate
FALSE_ALARMS_FRAC = 1.0 - limits.CONFIDENCE
"""Share [-] of fleets without an outlier in which the test names one: at most this."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far a unit's figure is from that which the other units let expect."""

    frac: float  # [-] of the expected figure
    probability: float  # [-] of a deviation so large anywhere in the fleet, where no unit differs
    is_outlier: bool


def deviations(figures: Figures) -> list[Deviation] | None:
    """Return the deviation of each unit, or None for too few units to test.

    Notes
    -----
    A unit is held against a fit without it, whose variance between units is estimated anew (externally studentised
    residual). Its degrees of freedom are those of the estimated variance, k - 2 where all units are known alike. A unit
    whose windows scatter more than those of the others has its own scatter, moderated by theirs. One
    test of k is at the rate of the whole fleet over k. After an outlier, the others are tested without it; two units
    that are alike off in a small fleet can hide each other.

    References
    ----------
    F. E. Grubbs (1950), Ann. Math. Statist. 21, 27; R. D. Cook and S. Weisberg (1982), Residuals and Influence, 2.2.
    """
    count = figures.logs.size
    if count < LEAST_UNITS:
        return None
    kept, result = list(range(count)), dict[int, Deviation]()
    while len(kept) >= LEAST_UNITS:
        tested = _each(figures)
        result.update(zip(kept, tested, strict=True))
        worst = min(range(len(kept)), key=lambda at: tested[at].probability)
        if not tested[worst].is_outlier:
            break
        kept.pop(worst)
        figures = figures.without(worst)
    return [result[at] for at in range(count)]


def _each(figures: Figures) -> list[Deviation]:
    from scipy.special import stdtr

    count = figures.logs.size
    found = []
    for index in range(count):
        others = figures.without(index)
        between = restricted_likelihood(others)
        difference, variance, slope = Weighted(figures, between).residual(index)
        more = max(0.0, float(figures.moderated[index] - figures.scatter[index]))
        of_between = 2.0 * slope**2 / Weighted(others, between).trace_of_square  # variance of the estimated variance
        of_scatter = 2.0 * float(figures.moderated[index]) ** 2 / figures.moderated_dof
        variance += more
        dof = max(2.0 * variance**2 / (of_between + of_scatter), 1.0)
        tail = 2.0 * float(stdtr(dof, -abs(difference) / variance**0.5))
        probability = min(1.0, _MARGIN * tail * count)
        found.append(Deviation(float(np.expm1(difference)), probability, probability <= FALSE_ALARMS_FRAC))
    return found
