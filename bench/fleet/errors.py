"""The errors of the figures of several units: what each unit has alone, and what units behind one meter share."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers


LEAST_VARIANCE = 1e-14  # [-] of a figure: no rate and no power is known better than to a ten-millionth


@dataclass(frozen=True, slots=True)
class Figures:
    """One figure of each of several units, as a natural logarithm, with the standard uncertainties of each.

    Logarithms make relative errors additive. The units of one group share one error, that of their meter.
    """

    logs: "Floats"  # [-] of the figure in its unit, shape [k]
    scatter: "Floats"  # [-] variance by the scatter of windows or runs, shape [k]
    scatter_dof: float  # degrees of freedom of the pooled scatter; infinite where it is known
    moderated: "Floats"  # [-] the same variance, for a unit that scatters more than the others, shape [k]
    moderated_dof: float  # degrees of freedom of each of these
    known: "Floats"  # [-] variance of what else each unit has alone: counted work, edges of windows, shape [k]
    group: "Integers"  # number of the group that shares a meter, shape [k]
    shared: "Floats"  # [-] variance of the error that a group shares, shape [groups]

    @property
    def own(self) -> "Floats":
        """The variance [-] of what each unit has alone."""
        own: Floats = np.maximum(self.scatter + self.known, LEAST_VARIANCE)
        return own

    def without(self, index: int) -> "Figures":
        """Return the figures without those of one unit."""
        kept = np.arange(self.logs.size) != index
        arrays = (self.logs, self.scatter, self.moderated, self.known, self.group)
        logs, scatter, moderated, known, group = (array[kept] for array in arrays)
        return Figures(logs, scatter, self.scatter_dof, moderated, self.moderated_dof, known, group, self.shared)


class Weighted:
    """The generalised least squares of figures for one variance between units, in time linear in the units.

    Parameters
    ----------
    figures
        The figures, shape [k].
    between
        Variance between units [-].

    Notes
    -----
    The covariance is S = diag(own + between) + shared within each group. W = S^-1 follows from the formula of Sherman
    and Morrison for each group, and P = W - W 1 1' W / (1' W 1) projects the mean away.
    """

    __slots__ = ("_figures", "_pull", "_row", "_total", "_weight", "mean", "projected")

    def __init__(self, figures: Figures, between: float) -> None:
        self._figures = figures
        self._weight = 1.0 / (figures.own + between)
        self._pull = figures.shared / (1.0 + figures.shared * self._by_group(self._weight))
        self._row = self._applied(np.ones_like(figures.logs))  # W 1
        self._total = float(self._row.sum())
        self.mean = float(self._row @ figures.logs) / self._total
        self.projected = self._applied(figures.logs - self.mean)  # P y

    def _by_group(self, values: "Floats") -> "Floats":
        sums: Floats = np.bincount(self._figures.group, values, self._figures.shared.size).astype(float)
        return sums

    def _applied(self, values: "Floats") -> "Floats":
        """Return W times a vector."""
        inner = self._pull * self._by_group(self._weight * values)
        applied: Floats = self._weight * (values - inner[self._figures.group])
        return applied

    @property
    def scatter(self) -> float:
        """The weighted sum of squares y' P y [-], which is chi-square with k - 1 degrees of freedom."""
        return float(self.projected @ (self._figures.logs - self.mean))

    @property
    def weights(self) -> "Floats":
        """The weights of the units in the mean [-], which add up to 1, shape [k]."""
        weights: Floats = self._row / self._total
        return weights

    @property
    def trace(self) -> float:
        """The trace of P, by which the variance between units is estimated."""
        weight = self._weight
        return float(weight.sum() - self._pull @ self._by_group(weight**2)) - float(self._row @ self._row) / self._total

    @property
    def trace_of_square(self) -> float:
        """The trace of P P, twice the information on the variance between units."""
        pull, weight, row = self._pull, self._weight, self._row
        squares, cubes = self._by_group(weight**2), self._by_group(weight**3)
        trace = float(weight @ weight - 2.0 * (pull @ cubes) + pull**2 @ squares**2)
        return trace - 2.0 * float(row @ self._applied(row)) / self._total + (float(row @ row) / self._total) ** 2

    def residual(self, index: int) -> tuple[float, float, float]:
        """Return a unit's figure less that which the others let expect [-], its variance, and how that varies.

        The last is the derivative of the variance by the variance between units [-].
        """
        column = np.zeros_like(self._figures.logs)
        column[index] = 1.0
        column = self._applied(column) - self._row * (self._row[index] / self._total)  # of P
        diagonal = float(column[index])
        return float(self.projected[index]) / diagonal, 1.0 / diagonal, float(column @ column) / diagonal**2

    def scatter_share(self) -> float:
        """Return the share [-] of the estimated scatter in the variance of a figure, in the mean over the units."""
        return float((self._weight * self._figures.scatter).mean())


def satterthwaite(dof: float, share: float) -> float:
    """Return the effective degrees of freedom of a variance; only a share of it is estimated, with `dof`."""
    return math.inf if share <= 0.0 or math.isinf(dof) else dof / share**2
