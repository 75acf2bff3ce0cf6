"""The fit of a family's three constants on rows with measured watts, and the errors over rows that were not fitted."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.inference.engine import Holdout
from bench.inference.power.gpu import Family, power_table
from bench.inference.power.rows import WattRow

Array = NDArray[np.float64]

START = (0.6, 1e6, 0.5)  # memory_frac, half_width, wait_ratio
CLASSES = ("dense", "mixture")
LEAST, MOST = (0.0, 1e4, 0.0), (1.0, 1e8, 5.0)


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

    bounds = ((LEAST[0], math.log(LEAST[1]), LEAST[2]), (MOST[0], math.log(MOST[1]), MOST[2]))
    start = (START[0], math.log(START[1]), START[2])
    return _with(family, least_squares(errors, start, bounds=bounds, xtol=1e-10, ftol=1e-10).x)


def fitted_rows(family: Family, rows: Iterable[WattRow]) -> list[WattRow]:
    """Return the rows of a family on which its constants are fitted, by the rule in data/power.toml."""
    held = power_table("division")["held_out"]
    return [
        row
        for row in rows
        if row.family.name == family.name
        and row.row.flag is None
        and row.model_class in CLASSES
        and row.shape.name not in held
    ]


def held_out(rows: Sequence[WattRow]) -> list[tuple[WattRow, Family]]:
    """Return the rows without a flag, each with the constants of its family fitted on the other models.

    Rows of a class or model that is not fitted have the fit on all others. Models are told apart by layers and
    width, so that two releases of one build are one model.
    """
    judged = [row for row in rows if row.row.flag is None]
    fits: dict[tuple[str, tuple[int, int]], Family] = {}
    for row in judged:
        key = (row.family.name, _build(row))
        if key not in fits:
            others = [other for other in fitted_rows(row.family, rows) if _build(other) != key[1]]
            fits[key] = fit(row.family, others)
    return [(row, fits[row.family.name, _build(row)]) for row in judged]


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
