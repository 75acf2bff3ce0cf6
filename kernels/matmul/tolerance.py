"""The error that a correct matrix product may have, by number format, and the check against float64 dot products.

References
----------
N. Higham and T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41 (2019).
"""

import math
from dataclasses import dataclass

import numpy as np

from kernels.matmul.formats import Format, Reals

SIGMAS = 5.0
"""Standard deviations of a random walk that the bound allows; by chance one entry in 10^6 exceeds it."""


@dataclass(frozen=True)
class Bound:
    """The right value of each entry and the error that it may have."""

    reference: Reals  # shape [samples]
    allowed: Reals  # shape [samples]


def bound(form: Format, rows_a: Reals, rows_b: Reals) -> Bound:
    """Return the float64 dot products of paired rows and the error that each may have.

    |error| ≤ u_out |ref| + u_sum λ ‖a∘b‖ (s + λ √(k + s)), with λ = SIGMAS, s = k / block additions into the
    accumulator and ‖a∘b‖ the root of the sum of squared products: λ ‖a∘b‖ bounds a random walk's partial sums. The term
    s covers an accumulator that always truncates, the root covers the truncation of single products. The bound holds
    for independent operands of mean zero, except for one entry in 10^6; int8 is exact.

    Parameters
    ----------
    form
        Format of the product.
    rows_a, rows_b
        Operands of each entry, float64 of shape [samples, k].
    """
    products = rows_a * rows_b
    reference = np.array([math.fsum(row) for row in products])
    norm = np.sqrt(np.square(products).sum(axis=1))
    k = products.shape[1]
    sums = math.ceil(k / form.block)
    allowed = form.out_unit * np.abs(reference)
    allowed = allowed + (1 + form.out_unit) * form.sum_unit * SIGMAS * norm * (sums + SIGMAS * math.sqrt(k + sums))
    return Bound(reference, allowed)


def relative_limit(form: Format, k: int) -> float:
    """Return the largest ‖error‖ / ‖reference‖ of many entries: u_out + u_sum (s / 2 + √(k + s)).

    A truncating accumulator loses half a unit an addition on average, and the losses of single products add like a
    random walk. The limit is much narrower than that of one entry, so that it detects a few wrong products in a long
    sum.
    """
    sums = math.ceil(k / form.block)
    return form.out_unit + form.sum_unit * (sums / 2 + math.sqrt(k + sums))


@dataclass(frozen=True)
class ProductCheck:
    """The errors of sampled entries of a product."""

    worst_frac_of_bound: float  # largest error as a fraction of its bound; 0 or infinity for an exact format
    relative_error: float  # norm of all errors, divided by that of the references
    relative_limit: float  # [-] largest relative_error that passes
    sampled: int  # entries

    @property
    def passed(self) -> bool:
        """Whether every error is within its bound, and their norm within its limit."""
        return self.worst_frac_of_bound <= 1.0 and self.relative_error <= self.relative_limit


def check_entries(form: Format, rows_a: Reals, rows_b: Reals, entries: Reals) -> ProductCheck:
    """Compare entries of a product with the float64 dot products of their rows.

    Parameters
    ----------
    form
        Format of the product.
    rows_a, rows_b
        Operands of each entry, float64 of shape [samples, k].
    entries
        Entries of the device's product, float64 of shape [samples].
    """
    limit = bound(form, rows_a, rows_b)
    error = np.abs(entries - limit.reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = np.where(error == 0.0, 0.0, error / limit.allowed)
    fractions = np.where(np.isfinite(entries), fractions, np.inf)
    size = float(np.sqrt(np.square(limit.reference).sum())) or 1.0
    relative = float(np.sqrt(np.square(error).sum())) / size
    worst = float(np.nan_to_num(fractions, nan=np.inf).max())
    return ProductCheck(worst, relative, relative_limit(form, rows_a.shape[1]), len(entries))
