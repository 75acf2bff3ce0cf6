"""The fit of the constants on rows with measured watts, and the errors over rows that were not fitted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.inference.engine import Holdout
from bench.inference.power.classes import FULL
from bench.inference.power.gpu import Family
from bench.inference.power.rows import WattRow

Array = NDArray[np.float64]

START = (0.6, 1e6, 0.5)  # memory_frac, half_width, wait_ratio
CLASSES = ("dense", "mixture")
"""Classes on which the constants of a family are fitted."""
LEAST, MOST = (0.0, 1e4, 0.0), (1.0, 1e8, 5.0)


def fit(family: Family, rows: Sequence[WattRow]) -> Family:
    """Return the family with its own three constants fitted, by least squares of ln(predicted/published).

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

    bounds = ((LEAST[0], math.log(LEAST[1]), LEAST[2]), (MOST[0], math.log(MOST[1]), MOST[2]))
    start = (START[0], math.log(START[1]), START[2])
    return _with(family, least_squares(errors, start, bounds=bounds, xtol=1e-10, ftol=1e-10).x)


def fitted_rows(family: Family, rows: Iterable[WattRow]) -> list[WattRow]:
    """Return the rows of a family on which its constants are fitted, by the rule in data/power.toml."""
    return [
        row for row in rows if row.family.name == family.name and row.row.flag is None and row.model_class in CLASSES
    ]


def grouped_frac(families: Mapping[str, Family], rows: Iterable[WattRow]) -> float:
    """Return what grouped kernels of fp8 draw of the range, fitted over all families at once.

    Parameters
    ----------
    families
        The families by name, with their own constants fitted.
    rows
        Rows of any class; those of other classes or with a flag are passed over.
    """
    from scipy.optimize import least_squares

    judged = [row for row in rows if row.row.flag is None and row.model_class == FULL]

    def errors(values: Array) -> list[float]:
        drawn = {name: replace(family, grouped_frac=float(values[0])) for name, family in families.items()}
        return [row.ln_error(drawn[row.family.name]) for row in judged]

    return float(least_squares(errors, START[:1], bounds=(0.0, 1.5), xtol=1e-10, ftol=1e-10).x[0])


def held_out(rows: Sequence[WattRow]) -> list[tuple[WattRow, Family]]:
    """Return the rows without a flag, each with the constants fitted on the other models.

    Rows of a class that is not fitted have the fit on all others. Layers and width identify a model, so that
    two releases of one build are one model.
    """
    judged = [row for row in rows if row.row.flag is None]
    fits: dict[tuple[int, int], dict[str, Family]] = {}
    for row in judged:
        if _build(row) not in fits:
            others = [other for other in rows if _build(other) != _build(row)]
            fits[_build(row)] = fit_all({one.family.name: one.family for one in rows}, others)
    return [(row, fits[_build(row)][row.family.name]) for row in judged]


def fit_all(families: Mapping[str, Family], rows: Sequence[WattRow]) -> dict[str, Family]:
    """Return the families by name with all constants fitted on some rows; a family without rows stays as it is."""
    own = {name: fitted_rows(family, rows) for name, family in families.items()}
    fitted = {name: fit(family, own[name]) if own[name] else family for name, family in families.items()}
    if not any(row.model_class == FULL and row.row.flag is None for row in rows):
        return fitted
    drawn_frac = grouped_frac(fitted, rows)
    return {name: replace(family, grouped_frac=drawn_frac) for name, family in fitted.items()}


def _build(row: WattRow) -> tuple[int, int]:
    return row.shape.layers, row.shape.hidden


def _with(family: Family, values: Array) -> Family:
    memory_frac, half_width, wait_ratio = (float(value) for value in values)
    return replace(family, memory_frac=memory_frac, half_width=math.exp(half_width), wait_ratio=wait_ratio)


def holdout(ln_errors: Sequence[float]) -> Holdout:
    """Return the errors over some rows, from their ln(predicted/published)."""
    count = len(ln_errors)
    return Holdout(
        error_frac=math.exp(sum(abs(error) for error in ln_errors) / count) - 1.0,
        worst_frac=math.exp(max(abs(error) for error in ln_errors)) - 1.0,
        rms_ln=math.sqrt(sum(error * error for error in ln_errors) / count),
        rows=count,
    )
