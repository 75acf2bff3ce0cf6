"""The time steps of a log: between its rows, and between the values that differ."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

Samples = Sequence[tuple[float, float | None]]


def step_s(samples: Samples) -> float | None:
    """Return the median time between two rows [s], or None if there are fewer than two."""
    return _median_step([when for when, _ in samples])


def period_s(samples: Samples) -> float | None:
    """Return the median time between two readings that differ from the one before [s], or None if fewer than two do.

    A logger that writes faster than its meter updates repeats each reading, so that this is the meter's own period.
    """
    known = [(when, watts) for when, watts in samples if watts is not None]
    return _median_step([when for (_, before), (when, watts) in pairwise(known) if watts != before])


def _median_step(times: Sequence[float]) -> float | None:
    steps = [later - earlier for earlier, later in pairwise(times)]
    return round(statistics.median(steps), 6) if steps else None  # times since 1970 are exact to a microsecond
