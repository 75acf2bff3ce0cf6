"""The fit of a family's two constants on rows with measured watts, and the errors over rows that were not fitted."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.inference.engine import Holdout
from bench.inference.power.gpu import Family
from bench.inference.power.rows import WattRow

Array = NDArray[np.float64]

START = (0.6, 1e6)  # memory_frac, half_width
LEAST, MOST = (0.0, 1e4), (1.0, 1e8)


def fit(family: Family, rows: Sequence[WattRow]) -> Family:
    """Return the family with fitted constants, by least squares of ln(predicted/published).

    Parameters
    ----------
    family
        The family whose constants are fitted.
    rows
        Rows of its devices.
    """
    from scipy.optimize import least_squares

    def errors(values: Array) -> list[float]:
        candidate = _with(family, values)
        return [row.ln_error(candidate) for row in rows]

    bounds = ((LEAST[0], math.log(LEAST[1])), (MOST[0], math.log(MOST[1])))
    start = (START[0], math.log(START[1]))
    return _with(family, least_squares(errors, start, bounds=bounds, xtol=1e-10, ftol=1e-10).x)


def _with(family: Family, values: Array) -> Family:
    return replace(family, memory_frac=float(values[0]), half_width=math.exp(float(values[1])))


def holdout(ln_errors: Sequence[float]) -> Holdout:
    """Return the errors over some rows, from their ln(predicted/published)."""
    count = len(ln_errors)
    return Holdout(
        error_frac=math.exp(sum(abs(error) for error in ln_errors) / count) - 1.0,
        worst_frac=math.exp(max(abs(error) for error in ln_errors)) - 1.0,
        rms_ln=math.sqrt(sum(error * error for error in ln_errors) / count),
        rows=count,
    )
