"""Steadiness of a share stream: dispersion over chunks, the first half against the second, and gaps.

All tests take the arrival times of valid shares of one difficulty, and hold for a constant rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GAP_LEVEL = 1e-3  # [-] probability that a steady miner shows even one gap that counts as a gap


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The spread of counts over equal chunks of a window."""

    counts: tuple[int, ...]  # shares of each chunk
    index: float  # [-] chi-squared over degrees of freedom; 1 is expected
    over_p: float  # [-] probability of at least this spread: small if the rate moved
    under_p: float  # [-] probability of at most this spread: small if shares come more regularly than chance allows


@dataclass(frozen=True, slots=True)
class Halves:
    """The first half of a window against the second."""

    first: int  # shares
    second: int  # shares
    change_frac: float  # [-] second minus first over their mean; 0 without shares
    p: float  # [-] probability of at least this difference


@dataclass(frozen=True, slots=True)
class Gaps:
    """The times without shares that are too long for chance."""

    longest_s: float  # [s]
    longest_p: float  # [-] upper limit of the probability that the longest of all is at least this
    threshold_s: float  # [s] time without a share from which on it counts as a gap
    spans: tuple[tuple[float, float], ...]  # [s] start and end of each gap
    total_s: float  # [s] time in gaps


def dispersion(times_s: Sequence[float] | np.ndarray, start_s: float, end_s: float, chunks: int = 10) -> Dispersion:
    """Return the spread of counts over equal chunks.

    Parameters
    ----------
    times_s
        Arrival of each valid share [s].
    start_s, end_s
        The window [s].
    chunks
        Number of chunks, at least 2; each should expect five shares or more.

    Raises
    ------
    ValueError
        There are fewer than two chunks, or the window has no length.
    """
    from scipy.special import gammainc, gammaincc

    if chunks < 2 or not end_s > start_s:
        raise ValueError(f"expected two or more chunks in a window, got {chunks} from {start_s} s to {end_s} s")
    counts = np.histogram(_within(times_s, start_s, end_s), bins=chunks, range=(start_s, end_s))[0]
    mean = counts.mean()
    if mean == 0.0:
        return Dispersion(tuple(map(int, counts)), 1.0, 1.0, 1.0)
    chi2, dof = float(((counts - mean) ** 2).sum() / mean), chunks - 1
    over_p, under_p = float(gammaincc(dof / 2.0, chi2 / 2.0)), float(gammainc(dof / 2.0, chi2 / 2.0))
    return Dispersion(tuple(map(int, counts)), chi2 / dof, over_p, under_p)


def halves(times_s: Sequence[float] | np.ndarray, start_s: float, end_s: float) -> Halves:
    """Return the first half against the second: for a fixed sum, a steady rate makes the first binomial with 1/2.

    Raises
    ------
    ValueError
        The window has no length.
    """
    from scipy.special import bdtr, bdtrc

    if not end_s > start_s:
        raise ValueError(f"expected a window, got {start_s} s to {end_s} s")
    inside = _within(times_s, start_s, end_s)
    first = int((inside < (start_s + end_s) / 2.0).sum())
    total = int(inside.size)
    second = total - first
    if total == 0:
        return Halves(0, 0, 0.0, 1.0)
    at_most = float(bdtr(first, total, 0.5))
    at_least = float(bdtrc(first - 1, total, 0.5)) if first else 1.0
    return Halves(first, second, 2.0 * (second - first) / total, min(1.0, 2.0 * min(at_most, at_least)))


def gaps(times_s: Sequence[float] | np.ndarray, start_s: float, end_s: float) -> Gaps:
    """Return the times without shares that a steady miner would show in fewer than one window of a thousand.

    Raises
    ------
    ValueError
        The window has no length.

    Notes
    -----
    n shares cut the window T into n + 1 spacings. The probability that any reaches g is at most (n + 1)(1 - g/T)^n.
    """
    if not end_s > start_s:
        raise ValueError(f"expected a window, got {start_s} s to {end_s} s")
    inside = np.sort(_within(times_s, start_s, end_s))
    n, length_s = int(inside.size), end_s - start_s
    edges = np.concatenate(([start_s], inside, [end_s]))
    spacings = np.diff(edges)
    longest_s = float(spacings.max())
    threshold_s = length_s * (1.0 - (GAP_LEVEL / (n + 1)) ** (1.0 / n)) if n else length_s
    longest_p = min(1.0, (n + 1) * (1.0 - longest_s / length_s) ** n)
    at = np.flatnonzero(spacings >= threshold_s)
    spans = tuple((float(edges[i]), float(edges[i + 1])) for i in at)
    return Gaps(longest_s, longest_p, threshold_s, spans, float(spacings[at].sum()))


def _within(times_s: Sequence[float] | np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    times = np.asarray(times_s, dtype=float)
    return times[(times >= start_s) & (times < end_s)]
