"""The nonce scan on the CPU over any window of nonces, for any target and number of threads; of several versions."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError
from kernels.scan_cpu import variants
from kernels.scan_cpu.native_scan import CompiledScan
from kernels.sha256.header import (
    NONCES,
    Header,
    check_header,
    check_target,
    midstate,
    nbits_to_target,
    tail,
    with_nonce,
    with_version,
)

MIDSTATES = (2, 4, 8)  # numbers of versions that can share a schedule
_CANDIDATES = 1 << 14  # that a thread collects before it rechecks them
_CHUNKS_PER_THREAD = 8  # so that a thread on a slower core takes fewer
_SMALLEST_CHUNK = 1 << 16  # [nonces] a smaller chunk costs more to hand out than to hash


@dataclass(frozen=True)
class ScanResult:
    """The result of a scan."""

    hits: tuple[int, ...]  # nonces whose hash meets the target, in the order of the scan
    hashes: int  # number of nonces that were tested


@dataclass(frozen=True)
class VersionScanResult:
    """The result of a scan of several versions."""

    hits: tuple[tuple[int, int], ...]  # (version, nonce) whose hash meets the target, in the order of the nonces
    hashes: int  # number of headers that were tested


def scan(  # noqa: PLR0913 - a window and its options
    header80: bytes,
    start_nonce: int,
    count: int,
    *,
    variant: str | None = None,
    target: int | None = None,
    threads: int = 1,
) -> ScanResult:
    """Hash a window of nonces and return those whose hash meets the target.

    Parameters
    ----------
    header80
        80 bytes; their nonce is ignored.
    start_nonce
        First nonce, 0 to 2^32 - 1: the number that the header's last four bytes hold in little-endian order.
    count
        Number of nonces, 0 to 2^32; past 2^32 the window continues at 0.
    variant
        A name of `kernels.scan_cpu.variants`; None takes the first that can run on this CPU.
    target
        Largest hash that is a hit, read as a little-endian number; None takes the header's own target.
    threads
        Threads among which the window is divided.

    Raises
    ------
    KernelInputError
        The header is not 80 bytes, the target is not within 1 to 2^256 - 1, the window lies outside the nonces, the
        number of threads is below one, or the variant is unknown or cannot run on this CPU.
    """
    header80, target = _checked(header80, target, start_nonce, count, threads)
    compiled = variants.load(variant or variants.default_variant().name)
    chunks = _Chunks(compiled, (header80,), target)
    candidates = chunks.scan_window(start_nonce, count, threads)
    return ScanResult(tuple(nonce for _, nonce in candidates), count)


def scan_versions(  # noqa: PLR0913 - a window and its options
    header80: bytes,
    versions: Sequence[int],
    start_nonce: int,
    count: int,
    *,
    variant: str | None = None,
    target: int | None = None,
    threads: int = 1,
) -> VersionScanResult:
    """Hash a window of nonces with several versions of the header and return what meets the target.

    The versions change the header's first 64 bytes only, so that they share the message schedule of its last 16.

    Parameters
    ----------
    header80
        80 bytes; their version and nonce are ignored.
    versions
        2, 4 or 8 versions, each 0 to 2^32 - 1.
    start_nonce, count, variant, target, threads
        As in `scan`; each nonce is `len(versions)` hashes.

    Raises
    ------
    KernelInputError
        As in `scan`, or the versions are not 2, 4 or 8 different ones.

    References
    ----------
    BIP 320, the bits of the version that a miner may change.
    """
    header80, target = _checked(header80, target, start_nonce, count, threads)
    if len(versions) not in MIDSTATES or len(set(versions)) != len(versions):
        raise KernelInputError(f"versions: expected 2, 4 or 8 different ones, got {len(versions)}")
    headers = tuple(with_version(header80, version) for version in versions)
    compiled = variants.load_rolling(variant or variants.default_variant().name, len(versions))
    candidates = _Chunks(compiled, headers, target).scan_window(start_nonce, count, threads)
    return VersionScanResult(tuple((versions[index], nonce) for index, nonce in candidates), len(versions) * count)


def _checked(header80: bytes, target: int | None, start_nonce: int, count: int, threads: int) -> tuple[bytes, int]:
    """Return the header and the target of a valid scan."""
    header80 = check_header(header80)
    target = nbits_to_target(Header.unpack(header80).nbits) if target is None else check_target(target)
    if not 0 <= start_nonce < NONCES:
        raise KernelInputError(f"start_nonce: expected 0 to 2^32 - 1, got {start_nonce}")
    if not 0 <= count <= NONCES:
        raise KernelInputError(f"count: expected 0 to 2^32 nonces, got {count}")
    if threads < 1:
        raise KernelInputError(f"threads: expected at least 1, got {threads}")
    return header80, target


def job_words(header80: bytes, target: int) -> npt.NDArray[np.uint32]:
    """Return the job of a compiled scan, uint32[12]: midstate, three tail words, mask of the hash's last word."""
    return np.array([*midstate(header80), *tail(header80)[:3], early_mask(target)], dtype=np.uint32)


