"""Figures of simulated fleets: units that differ, windows that scatter, meters that are wrong together."""

from typing import NamedTuple

import numpy as np

from bench.fleet.errors import Figures
from bench.fleet.scatter import moderated, pooled


class Drawn(NamedTuple):
    """A simulated fleet."""

    figures: Figures
    units: np.ndarray  # what each unit truly differs from the mean of its model [-]


def drawn(
    rng, count, sd, *, window_sd=0.005, windows=3, window_sd_spread=0.0, work=0.0, work_spread=0.0,
    meter=0.0, meters=1, shifts=(),
):  # fmt: skip
    """Draw one figure of each of `count` units.

    Parameters
    ----------
    sd
        Standard deviation between units.
    window_sd, window_sd_spread
        Scatter of windows, and the standard deviation of its logarithm over the units.
    work, work_spread
        Known error of each unit, and the standard deviation of its logarithm over the units.
    meter, meters
        Error of a meter, and the number of meters; units take them in turn.
    shifts
        By which the first units are off.
    """
    units = sd * rng.standard_normal(count)
    units[: len(shifts)] += shifts
    group = np.arange(count) % meters
    known = (work * np.exp(work_spread * rng.standard_normal(count))) ** 2
    each = window_sd * np.exp(window_sd_spread * rng.standard_normal(count))
    values = each[:, None] * rng.standard_normal((count, windows))
    means = units + meter * rng.standard_normal(meters)[group]
    means += np.sqrt(known) * rng.standard_normal(count) + values.mean(1)
    variances, dofs = values.var(1, ddof=1).tolist(), [windows - 1.0] * count
    typical, dof = pooled(variances, dofs)
    own = moderated(variances, dofs)
    shared = np.full(meters, meter**2)
    if meters == count:  # a meter of its own is known, and shared by nobody
        known, shared = known + shared, np.zeros(meters)
    figures = Figures(
        logs=means,
        scatter=np.full(count, typical / windows),
        scatter_dof=dof,
        moderated=np.maximum(np.array(own.variances), typical) / windows,
        moderated_dof=own.dof,
        known=known,
        group=group,
        shared=shared,
    )
    return Drawn(figures, units)
