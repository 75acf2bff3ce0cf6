"""Block headers by height, their checks, and the difficulty epochs that they prove."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.sha256.header import Header, nbits_to_target
from sites.market.bitcoin import EPOCH_BLOCKS
from sites.market.retarget import MAINNET_LIMIT_NBITS, EpochData, check_against_bundled, check_epochs


@dataclass(frozen=True, slots=True)
class Network:
    """The rules of a network that differ between networks."""

    limit_nbits: int  # compact form of the largest target
    continues_bundled: bool  # whether its epochs must continue the bundled ones


MAINNET = Network(MAINNET_LIMIT_NBITS, continues_bundled=True)


def block_hash(header80: bytes) -> bytes:
    """Return the hash of a block header of 80 bytes: SHA-256 twice, 32 bytes in header order."""
    return hashlib.sha256(hashlib.sha256(header80).digest()).digest()


def hash_text(header80: bytes) -> str:
    """Return the hash of a block as it is printed: the bytes in reverse order."""
    return block_hash(header80)[::-1].hex()


def needed_heights(first: int, tip: int) -> list[int]:
    """Return the heights whose headers prove the epochs from the one of height `first` to the one of the tip."""
    starts = range(first, tip + 1, EPOCH_BLOCKS)
    return sorted(height for start in starts for height in (start, start + EPOCH_BLOCKS - 1) if height <= tip)


def check_headers(place: str, headers: Mapping[int, bytes]) -> None:
    """Check that every header meets its own target and links to the one before where that is there.

    Raises
    ------
    InputError
        A header does not; the message names its height, what is expected and what is there.
    """
    for height in sorted(headers):
        location = f"{place}: height {height}"
        header80 = headers[height]
        try:
            header = Header.unpack(header80)
            target = nbits_to_target(header.nbits)
        except KernelInputError as error:
            raise InputError(f"{location}: {error}") from None
        if int.from_bytes(block_hash(header80), "little") > target:
            raise InputError(
                f"{location}: hash: expected at most {target:064x}, the target of its bits {header.nbits:08x}, got "
                f"{hash_text(header80)}"
            )
        before = headers.get(height - 1)
        if before is not None and header.previous_hash != block_hash(before):
            raise InputError(
                f"{location}: previous hash: expected {hash_text(before)}, that of height {height - 1}, got "
                f"{header.previous_hash[::-1].hex()}"
            )


def epochs_of(
    place: str, headers: Mapping[int, bytes], network: Network = MAINNET, first: int | None = None
) -> list[EpochData]:
    """Return the difficulty epochs that headers prove, each checked by the rule of the network.

    Parameters
    ----------
    place
        The source, for messages.
    headers
        Headers of 80 bytes by height; for each epoch those of its first and, if it has ended, its last block.
    network
        The rules of the network.
    first
        Height of the first epoch. [default: the lowest that is there]

    Raises
    ------
    InputError
        A header is missing or wrong, or an epoch is not that of the rule.
    """
    check_headers(place, headers)
    starts = sorted(height for height in headers if height % EPOCH_BLOCKS == 0 and height >= (first or 0))
    if not starts:
        raise InputError(f"{place}: expected the header of a height that is a multiple of {EPOCH_BLOCKS}, got none")
    epochs = []
    for height in starts:
        header, last = Header.unpack(headers[height]), headers.get(height + EPOCH_BLOCKS - 1)
        last_s = None if last is None else Header.unpack(last).time_s
        epochs.append(EpochData(height, header.nbits, header.time_s, last_s))
    check_epochs(place, epochs, network.limit_nbits)
    _check_within(place, ((height, Header.unpack(headers[height]).nbits) for height in sorted(headers)), epochs)
    if network.continues_bundled:
        check_against_bundled(place, epochs)
    return epochs


def _check_within(place: str, bits: Iterable[tuple[int, int]], epochs: list[EpochData]) -> None:
    """Check that all headers of an epoch have its bits."""
    by_start = {epoch.height: epoch for epoch in epochs}
    for height, nbits in bits:
        epoch = by_start.get(height - height % EPOCH_BLOCKS)
        if epoch is not None and nbits != epoch.nbits:
            raise InputError(
                f"{place}: height {height}: bits: expected {epoch.nbits:08x}, those of height {epoch.height}, got "
                f"{nbits:08x}"
            )