def early_mask(target: int) -> int:
    """Return a mask of the bits of the hash's last word (big-endian) that are zero in every hash that meets the target.

    The mask has all 32 bits at difficulty 1 and above, fewer below, and none if the target's highest bit is set.
    """
    zero_bits = min(32, 256 - target.bit_length())
    highest = (0xFFFFFFFF << (32 - zero_bits)) & 0xFFFFFFFF
    return int.from_bytes(highest.to_bytes(4, "little"), "big")


def meets_target(header80: bytes, nonce: int, target: int) -> bool:
    """Return whether the hash of the header with this nonce is at most the target."""
    digest = sha256(sha256(with_nonce(header80, nonce)).digest()).digest()
    return int.from_bytes(digest, "little") <= target


@dataclass(frozen=True)
class _Chunks:
    """The scan of headers that differ in the version only, chunk by chunk."""

    compiled: CompiledScan
    headers: tuple[bytes, ...]
    target: int  # largest hash that counts as a hit

    def scan_window(self, start_nonce: int, count: int, threads: int) -> list[tuple[int, int]]:
        """Return (index of the header, nonce) of each hit of a window, in the order of the nonces."""
        step_nonces = self.compiled.STEP
        lead = start_nonce % step_nonces  # a step starts at a multiple of its size
        steps = -(-(lead + count) // step_nonces) if count else 0
        first = start_nonce - lead
        if threads == 1 or steps * step_nonces <= _SMALLEST_CHUNK:
            hits_by_chunk = [self._scan(first, steps)]
        else:
            size = max(-(-steps // (threads * _CHUNKS_PER_THREAD)), _SMALLEST_CHUNK // step_nonces)
            with ThreadPoolExecutor(threads, thread_name_prefix="scan") as pool:
                hits_by_chunk = list(
                    pool.map(
                        lambda step: self._scan(first + step * step_nonces, min(size, steps - step)),
                        range(0, steps, size),
                    )
                )
        offsets = {((nonce - start_nonce) % NONCES, index) for hits in hits_by_chunk for index, nonce in hits}
        return [(index, (start_nonce + offset) % NONCES) for offset, index in sorted(offsets) if offset < count]

    def _scan(self, first: int, steps: int) -> list[tuple[int, int]]:
        """Return the hits of whole steps: the candidates of the early test whose full hash meets the target."""
        jobs = np.array([job_words(header80, self.target) for header80 in self.headers])
        out = np.empty(_CANDIDATES, dtype=np.uint64 if len(jobs) > 1 else np.uint32)
        hits: list[tuple[int, int]] = []
        while steps > 0:
            found, done = self.compiled.scan_steps(jobs, first % NONCES, steps, out)
            for index, nonce in (divmod(candidate, NONCES) for candidate in out[:found].tolist()):
                if meets_target(self.headers[index], nonce, self.target):
                    hits.append((index, nonce))
            first += done * self.compiled.STEP
            steps -= done
        return hits
