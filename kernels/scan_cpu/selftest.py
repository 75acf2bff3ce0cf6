"""The self-test that a variant must pass before it is timed: real nonces, near misses, a wrapping window."""

import csv
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from kernels.scan_cpu.scan import meets_target, scan
from kernels.sha256.header import NONCES, with_nonce

_EASY_TARGET = (1 << 251) - 1  # one hash in 32 meets it
_AROUND = 100  # nonces tested before the known one; not a multiple of any variant's step


class SelfTestError(RuntimeError):
    """A variant gave a wrong answer; `str()` names the question, the expected nonces and those that it gave."""


@dataclass(frozen=True)
class KnownHeader:
    """The header of a real block and its nonce."""

    height: int  # of the block
    header80: bytes
    nonce: int  # that the header has


def known_headers() -> list[KnownHeader]:
    """Return the bundled headers."""
    text = files("kernels").joinpath("data/known_headers.csv").read_text(encoding="ascii")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return [
        KnownHeader(int(row["height"]), bytes.fromhex(row["header_hex_80_bytes"]), int(row["nonce"])) for row in rows
    ]


def run_selftest(variant: str, threads: int = 1) -> list[str]:
    """Return one line for each question that the variant answered correctly.

    Raises
    ------
    SelfTestError
        The variant gave a wrong answer.
    KernelInputError
        The variant is unknown or cannot run on this CPU.
    """
    passed = []
    for known in known_headers():
        passed.append(_real_nonce(variant, threads, known))
        passed.append(_near_miss(variant, threads, known))
    return passed + [_wrap(variant, threads, known) for known in known_headers()[:2]]


def _expect(variant: str, question: str, got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if got != expected:
        raise SelfTestError(f"variant {variant}: {question}: expected nonces {expected}, got {got}")
    return question


def _real_nonce(variant: str, threads: int, known: KnownHeader) -> str:
    """Check that a window around a block's nonce, which may wrap past 2^32, has that nonce as its only hit."""
    result = scan(known.header80, (known.nonce - _AROUND) % NONCES, 1000, variant=variant, threads=threads)
    return _expect(variant, f"nonce of block {known.height} found", result.hits, (known.nonce,))


def _near_miss(variant: str, threads: int, known: KnownHeader) -> str:
    """Check that the nonce is no hit for a target one below its hash, which passes the early test."""
    digest = sha256(sha256(with_nonce(known.header80, known.nonce)).digest()).digest()
    target = int.from_bytes(digest, "little") - 1
    result = scan(
        known.header80, (known.nonce - _AROUND) % NONCES, 1000, variant=variant, target=target, threads=threads
    )
    return _expect(variant, f"near miss of block {known.height} rejected", result.hits, ())


def _wrap(variant: str, threads: int, known: KnownHeader) -> str:
    """Check that a window that wraps past 2^32 has all hits of an easy target."""
    start, count = NONCES - 131, 300
    nonces = [(start + offset) % NONCES for offset in range(count)]
    expected = tuple(nonce for nonce in nonces if meets_target(known.header80, nonce, _EASY_TARGET))
    result = scan(known.header80, start, count, variant=variant, target=_EASY_TARGET, threads=threads)
    return _expect(variant, f"window of block {known.height} wrapping past 2^32", result.hits, expected)
