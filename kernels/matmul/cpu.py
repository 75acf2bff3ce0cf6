"""Matrix products through NumPy's BLAS, checked against a more accurate reference by a stated error bound."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError

DTYPES = {"f32": np.float32, "f64": np.float64}

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def random_operands(size: int, dtype: str, seed: int = 0) -> tuple[Matrix, Matrix, Matrix]:
    """Return random A and B, uniform in -1 to 1, and an output, each of shape [size, size].

    Raises
    ------
    KernelInputError
        The size is below 1, or the dtype is neither `f32` nor `f64`.
    """
    if size < 1:
        raise KernelInputError(f"size: expected at least 1, got {size}")
    if dtype not in DTYPES:
        raise KernelInputError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}")
    generator = np.random.default_rng(seed)
    a, b = (generator.uniform(-1, 1, (size, size)).astype(DTYPES[dtype]) for _ in range(2))
    return a, b, np.empty_like(a)


def matmul(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Write A @ B into `out`; BLAS chooses the number of threads."""
    np.matmul(a, b, out=out)


@dataclass(frozen=True)
class ErrorCheck:
    """The largest error among the sampled entries of a product."""

    worst_frac_of_bound: float  # of the error that rounding allows; at most 1 passes
    sampled: int  # entries

    @property
    def passed(self) -> bool:
        """Whether every sampled entry lies within the bound."""
        return self.worst_frac_of_bound <= 1.0


def check_product(a: Matrix, b: Matrix, out: Matrix, samples: int = 256, seed: int = 1) -> ErrorCheck:
    """Compare random entries of `out` with dot products summed more accurately.

    The bound of entry (i, j) is gamma_k * sum |a_ik b_kj| with gamma_k = k u / (1 - k u) and u the unit roundoff. It
    holds for any order of summation, with or without fused operations. The reference is the correctly rounded sum of
    the exact products, which for float64 are split into two terms each.

    Parameters
    ----------
    a, b
        Operands, shapes [m, k] and [k, n].
    out
        Product, shape [m, n].
    samples
        Number of entries to compare.
    seed
        Seed of their choice.

    References
    ----------
    N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
    """
    generator = np.random.default_rng(seed)
    k = a.shape[1]
    unit = float(np.finfo(a.dtype).eps) / 2
    gamma = k * unit / (1 - k * unit)
    worst = 0.0
    for _ in range(samples):
        i, j = int(generator.integers(a.shape[0])), int(generator.integers(b.shape[1]))
        row, column = a[i].astype(np.float64), b[:, j].astype(np.float64)
        error = abs(float(out[i, j]) - _accurate_dot(row, column, exact=a.dtype == np.float32))
        bound = gamma * float(np.abs(row) @ np.abs(column))
        worst = max(worst, error / bound if np.isfinite(error) else np.inf)
    return ErrorCheck(float(worst), samples)


def _accurate_dot(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, exact: bool) -> float:
    """Return the correctly rounded dot product; `exact` says that float64 holds the products of the factors exactly."""
    from math import fsum

    product = x * y
    if exact:  # the product of two 24-bit factors fits a float64
        return fsum(product.tolist())
    x_high, x_low = _split(x)
    y_high, y_low = _split(y)
    error = ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low
    return fsum([*product.tolist(), *error.tolist()])


def _split(x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return two halves of 26 bits whose sum is x (Veltkamp's splitting)."""
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high
