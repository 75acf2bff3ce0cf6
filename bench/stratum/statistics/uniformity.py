"""Uniformity of hash over target: whether the miner sends every share that meets the difficulty it was asked for.

Hashes are uniform, so u = hash/target of honest shares is uniform on (0, 1). A chip that reports no nonce below a
difficulty of its own (its ticket mask), or firmware that rounds the difficulty up, leaves u below 1/2, 1/4 and so on:
shares are missing, and the rate is understated by that factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import limits

KS_LEVEL = 0.005  # [-] false alarms of the test of the whole distribution
LARGEST_LEVEL = 0.004  # [-] false alarms of the test of the largest value; both together stay below 1 %


@dataclass(frozen=True, slots=True)
class Uniformity:
    """The result of both tests, and the difficulty that the shares follow in fact."""

    shares: int
    ks_statistic: float  # [-] largest distance from the uniform distribution
    ks_p: float  # [-] probability of such a distance or a larger one
    largest: float  # [-] largest u
    largest_p: float  # [-] probability that all u are at most that
    difficulty_factor: float  # [-] difficulty that the shares follow over the one they were asked for
    difficulty_factor_low: float  # [-] 95 % interval
    difficulty_factor_high: float  # [-]

    @property
    def uniform(self) -> bool:
        """Whether neither test alarms; without shares there is nothing to alarm."""
        return self.ks_p >= KS_LEVEL and self.largest_p >= LARGEST_LEVEL


def uniformity(fractions: Sequence[float] | np.ndarray) -> Uniformity:
    """Return whether u = hash/target of valid shares is uniform, by Kolmogorov and Smirnov's test and by the largest u.

    Parameters
    ----------
    fractions
        Hash over target of each valid share [-], 0 to 1.

    Raises
    ------
    ValueError
        A value is outside 0 to 1.

    References
    ----------
    M. A. Stephens, Journal of the Royal Statistical Society B 32 (1970) 115-122: the statistic for a finite number.
    """
    from scipy.special import kolmogorov

    ordered = np.sort(np.asarray(fractions, dtype=float))
    n = int(ordered.size)
    if n == 0:
        return Uniformity(0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, math.inf)
    if not (ordered[0] >= 0.0 and ordered[-1] <= 1.0):
        raise ValueError("hash over target of a valid share is from 0 to 1")
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    scaled = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    largest = max(float(ordered[-1]), np.finfo(float).tiny)
    log_p = n * math.log(largest)
    widest = min(1.0, largest * (1.0 - limits.CONFIDENCE) ** (-1.0 / n))
    return Uniformity(
        shares=n,
        ks_statistic=distance,
        ks_p=float(kolmogorov(scaled)),
        largest=largest,
        largest_p=math.exp(log_p),
        difficulty_factor=1.0 / min(1.0, largest * (n + 1.0) / n),
        difficulty_factor_low=1.0 / widest,
        difficulty_factor_high=1.0 / largest,
    )
