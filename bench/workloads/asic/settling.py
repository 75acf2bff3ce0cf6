"""The wait until a miner has settled: the firmware's own word, and shares that come at a constant rate."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench import limits
from bench.errors import RunFailedError
from bench.stratum.events import ShareTable
from bench.stratum.verify import ShareClass

BLOCKS = 3  # successive blocks of shares that must agree
LEAST_P = 0.05  # [-] probability of their spread below which they do not
FEWEST_SHARES = 10  # of a block
SHARES = 300  # that a block should have
LONGEST_BLOCK_S = 300.0  # [s]
LEAST_PATIENCE_S = 60.0  # [s] without a share before the wait is given up, and three blocks at least


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of the wait."""

    settled: bool
    after_s: float  # [s] from the first job to the end of the wait
    by: str  # what decided, in words


def block_length_s(shares_s: float, floor_s: float) -> float:
    """Return the length of a block [s]: long enough for so many shares, within the limits.

    Parameters
    ----------
    shares_s
        Expected rate of shares [1/s].
    floor_s
        Shortest block of the plan [s].
    """
    return max(floor_s, min(SHARES / shares_s, LONGEST_BLOCK_S))


def stationary(counts: Sequence[int]) -> bool:
    """Return whether the counts of equal blocks are those of a constant rate, within their chance."""
    from scipy.special import gammaincc

    if len(counts) < 2 or min(counts) < FEWEST_SHARES:
        return False
    mean = sum(counts) / len(counts)
    chi2 = sum((count - mean) ** 2 for count in counts) / mean
    return float(gammaincc((len(counts) - 1) / 2.0, chi2 / 2.0)) >= LEAST_P


def settle(
    table: Callable[[float, float], ShareTable],
    block_s: float,
    firmware: Callable[[], bool | None] = lambda: None,
    *,
    limit_s: float = limits.SETTLE_S,
    on_wait: Callable[[float, Sequence[int]], None] = lambda *_: None,
) -> Settled:
    """Wait until three successive blocks agree and the firmware does not say otherwise, a limited time.

    Parameters
    ----------
    table
        Returns the shares of the miner between two moments [s, monotonic].
    block_s
        Length of a block [s].
    firmware
        Returns whether start-up and tuning are over by the firmware's own word; None if it says nothing.
    limit_s
        Longest wait [s].
    on_wait
        Is called now and then with the time that has passed [s] and the counts so far.

    Raises
    ------
    RunFailedError
        No valid share came for a long time.
    """
    start_s = time.monotonic()
    counts: list[int] = []
    patience = max(BLOCKS, math.ceil(LEAST_PATIENCE_S / block_s))
    while True:
        end_s = start_s + (len(counts) + 1) * block_s
        while (now_s := time.monotonic()) < end_s:
            on_wait(now_s - start_s, counts)
            time.sleep(min(0.5, end_s - now_s))
        counts.append(_valid(table(end_s - block_s, end_s)))
        if len(counts) >= patience and not any(counts[-patience:]):
            raise RunFailedError(
                f"the miner has sent no valid share for {patience * block_s:.0f} s: check that it is connected and "
                "works, and that --nominal and --difficulty suit it"
            )
        word = firmware()
        last = counts[-BLOCKS:]
        if word is not False and len(last) == BLOCKS and stationary(last):
            said = "; the firmware says so too" if word else ""
            return Settled(True, end_s - start_s, f"{BLOCKS} blocks of {block_s:g} s: {_words(last)} shares{said}")
        if end_s + block_s - start_s > limit_s:
            said = ", and the firmware says that it is not ready" if word is False else ""
            return Settled(False, end_s - start_s, f"last blocks of {block_s:g} s: {_words(last)} shares{said}")


def _valid(shares: ShareTable) -> int:
    return int(np.size(shares.select(ShareClass.VALID).arrival_s))


def _words(counts: Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts)
