"""The hash rate behind verified shares, with its interval: shares are a Poisson process of work.

The rule that ends a window is chosen before it begins. A window of fixed length takes `fixed_window`, a window that
ends with its n-th share takes `fixed_count`. Each is wrong for the other, and both are if the end waits for a good
moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench import limits
from bench.stratum.difficulty import hashes_of

Rule = Literal["fixed_window", "fixed_count", "mixed_difficulty"]


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """A hash rate with its interval."""

    rate_h_s: float  # [hash/s]
    low_h_s: float  # [hash/s]
    high_h_s: float  # [hash/s]
    shares: int  # number of valid shares
    duration_s: float  # [s]
    rule: Rule

    @property
    def half_width_frac(self) -> float:
        """Half of the interval over the rate [-]; infinite without shares."""
        return (self.high_h_s - self.low_h_s) / 2.0 / self.rate_h_s if self.rate_h_s else float("inf")


def chi2_quantile(probability: float, dof: float) -> float:
    """Return the quantile of the chi-squared distribution; 0 without degrees of freedom."""
    from scipy.special import gammaincinv

    return 2.0 * float(gammaincinv(dof / 2.0, probability)) if dof > 0.0 else 0.0


def poisson_interval(count: int, confidence: float = limits.CONFIDENCE) -> tuple[float, float]:
    """Return the central interval of a Poisson mean.

    References
    ----------
    F. Garwood, Biometrika 28 (1936) 437-442.
    """
    tail = (1.0 - confidence) / 2.0
    return chi2_quantile(tail, 2 * count) / 2.0, chi2_quantile(1.0 - tail, 2 * count + 2) / 2.0


def binomial_interval(count: int, total: int, confidence: float = limits.CONFIDENCE) -> tuple[float, float]:
    """Return the central interval of a fraction [-], such as that of the shares that are not valid.

    Raises
    ------
    ValueError
        The count is negative or above the total.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413.
    """
    from scipy.special import betaincinv

    if not 0 <= count <= total:
        raise ValueError(f"expected a count from 0 to {total}, got {count}")
    tail = (1.0 - confidence) / 2.0
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1.0 - tail)) if count < total else 1.0
    return low, high


def fixed_window(
    shares: int, difficulty: float, window_s: float, confidence: float = limits.CONFIDENCE
) -> RateEstimate:
    """Return the rate from the shares of a window whose length was fixed in advance.

    Parameters
    ----------
    shares
        Number of valid shares in the window.
    difficulty
        Issued difficulty of all of them [-].
    window_s
        Length of the window [s].
    confidence
        Probability of the interval [-].

    Raises
    ------
    ValueError
        The number is negative, or the difficulty or the length is not above 0.
    """
    _check(shares, window_s, least=0)
    unit = hashes_of(difficulty) / window_s
    low, high = poisson_interval(shares, confidence)
    return RateEstimate(shares * unit, low * unit, high * unit, shares, window_s, "fixed_window")


def fixed_count(
    shares: int, difficulty: float, elapsed_s: float, confidence: float = limits.CONFIDENCE
) -> RateEstimate:
    """Return the rate from the time that a number of shares took, which was fixed in advance.

    Parameters
    ----------
    shares
        Number of valid shares at which the window ended, at least 2.
    difficulty
        Issued difficulty of all of them [-].
    elapsed_s
        Time from the start of the window to the last share [s].
    confidence
        Probability of the interval [-].

    Raises
    ------
    ValueError
        There are fewer than 2 shares, or the difficulty or the time is not above 0.

    Notes
    -----
    2λT follows the chi-squared distribution with 2n degrees of freedom; (n - 1)/T has no bias, n/T is too high.
    """
    _check(shares, elapsed_s, least=2)
    unit = hashes_of(difficulty) / elapsed_s
    tail = (1.0 - confidence) / 2.0
    low, high = (chi2_quantile(probability, 2 * shares) / 2.0 for probability in (tail, 1.0 - tail))
    return RateEstimate((shares - 1) * unit, low * unit, high * unit, shares, elapsed_s, "fixed_count")


def mixed_difficulty(
    difficulties: Sequence[float], window_s: float, largest: float | None = None, confidence: float = limits.CONFIDENCE
) -> RateEstimate:
    """Return the rate from shares of several difficulties in a window whose length was fixed in advance.

    Parameters
    ----------
    difficulties
        Issued difficulty of each valid share [-].
    window_s
        Length of the window [s].
    largest
        Largest difficulty that was issued, which may have no share [-]; None takes the largest of the shares.
    confidence
        Probability of the interval [-].

    Raises
    ------
    ValueError
        The length is not above 0, or there is neither a share nor a largest difficulty.

    References
    ----------
    M. P. Fay, E. J. Feuer, Statistics in Medicine 16 (1997) 791-801: an interval of a weighted sum of Poisson counts.
    """
    weights = np.asarray(difficulties, dtype=float)
    _check(weights.size, window_s, least=0)
    heaviest = max(float(weights.max(initial=0.0)), largest or 0.0)
    if heaviest <= 0.0:
        raise ValueError("without shares the largest difficulty that was issued is needed")
    tail = (1.0 - confidence) / 2.0
    total, squares = float(weights.sum()), float((weights**2).sum())
    low = squares / (2.0 * total) * chi2_quantile(tail, 2.0 * total**2 / squares) if total else 0.0
    above, squares_above = total + heaviest, squares + heaviest**2
    high = squares_above / (2.0 * above) * chi2_quantile(1.0 - tail, 2.0 * above**2 / squares_above)
    unit = hashes_of(1.0) / window_s
    return RateEstimate(total * unit, low * unit, high * unit, int(weights.size), window_s, "mixed_difficulty")


def _check(shares: int, duration_s: float, least: int) -> None:
    if shares < least or not duration_s > 0.0:
        raise ValueError(f"expected at least {least} shares in a time above 0 s, got {shares} in {duration_s} s")
