"""The rule by which the Bitcoin network sets the target of its next 2016 blocks."""

from __future__ import annotations

from kernels.sha256.header import nbits_to_target, target_to_nbits
from sites.market.bitcoin import EPOCH_S

CLAMP = 4  # the largest change of a target, up or down
MAINNET_LIMIT_NBITS = 0x1D00FFFF  # the largest target, of difficulty 1


def next_nbits(nbits: int, first_to_last_s: int, limit_nbits: int = MAINNET_LIMIT_NBITS) -> int:
    """Return the compact target of the difficulty epoch that follows an epoch of 2016 blocks.

    The time from the first to the last block spans 2015 intervals but is compared with 2016 times 600 s. It counts as
    at least a quarter and at most four times that; the new target is truncated to its compact form.

    Parameters
    ----------
    nbits
        Compact target of the epoch that ends.
    first_to_last_s
        Time of its last block less that of its first block [s], as their headers state them.
    limit_nbits
        Compact form of the largest target of the network.

    References
    ----------
    Bitcoin Core, `src/pow.cpp`, `CalculateNextWorkRequired`.
    """
    span_s = min(max(first_to_last_s, EPOCH_S // CLAMP), EPOCH_S * CLAMP)
    target = nbits_to_target(nbits) * span_s // EPOCH_S
    return target_to_nbits(min(target, nbits_to_target(limit_nbits)))
