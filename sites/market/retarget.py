"""The rule by which the Bitcoin network sets the target of its next 2016 blocks, and the check of data by it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.sha256.header import difficulty, nbits_to_target, target_to_nbits
from sites.market.bitcoin import EPOCH_BLOCKS, EPOCH_S, Epoch, bundled_epochs, expected_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence

CLAMP = 4  # the largest change of a target, up or down
MAINNET_LIMIT_NBITS = 0x1D00FFFF  # the largest target, of difficulty 1
SAME_FRAC = 1e-6  # [-] difference between a printed difficulty and that of the bits: sources print 3 to 15 digits


class EpochData(NamedTuple):
    """A difficulty epoch as its block headers state it."""

    height: int  # of its first block
    nbits: int  # compact target
    start_unix: int  # [s, unix] time of its first block
    last_unix: int | None  # [s, unix] time of its last block; None in the epoch that has not ended

    def epoch(self) -> Epoch:
        """Return the epoch as the network's model uses it."""
        hashes = expected_hashes(nbits_to_target(self.nbits))
        return Epoch(self.height // EPOCH_BLOCKS, self.height, self.start_unix, hashes, "header")


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


def check_bits(place: str, nbits: int, stated: float | None) -> float:
    """Return the difficulty of compact bits; raise InputError if they are invalid or a stated difficulty differs."""
    try:
        of_bits = difficulty(nbits_to_target(nbits))
    except KernelInputError as error:
        raise InputError(f"{place}: {error}") from None
    if stated is not None and not abs(stated / of_bits - 1.0) <= SAME_FRAC:
        raise InputError(
            f"{place}: difficulty: expected {of_bits:.6f}, which its bits {nbits:08x} state, got {stated:.6f}"
        )
    return of_bits


def check_epochs(place: object, epochs: Sequence[EpochData], limit_nbits: int = MAINNET_LIMIT_NBITS) -> None:
    """Check that every epoch follows from the one before by the rule of the network.

    Parameters
    ----------
    place
        The source, for messages.
    epochs
        At least one epoch, by height.
    limit_nbits
        Compact form of the largest target of the network.

    Raises
    ------
    InputError
        A height is no multiple of 2016 or not the next one, an epoch begins before the one before it, or its bits are
        not those of the rule; the message names the height, what is expected and what is there.
    """
    for epoch in epochs:
        location = f"{place}: height {epoch.height}"
        if epoch.height < 0 or epoch.height % EPOCH_BLOCKS:
            raise InputError(f"{location}: expected a multiple of {EPOCH_BLOCKS}")
        check_bits(location, epoch.nbits, None)
    for before, after in pairwise(epochs):
        location = f"{place}: height {after.height}"
        due = before.height + EPOCH_BLOCKS
        if after.height != due:
            raise InputError(f"{place}: expected height {due} after {before.height}, got {after.height}")
        if after.start_unix <= before.start_unix:
            raise InputError(
                f"{location}: time: expected one after {before.start_unix}, that of height {before.height}, got "
                f"{after.start_unix}"
            )
        if before.last_unix is None:
            raise InputError(f"{place}: height {due - 1}: expected the time of this block, which the rule uses")
        expected = next_nbits(before.nbits, before.last_unix - before.start_unix, limit_nbits)
        if after.nbits != expected:
            raise InputError(
                f"{location}: bits: expected {expected:08x} by the rule of the network (block times "
                f"{before.start_unix} to {before.last_unix} at bits {before.nbits:08x}), got {after.nbits:08x}"
            )


def check_against_bundled(place: object, epochs: Sequence[EpochData]) -> None:
    """Check that epochs continue the bundled ones: they share at least one, and the bits of all that they share.

    Raises
    ------
    InputError
        The epochs begin after the bundled ones, or differ from one of them.
    """
    bundled = {epoch.start_height: epoch for epoch in bundled_epochs()}
    last = max(bundled)
    if epochs[0].height > last:
        raise InputError(
            f"{place}: expected epochs from height {last} or lower on, the last that is bundled, so that they "
            f"continue it, got a first height of {epochs[0].height}"
        )
    for each in epochs:
        known = bundled.get(each.height)
        if known is not None and known.hashes_per_block != each.epoch().hashes_per_block:
            expected = known.hashes_per_block / expected_hashes(nbits_to_target(MAINNET_LIMIT_NBITS))
            raise InputError(
                f"{place}: height {each.height}: difficulty: expected {expected:.6f}, as bundled, got "
                f"{check_bits(str(place), each.nbits, None):.6f} (another network?)"
            )
