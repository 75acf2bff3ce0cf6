"""The speed of a variant over the fastest one, from slices of the same rounds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.variants.slices import VariantSlice


@dataclass(frozen=True, slots=True)
class RelativeSpeed:
    """The ratio of two speeds, per second of CPU time where the clock is known."""

    ratio: float  # [-] median over the pairs
    interval: tuple[float, float] | None  # [-] 95 %, of the median; None for fewer than six pairs
    quiet: bool  # whether only pairs of quiet slices are counted, as many as a claim needs
    pairs: int  # that are counted

    def document(self) -> dict[str, Any]:
        """Return the ratio as JSON-ready data."""
        return {
            "ratio": self.ratio,
            "interval_95": self.interval,
            "quiet": self.quiet,
            "pairs": self.pairs,
            "reason": None if self.quiet else "not quiet: ungated",
        }


def relative_speed(slices: Sequence[VariantSlice], fastest: Sequence[VariantSlice], needed: int) -> RelativeSpeed:
    """Return the speed of a variant over the fastest.

    Parameters
    ----------
    slices
        Slices of the variant, one a round.
    fastest
        Slices of the fastest variant in the same rounds.
    needed
        Pairs of quiet slices that a claim needs; with fewer, all pairs are counted.
    """
    pairs = list(zip(slices, fastest, strict=True))
    undisturbed = [(one, other) for one, other in pairs if one.quiet and other.quiet]
    quiet = len(undisturbed) >= needed
    ratios = [_ratio(one, other) for one, other in (undisturbed if quiet else pairs)]
    return RelativeSpeed(statistics.median(ratios), median_interval(ratios), quiet, len(ratios))


def _ratio(one: VariantSlice, other: VariantSlice) -> float:
    if one.cycles_per_hash is None or other.cycles_per_hash is None:
        return one.rate_per_s / other.rate_per_s
    return other.cycles_per_hash / one.cycles_per_hash


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a median from the order of the values alone; None for fewer than six values.

    References
    ----------
    H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, section 7.1.
    """
    count, outside = len(values), 0
    for rank in range(count // 2):
        outside += 2 * math.comb(count, rank)
        if outside > (1.0 - limits.CONFIDENCE) * 2**count:
            ordered = sorted(values)
            return (ordered[rank - 1], ordered[count - rank]) if rank else None
    return None
