"""The time steps of a log: between its rows, and between the values that differ."""

import numpy as np

from bench.meters.logs.cells.arrays import median
from bench.meters.logs.log import Samples, Values


def step_s(samples: Samples) -> float | None:
    """Return the median time between two rows [s], or None if there are fewer than two."""
    return _median_step(samples.times_s)


def period_s(samples: Samples) -> float | None:
    """Return the median time between two readings that differ from the one before [s], or None if fewer than two do.

    A logger that writes faster than its meter updates repeats each reading, so that this is the meter's own period.
    """
    known = ~np.isnan(samples.power_w)
    times, power = (
        (samples.times_s, samples.power_w) if known.all() else (samples.times_s[known], samples.power_w[known])
    )
    return _median_step(times[1:][power[1:] != power[:-1]])


def _median_step(times: Values) -> float | None:
    steps = np.diff(times)
    return round(median(steps), 6) if len(steps) else None  # times since 1970 are exact to a microsecond
