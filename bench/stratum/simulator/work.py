"""The work of a simulated miner: headers made from a job, scanned with the CPU kernel, every hash counted.

Nothing here knows of connections, so tests can close the loop between hashes and shares without a socket. The headers
are built from the words of the protocol alone, apart from the server's own code.
"""

import hashlib
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.stratum.difficulty import target_of
from bench.stratum.simulator.personality import Personality
from kernels.errors import KernelInputError
from kernels.scan_cpu.scan import scan
from kernels.sha256.header import NONCES, Header

OUTSIDE_MASK = 0x00001FE0  # version bits that BIP 320 leaves alone
TIME_ROLLS = 8  # a miner that rolls the time tries this many seconds


class BadJobError(Exception):
    """A job of the server cannot be read."""


@dataclass(frozen=True, slots=True)
class Work:
    """One job as the miner understood it, with the session that it belongs to."""

    job_id: str
    previous_hash: bytes  # 32 bytes in header order
    coinbase1: bytes
    coinbase2: bytes
    branches: tuple[bytes, ...]
    version: int
    nbits: int
    time_s: int  # [s] Unix time
    clean: bool
    extranonce1: bytes
    extranonce2_bytes: int
    mask: int  # version bits that the server allowed
    difficulty: float  # [-] as the server set it before this job

    @classmethod
    def read(
        cls, parameters: Sequence[object], extranonce1: bytes, extranonce2_bytes: int, mask: int, difficulty: float
    ) -> "Work":
        """Return the job of `mining.notify`.

        Raises
        ------
        BadJobError
            The parameters are not those of a job.
        """
        try:
            job_id, previous, coinbase1, coinbase2, branches, version, nbits, time_s, clean = parameters
            return cls(
                job_id=str(job_id),
                previous_hash=struct.pack(">8I", *struct.unpack("<8I", bytes.fromhex(str(previous)))),
                coinbase1=bytes.fromhex(str(coinbase1)),
                coinbase2=bytes.fromhex(str(coinbase2)),
                branches=tuple(bytes.fromhex(str(branch)) for branch in branches),  # type: ignore[attr-defined]
                version=int(str(version), 16),
                nbits=int(str(nbits), 16),
                time_s=int(str(time_s), 16),
                clean=bool(clean),
                extranonce1=extranonce1,
                extranonce2_bytes=extranonce2_bytes,
                mask=mask,
                difficulty=difficulty,
            )
        except (TypeError, ValueError, struct.error) as error:
            raise BadJobError(f"not a job: {error}") from None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One header to scan, and what a share of it must state."""

    work: Work
    header80: bytes
    extranonce2: bytes
    time_s: int  # [s] Unix time
    version_bits: int | None  # None if the submission has no such parameter

    def submission(self, worker: str, nonce: int) -> list[str]:
        """Return the parameters of `mining.submit`."""
        words = [worker, self.work.job_id, self.extranonce2.hex(), f"{self.time_s:08x}", f"{nonce:08x}"]
        return words if self.version_bits is None else [*words, f"{self.version_bits:08x}"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The nonces of one scan that meet the target, and the number of nonces that were hashed."""

    attempt: Attempt
    nonces: tuple[int, ...]
    hashes: int


def attempts(work: Work, personality: Personality) -> Iterator[Attempt]:
    """Yield the headers of a job, none twice: version bits first, then the time, then the extranonce."""
    rolls = _rolled_bits(work.mask, personality)
    for extranonce2 in itertools.count():
        tail = extranonce2.to_bytes(work.extranonce2_bytes, "big")
        root = _merkle_root(work, tail)
        for later in range(TIME_ROLLS if personality.rolls_time else 1):
            for bits in rolls:
                version = _version(work, bits or 0, personality)
                time_s = work.time_s + later
                header = Header(version, work.previous_hash, root, time_s, work.nbits, 0)
                yield Attempt(work, header.pack(), tail, time_s, bits)


def run_slice(
    attempt: Attempt, count: int, personality: Personality, *, variant: str | None = None, threads: int = 1
) -> Slice:
    """Scan the first `count` nonces of a header at the difficulty that the miner works at."""
    target = target_of(personality.difficulty(attempt.work.difficulty))
    try:
        result = scan(attempt.header80, 0, min(count, NONCES), variant=variant, target=target, threads=threads)
    except KernelInputError as error:
        raise BadJobError(str(error)) from None
    return Slice(attempt, result.hits, result.hashes)


def _rolled_bits(mask: int, personality: Personality) -> tuple[int | None, ...]:
    """Return the version bits to try; a miner without version rolling states none."""
    if personality.five_parameters:
        return (None,)
    if personality.ignores_mask:
        return tuple(bits | OUTSIDE_MASK for bits in _spread(mask or 0x1FFFE000))
    return tuple(_spread(mask)) if mask else (None,)


def _spread(mask: int) -> list[int]:
    """Return the 16 patterns of the lowest four bits of a mask."""
    lowest = [1 << bit for bit in range(32) if mask >> bit & 1][:4]
    return [sum(bit for position, bit in enumerate(lowest) if pattern >> position & 1) for pattern in range(16)]


def _version(work: Work, bits: int, personality: Personality) -> int:
    if personality.version_bits == "or":
        return work.version | bits
    if personality.version_bits == "xor":
        return work.version ^ bits
    return work.version & ~work.mask | bits


def _merkle_root(work: Work, extranonce2: bytes) -> bytes:
    root = _sha256d(work.coinbase1 + work.extranonce1 + extranonce2 + work.coinbase2)
    for branch in work.branches:
        root = _sha256d(root + branch)
    return root


def _sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
