"""The error that a correct matrix product may have, by number format, and the check against float64 dot products."""

import math
from dataclasses import dataclass

import numpy as np

from kernels.matmul.formats import Format, Reals

SIGMAS = 5.0
"""How many standard deviations of a random walk the bound allows; an entry passes it by chance once in 10^6."""


@dataclass(frozen=True)
class Bound:
    """What one entry may be off by, and what it should be."""

    reference: Reals
    allowed: Reals


def bound(form: Format, rows_a: Reals, rows_b: Reals) -> Bound:
    """Return the float64 dot products of paired rows (samples, k) and the error that each is allowed.

    |error| ≤ u_out |ref| + u_sum λ ‖a∘b‖ (s + λ √(k + s)), with s = k / block additions into the accumulator, ‖a∘b‖ the
    root of the sum of squared products, which bounds a random walk's partial sums by λ ‖a∘b‖. The term s is for an
    accumulator that always cuts off, the root for what is cut off of single products. It holds for independent operands
    of mean zero, as ours are, but for one entry in 10^6; int8 is exact.
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
    """Return what ‖error‖ / ‖reference‖ of many entries may be: u_out + u_sum (s / 2 + √(k + s)).

    An accumulator that cuts off loses half a unit an addition on average, and single products' losses add as a walk;
    much narrower than what one entry is allowed, so that a few wrong products in a long sum are seen.
    """
    sums = math.ceil(k / form.block)
    return form.out_unit + form.sum_unit * (sums / 2 + math.sqrt(k + sums))


@dataclass(frozen=True)
class ProductCheck:
    """The worst sampled entry as a fraction of what it may be off by, and all of them together by norm.

    Formats that are exact have a fraction of 0 or infinity.
    """

    worst_frac_of_bound: float
    relative_error: float
    relative_limit: float
    sampled: int

    @property
    def passed(self) -> bool:
        """Whether every sampled entry lies within its bound, and their error's norm within its limit."""
        return self.worst_frac_of_bound <= 1.0 and self.relative_error <= self.relative_limit


def check_entries(form: Format, rows_a: Reals, rows_b: Reals, entries: Reals) -> ProductCheck:
    """Compare entries of a product with the float64 dot products of their rows.

    Parameters
    ----------
    rows_a, rows_b
        float64[samples, k], the operands of each entry.
    entries
        float64[samples], what the device gave.
    """
    stated = bound(form, rows_a, rows_b)
    error = np.abs(entries - stated.reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = np.where(error == 0.0, 0.0, error / stated.allowed)
    fractions = np.where(np.isfinite(entries), fractions, np.inf)
    size = float(np.sqrt(np.square(stated.reference).sum())) or 1.0
    relative = float(np.sqrt(np.square(error).sum())) / size
    worst = float(np.nan_to_num(fractions, nan=np.inf).max())
    return ProductCheck(worst, relative, relative_limit(form, rows_a.shape[1]), len(entries))
