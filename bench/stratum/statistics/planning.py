"""The plan of a window: the shares and the seconds that an error takes, and the difficulty to ask for."""

import math
from dataclasses import dataclass

from bench import limits
from bench.stratum.difficulty import hashes_of
from bench.stratum.statistics.rate import poisson_interval

FEWEST_SHARES_S, MOST_SHARES_S = 5.0, 20.0  # [1/s] rate of shares that a difficulty is chosen for


@dataclass(frozen=True, slots=True)
class DifficultyChoice:
    """A difficulty, and the rate of shares that it gives."""

    difficulty: float  # [-] a power of two
    shares_s: float  # [1/s] expected


def shares_for(half_width_frac: float, confidence: float = limits.CONFIDENCE) -> int:
    """Return the smallest number of shares whose interval, halved, is at most this part of the rate [-].

    Raises
    ------
    ValueError
        The part is not above 0.
    """
    if not half_width_frac > 0.0:
        raise ValueError(f"expected an error above 0, got {half_width_frac}")
    low, high = 0, 1
    while not _is_enough(high, half_width_frac, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_enough(middle, half_width_frac, confidence) else (middle, high)
    return high


def seconds_for(
    half_width_frac: float, difficulty: float, rate_h_s: float, confidence: float = limits.CONFIDENCE
) -> float:
    """Return the length [s] of a window that is expected to reach an error.

    Parameters
    ----------
    half_width_frac
        Half of the interval over the rate [-].
    difficulty
        Issued difficulty [-].
    rate_h_s
        Expected hash rate [hash/s].
    confidence
        Probability of the interval [-].

    Raises
    ------
    ValueError
        The error or the rate is not above 0.
    """
    if not rate_h_s > 0.0:
        raise ValueError(f"expected a rate above 0, got {rate_h_s}")
    return hashes_of(difficulty, shares_for(half_width_frac, confidence)) / rate_h_s


def choose_difficulty(rate_h_s: float, ticket_mask: float = 1.0) -> DifficultyChoice:
    """Return the smallest power of two that gives at most 20 shares a second and is not below the chip's ticket mask.

    Parameters
    ----------
    rate_h_s
        Expected hash rate [hash/s].
    ticket_mask
        Difficulty below which the chips report nothing [-]; a slow miner then gives fewer than 5 shares a second. Only
        a CPU takes one below 1, since no firmware understands a fraction.

    Raises
    ------
    ValueError
        The rate or the ticket mask is not above 0.
    """
    if not (rate_h_s > 0.0 and ticket_mask > 0.0):
        raise ValueError(f"expected a rate and a ticket mask above 0, got {rate_h_s} and {ticket_mask}")
    least = max(rate_h_s / (MOST_SHARES_S * hashes_of(1.0)), ticket_mask)
    difficulty = 2.0 ** math.ceil(math.log2(least))
    return DifficultyChoice(difficulty, rate_h_s / hashes_of(difficulty))


def _is_enough(shares: int, half_width_frac: float, confidence: float) -> bool:
    low, high = poisson_interval(shares, confidence)
    return (high - low) / 2.0 <= half_width_frac * shares
