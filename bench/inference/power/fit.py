"""The fit of the constants on rows with measured watts, and the errors over rows that were not fitted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.inference.engine import Holdout
from bench.inference.power.classes import FULL
from bench.inference.power.gpu import SHARED, Family
from bench.inference.power.rows import WattRow

Array = NDArray[np.float64]

OWN_START, OWN_LEAST, OWN_MOST = (0.9, 1.3, math.log(1e6)), (0.0, 0.5, math.log(1e4)), (2.0, 5.0, math.log(1e8))
SHARED_START, SHARED_LEAST, SHARED_MOST = (1.0, 0.5, 0.5, 0.9), (0.0, 0.0, 0.0, 0.0), (5.0, 1.0, 2.0, 1.5)
CLASSES = ("dense", "mixture", FULL)
"""Classes on which the constants are fitted."""


def fitted_rows(rows: Iterable[WattRow]) -> list[WattRow]:
    """Return the rows on which the constants are fitted, by the rule in data/power.toml."""
    return [row for row in rows if row.row.flag is None and row.model_class in CLASSES]


def fit_all(
    families: Mapping[str, Family], rows: Iterable[WattRow], start: Mapping[str, Family] | None = None
) -> dict[str, Family]:
    """Return the families by name with all constants fitted, by least squares of ln(predicted/published).

    Parameters
    ----------
    families
        The families by name.
    rows
        Rows of any class; those of other classes or with a flag are passed over.
    start
        Families from whose constants the search starts, or None for the usual start.

    Notes
    -----
    Each family has its own constants of OWN, and all have those of SHARED. A family without rows stays as it is. A
    constant that no row depends on stays at its start.
    """
    from scipy.optimize import least_squares

    fitted = fitted_rows(rows)
    if not fitted:
        return dict(families)
    names = sorted({row.family.name for row in fitted})

    def chosen(values: Array) -> dict[str, Family]:
        return _with_values(families, names, values)

    def errors(values: Array) -> list[float]:
        candidates = chosen(values)
        return [row.ln_error(candidates[row.family.name]) for row in fitted]

    count = len(names)
    least, most = OWN_LEAST * count + SHARED_LEAST, OWN_MOST * count + SHARED_MOST
    first = OWN_START * count + SHARED_START if start is None else _values(start, names)
    return chosen(least_squares(errors, np.clip(first, least, most), bounds=(least, most), xtol=1e-8, ftol=1e-8).x)


def held_out(rows: Sequence[WattRow]) -> list[tuple[WattRow, Family]]:
    """Return the rows without a flag, each with the constants fitted on the other models.

    Rows of a class that is not fitted have the fit on all others. Layers and width identify a model, so that
    two releases of one build are one model.
    """
    judged = [row for row in rows if row.row.flag is None]
    families = {one.family.name: one.family for one in rows}
    whole = fit_all(families, rows)
    fits: dict[tuple[int, int], dict[str, Family]] = {}
    for row in judged:
        if _build(row) not in fits:
            others = [other for other in rows if _build(other) != _build(row)]
            fits[_build(row)] = fit_all(families, others, whole)
    return [(row, fits[_build(row)][row.family.name]) for row in judged]


def _build(row: WattRow) -> tuple[int, int]:
    return row.shape.layers, row.shape.hidden


def _with_values(families: Mapping[str, Family], names: Sequence[str], values: Array) -> dict[str, Family]:
    wait, host, padding, grouped = (float(value) for value in values[-len(SHARED) :])
    found = dict(families)
    for place, name in enumerate(names):
        memory, product, half = (float(value) for value in values[3 * place : 3 * place + 3])
        found[name] = replace(
            families[name], memory_frac=memory, product_frac=product, half_width=math.exp(half), wait_ratio=wait,
            host_wait_frac=host, padding_frac=padding, grouped_frac=grouped,
        )  # fmt: skip
    return found


def _values(families: Mapping[str, Family], names: Sequence[str]) -> tuple[float, ...]:
    own = [
        value
        for name in names
        for value in (families[name].memory_frac, families[name].product_frac, math.log(families[name].half_width))
    ]
    return (*own, *(getattr(families[names[0]], key) for key in SHARED))


def holdout(ln_errors: Sequence[float]) -> Holdout:
    """Return the errors over some rows, from their ln(predicted/published)."""
    count = len(ln_errors)
    return Holdout(
        error_frac=math.exp(sum(abs(error) for error in ln_errors) / count) - 1.0,
        worst_frac=math.exp(max(abs(error) for error in ln_errors)) - 1.0,
        rms_ln=math.sqrt(sum(error * error for error in ln_errors) / count),
        rows=count,
    )
