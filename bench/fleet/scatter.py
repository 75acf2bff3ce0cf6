"""The scatter of repeated figures of several units: pooled, and moderated for units that scatter more than others."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Moderated(NamedTuple):
    """Variances of units, each drawn towards those of the others as far as these are alike."""

    variances: tuple[float, ...]  # in the square of the figure's unit
    dof: float  # degrees of freedom of each; infinite where the units scatter alike


def pooled(variances: Sequence[float], dofs: Sequence[float]) -> tuple[float, float]:
    """Return the variance over all units and its degrees of freedom; both are 0 where nothing was repeated."""
    dof = math.fsum(dofs)
    return (math.fsum(v * d for v, d in zip(variances, dofs, strict=True)) / dof if dof else 0.0), dof


def moderated(variances: Sequence[float], dofs: Sequence[float]) -> Moderated:
    """Return variances of units, moderated by their common distribution.

    Parameters
    ----------
    variances
        Of each unit, in the square of the figure's unit.
    dofs
        Degrees of freedom of each; a unit without any gets the pooled variance.

    Notes
    -----
    True variances are taken as scaled inverse chi-square. Its degrees of freedom follow from the variance of the
    logarithms beyond that of chance.

    References
    ----------
    G. K. Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3, 3.
    """
    from scipy.special import digamma, polygamma

    typical, _ = pooled(variances, dofs)
    scaled = [(v, d) for v, d in zip(variances, dofs, strict=True) if d > 0.0 and v > 0.0]
    if len(scaled) < 3:
        return Moderated((typical,) * len(variances), math.inf)
    values, freedom = np.array(scaled).T
    logs = np.log(values) - digamma(freedom / 2.0) + np.log(freedom / 2.0)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2.0).mean())
    prior = _inverse_trigamma(excess) * 2.0 if excess > 0.0 else math.inf
    if math.isinf(prior):
        return Moderated((typical,) * len(variances), math.inf)
    centre = math.exp(float(logs.mean()) + float(digamma(prior / 2.0)) - math.log(prior / 2.0))
    own = [(prior * centre + d * v) / (prior + d) for v, d in zip(variances, dofs, strict=True)]
    return Moderated(tuple(own), prior + min(dofs))


def _inverse_trigamma(value: float) -> float:
    """Return the argument at which the trigamma function has this value; infinite for one that is almost 0."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    if value < 1e-6:
        return math.inf
    return math.exp(brentq(lambda log: math.log(float(polygamma(1, math.exp(log)))) - math.log(value), -8.0, 16.0))
