"""Jobs of a made-up chain: they look like a pool's, but their previous block does not exist, so no block is valid."""

import hashlib
import itertools
import random
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.stratum.addresses import output_script
from bench.stratum.difficulty import target_of
from kernels.sha256.header import nbits_to_target

HEIGHT = 840_000  # a past block, whose compact target and subsidy the made-up chain carries on
NBITS = 0x17034219
SUBSIDY_SAT = 312_500_000
BASE_VERSION = 0x20000000  # zeros in every bit that may roll, so that "or", "xor" and "replace" are one
ROLLED_BITS = 0x1FFFE000  # BIP 320
TAG = b"/perwatt/"
EXTRANONCE1_BYTES = 4
EXTRANONCE2_SIZES = (8, 4)  # [byte] the first is the default
FEWEST_BRANCHES, MOST_BRANCHES = 4, 12  # fewer than two count as bad work in miners based on cgminer
LARGEST_COINBASE = 250  # [byte] stock Antminers take 750
_ZERO_BYTES = 10  # leading zeros of a block hash of this difficulty
_NO_OWNER = b"\x00\x14" + bytes(20)  # a P2WPKH output that nobody can spend


@dataclass(frozen=True, slots=True)
class Template:
    """The part of a job that all miners share."""

    previous_hash: bytes  # 32 bytes in header order
    branches: tuple[bytes, ...]  # 32 bytes each, in header order
    time_s: int  # [s] Unix time
    nbits: int = NBITS
    version: int = BASE_VERSION
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Job:
    """One job of one miner, with the difficulty that it was issued at."""

    job_id: str  # short hex, unique in a server
    template: Template
    coinbase1: bytes  # of the coinbase transaction, before both extranonces
    coinbase2: bytes  # after them
    difficulty: float  # [-] what a share of this job is credited with, whatever is set later
    issued_s: float  # [s, monotonic]
    clean: bool  # whether the miner drops all earlier jobs
    target: int = field(init=False)  # largest hash of a share
    # Both hold what every share of the job needs again: the hash state after coinbase1, and the shares so far.
    coinbase_state: "hashlib._Hash" = field(init=False, repr=False, compare=False)
    seen: set[bytes] = field(init=False, repr=False, compare=False)  # first 16 bytes of the hash of every valid share

    def __post_init__(self) -> None:
        """Compute what every share of the job needs again."""
        object.__setattr__(self, "target", target_of(self.difficulty))
        object.__setattr__(self, "coinbase_state", hashlib.sha256(self.coinbase1))
        object.__setattr__(self, "seen", set())

    def notify_parameters(self) -> list[object]:
        """Return the parameters of `mining.notify`."""
        template = self.template
        return [
            self.job_id,
            swap_words(template.previous_hash).hex(),
            self.coinbase1.hex(),
            self.coinbase2.hex(),
            [branch.hex() for branch in template.branches],
            f"{template.version:08x}",
            f"{template.nbits:08x}",
            f"{template.time_s:08x}",
            self.clean,
        ]


class JobSource:
    """A source of jobs: templates that follow each other on one made-up block, and numbers that never repeat.

    Parameters
    ----------
    extranonce2_bytes
        Length of the part of the coinbase that the miner varies [byte].
    branches
        Number of merkle branches; None draws 4 to 12 for each template.
    """

    def __init__(self, extranonce2_bytes: int = EXTRANONCE2_SIZES[0], branches: int | None = None) -> None:
        self.extranonce2_bytes = extranonce2_bytes
        self._branches = branches
        self._numbers: Iterator[int] = itertools.count(1)
        self._salt = secrets.token_bytes(4)  # so that two servers never issue the same work
        self._previous_hash, self._height = _random_block_hash(), HEIGHT

    def next_block(self) -> None:
        """Let the templates that follow stand on a new made-up block."""
        self._previous_hash, self._height = _random_block_hash(), self._height + 1

    def template(self) -> Template:
        """Return a new template of the present time."""
        count = self._branches or random.randint(FEWEST_BRANCHES, MOST_BRANCHES)  # noqa: S311 (guards nothing)
        branches = tuple(secrets.token_bytes(32) for _ in range(count))
        return Template(self._previous_hash, branches, int(time.time()), height=self._height)

    def job(self, template: Template, difficulty: float, worker: str = "", *, clean: bool = False) -> Job:
        """Return a new job; its number stands in the coinbase, so no two jobs have a header in common.

        Parameters
        ----------
        template
            The shared part.
        difficulty
            Difficulty that its shares are credited with [-].
        worker
            Name of the miner; an address in front of the first dot is paid by the coinbase.
        clean
            Whether the miner drops all earlier jobs.

        Raises
        ------
        InputError
            The difficulty has no target.
        """
        number = next(self._numbers)
        script = output_script(worker.partition(".")[0]) or _NO_OWNER
        push = _number_push(template.height) + TAG + self._salt + struct.pack(">Q", number)
        length = len(push) + EXTRANONCE1_BYTES + self.extranonce2_bytes
        before = b"\x01\x00\x00\x00\x01" + bytes(32) + b"\xff\xff\xff\xff" + bytes([length]) + push
        output = struct.pack("<QB", SUBSIDY_SAT, len(script)) + script
        after = b"\xff\xff\xff\xff\x01" + output + bytes(4)
        return Job(f"{number:x}", template, before, after, difficulty, time.monotonic(), clean)


def swap_words(digest: bytes) -> bytes:
    """Return 32 bytes with each word of four reversed, as `mining.notify` sends the previous block."""
    return struct.pack("<8I", *struct.unpack(">8I", digest))


def network_target() -> int:
    """Return the target that a block of the made-up chain would have to meet."""
    return nbits_to_target(NBITS)


def _random_block_hash() -> bytes:
    return secrets.token_bytes(32 - _ZERO_BYTES) + bytes(_ZERO_BYTES)


def _number_push(number: int) -> bytes:
    """Return the script that pushes a block height (BIP 34)."""
    raw = number.to_bytes(number.bit_length() // 8 + 1, "little")
    return bytes([len(raw)]) + raw
