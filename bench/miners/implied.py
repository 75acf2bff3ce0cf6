"""The hash rate that the difficulty of accepted shares implies: a check of a displayed rate that needs no equipment."""

from dataclasses import dataclass

from bench.miners.record import Counters
from bench.stratum.difficulty import hashes_of
from bench.stratum.statistics.rate import fixed_window

ASSUMES = (
    "accepted shares are a Poisson process of one mean difficulty; with several difficulties the interval is wider. "
    "Rejected and stale shares, work for a fee pool and counters that restarted at another time are missing from it"
)


@dataclass(frozen=True, slots=True)
class ImpliedRate:
    """A rate from the counters of the firmware, with its 95 % interval."""

    rate_h_s: float  # [hash/s]
    low_h_s: float | None  # [hash/s]; None if the number of shares is unknown
    high_h_s: float | None  # [hash/s]
    shares: int | None
    accepted_difficulty: float  # [-] sum
    window_s: float  # [s] since the mining program started
    assumes: str = ASSUMES

    @property
    def half_width_frac(self) -> float | None:
        """Half of the interval over the rate [-]; None without an interval."""
        if self.low_h_s is None or self.high_h_s is None or not self.rate_h_s:
            return None
        return (self.high_h_s - self.low_h_s) / 2.0 / self.rate_h_s


def implied_rate(counters: Counters) -> ImpliedRate | None:
    """Return the rate: accepted difficulty times 2^48/65535 hashes over the time since the restart.

    Parameters
    ----------
    counters
        Counters of one poll, or their differences between two.

    Returns
    -------
    ImpliedRate or None
        None if a counter is missing or there is no time.
    """
    shares, total, elapsed_s = counters.accepted, counters.accepted_difficulty, counters.elapsed_s
    if total is None or total < 0.0 or elapsed_s is None or elapsed_s <= 0.0:
        return None
    if not shares or total == 0.0:
        return ImpliedRate(hashes_of(total) / elapsed_s, None, None, shares, total, elapsed_s)
    estimate = fixed_window(shares, total / shares, elapsed_s)
    return ImpliedRate(estimate.rate_h_s, estimate.low_h_s, estimate.high_h_s, shares, total, elapsed_s)
