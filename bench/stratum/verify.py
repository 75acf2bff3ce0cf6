"""Verification of shares: the header that a miner claims to have hashed is built again, hashed and classified.

Nothing here knows of connections. Header and target are those of `kernels.sha256`, whose reference the tests hold
against the compiled SHA-256 of `hashlib` that is used here for its speed.
"""

import hashlib
import math
import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.stratum.jobs import Job
from kernels.sha256.header import NONCES, Header

LATEST_TIME_S = 7000  # [s] how far a miner may move the time of a job forwards; never backwards
_HEX = frozenset(string.hexdigits)
_LONGEST_HEX = 16  # digits of a number of 32 bits, with zeros in front
_KEY_BYTES = 16  # of a hash, enough to know it again


class ShareClass(StrEnum):
    """The classes of shares; a share is in the first of them that applies, and only `valid` earns."""

    MALFORMED = "malformed"  # not five or six texts, not hexadecimal, or of the wrong length
    UNAUTHORIZED = "unauthorized"  # the connection has not subscribed, or the worker is not authorized
    UNKNOWN_JOB = "unknown_job"  # this connection never had such a job
    STALE = "stale"  # the job was retired
    MASK_VIOLATION = "mask_violation"  # version bits outside the mask of the connection
    NTIME_OUT_OF_RANGE = "ntime_out_of_range"
    LOW_DIFFICULTY = "low_difficulty"  # the hash is above the target of the job
    DUPLICATE = "duplicate"  # the same header again
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class Submission:
    """The parameters of `mining.submit`, read."""

    worker: str
    job_id: str
    extranonce2: bytes
    time_s: int  # [s] Unix time
    nonce: int
    version_bits: int | None  # None if the miner does not roll the version


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of a share; only a valid share is credited, with the difficulty of its job."""

    share_class: ShareClass
    difficulty: float = 0.0  # [-] as issued with the job; 0 if there is no such job
    hash_frac: float = math.nan  # [-] hash over target, at most 1 for a share that meets it; NaN if it was not hashed

    @property
    def credited_difficulty(self) -> float:
        """The difficulty that counts as work [-]; never what the hash happens to meet."""
        return self.difficulty if self.share_class is ShareClass.VALID else 0.0


def read_submission(parameters: object, extranonce2_bytes: int) -> Submission | None:
    """Return the parameters of `mining.submit`, or None if they are malformed."""
    if not isinstance(parameters, Sequence) or not 5 <= len(parameters) <= 6:
        return None
    if not all(isinstance(text, str) for text in parameters):
        return None
    worker, job_id, extranonce2, *numbers = parameters
    values = [_word(text) for text in numbers]
    if len(extranonce2) != 2 * extranonce2_bytes or not _HEX.issuperset(extranonce2) or None in values:
        return None
    time_s, nonce, *rest = values
    version_bits = rest[0] if rest else None
    if time_s is None or nonce is None:
        return None
    return Submission(worker, job_id, bytes.fromhex(extranonce2), time_s, nonce, version_bits)


def _word(text: str) -> int | None:
    """Return a hexadecimal number of 32 bits, or None."""
    if not 0 < len(text) <= _LONGEST_HEX or not _HEX.issuperset(text):
        return None
    value = int(text, 16)
    return value if value < NONCES else None


def rolled_version(job_version: int, bits: int, mask: int) -> int:
    """Return the version of a header: the bits of the mask come from the miner, all others from the job."""
    return (job_version & ~mask) | (bits & mask)


def merkle_root(job: Job, extranonce1: bytes, extranonce2: bytes) -> bytes:
    """Return the merkle root, in header order, of the coinbase with both extranonces."""
    coinbase = job.coinbase_state.copy()
    coinbase.update(extranonce1 + extranonce2 + job.coinbase2)
    root = hashlib.sha256(coinbase.digest()).digest()
    for branch in job.template.branches:
        root = hashlib.sha256(hashlib.sha256(root + branch).digest()).digest()
    return root


def header_of(job: Job, share: Submission, extranonce1: bytes, mask: int) -> bytes:
    """Return the header of 80 bytes that a share claims to have hashed."""
    template = job.template
    version = rolled_version(template.version, share.version_bits or 0, mask if share.version_bits is not None else 0)
    root = merkle_root(job, extranonce1, share.extranonce2)
    return Header(version, template.previous_hash, root, share.time_s, template.nbits, share.nonce).pack()


def verify(job: Job, share: Submission, extranonce1: bytes, mask: int) -> Verdict:
    """Return the verdict on a share of a job that is not retired, and remember it on the job if it is valid.

    Parameters
    ----------
    job
        The job that the share names.
    share
        The parameters of `mining.submit`.
    extranonce1
        The connection's own part of the coinbase.
    mask
        Version bits that the connection may roll; 0 if it did not ask.
    """
    if (share.version_bits or 0) & ~mask:
        return Verdict(ShareClass.MASK_VIOLATION, job.difficulty)
    if not 0 <= share.time_s - job.template.time_s <= LATEST_TIME_S:
        return Verdict(ShareClass.NTIME_OUT_OF_RANGE, job.difficulty)
    digest = hashlib.sha256(hashlib.sha256(header_of(job, share, extranonce1, mask)).digest()).digest()
    value = int.from_bytes(digest, "little")
    hash_frac = value / job.target
    if value > job.target:
        return Verdict(ShareClass.LOW_DIFFICULTY, job.difficulty, hash_frac)
    key = digest[:_KEY_BYTES]
    if key in job.seen:
        return Verdict(ShareClass.DUPLICATE, job.difficulty, hash_frac)
    job.seen.add(key)
    return Verdict(ShareClass.VALID, job.difficulty, hash_frac)
