"""The lines of a statement: USD in each month by name, from the site's point of view, income positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers

Lines = dict[str, "Floats"]
"""USD of each month, [M], by the name of the line."""


def by_month(values: Floats, month: Integers, months: int) -> Floats:
    """Return the sums of a series of steps, [T], in each month, [M].

    Parameters
    ----------
    values
        Values of the steps, [T].
    month
        Month of each step, counted from the first of the horizon, [T].
    months
        Number of months, M.
    """
    sums: Floats = np.bincount(month, weights=values, minlength=months).astype(np.float64)
    return sums


def total_usd(lines: Lines) -> Floats:
    """Return the sum of all lines in each month [USD], [M]."""
    total: Floats = np.sum(list(lines.values()), axis=0)
    return total


def negated(lines: Lines) -> Lines:
    """Return the same lines from the other party's point of view."""
    return {name: -usd for name, usd in lines.items()}


def escalated(price: float, escalator_frac: float, anniversaries: Integers) -> Floats:
    """Return a price that rises by the same share at each anniversary of a contract, [M]."""
    return price * (1.0 + escalator_frac) ** anniversaries.astype(float)
