"""The self-test that a variant must pass before it is timed: real nonces, near misses, a wrapping window."""

import csv
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from kernels.scan_cpu.scan import meets_target, scan, scan_versions
from kernels.sha256.header import NONCES, Header, versions_around, with_nonce, with_version

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

    @property
    def version(self) -> int:
        """Version that the header has."""
        return Header.unpack(self.header80).version


def known_headers() -> list[KnownHeader]:
    """Return the bundled headers."""
    text = files("kernels").joinpath("data/known_headers.csv").read_text(encoding="ascii")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return [
        KnownHeader(int(row["height"]), bytes.fromhex(row["header_hex_80_bytes"]), int(row["nonce"])) for row in rows
    ]


def run_selftest(variant: str, threads: int = 1, midstates: int = 1) -> list[str]:
    """Return one line for each question that the variant answered correctly.

    Parameters
    ----------
    variant
        Name of the variant.
    threads
        Threads of each scan.
    midstates
        1 for the plain scan, or 2, 4 or 8 versions that share a message schedule.

    Raises
    ------
    SelfTestError
        The variant gave a wrong answer.
    KernelInputError
        The variant is unknown or cannot run on this CPU.
    """
    examiner = _Examiner(variant, threads, midstates)
    passed = []
    for place, known in enumerate(known_headers()):
        passed.append(examiner.real_nonce(known, place % midstates))
        passed.append(examiner.near_miss(known, place % midstates))
    return passed + [examiner.wrap(known) for known in known_headers()[:2]]


@dataclass(frozen=True)
class _Examiner:
    """The questions to a variant."""

    variant: str
    threads: int
    midstates: int

    def _hits(self, known: KnownHeader, window: tuple[int, int], target: int | None, index: int) -> tuple[object, ...]:
        """Return the hits of a window; with several versions the header's own is the one of an index."""
        start, count = window
        options: dict[str, Any] = {"variant": self.variant, "target": target, "threads": self.threads}
        if self.midstates == 1:
            return scan(known.header80, start % NONCES, count, **options).hits
        versions = self._versions(known, index)
        return scan_versions(known.header80, versions, start % NONCES, count, **options).hits

    def _versions(self, known: KnownHeader, index: int) -> list[int]:
        return versions_around(known.version, index, self.midstates)

    def _expect(self, question: str, got: tuple[object, ...], expected: tuple[object, ...]) -> str:
        if got != expected:
            kind = "nonces" if self.midstates == 1 else "(version, nonce)"
            raise SelfTestError(f"variant {self.variant}: {question}: expected {kind} {expected}, got {got}")
        return question

    def real_nonce(self, known: KnownHeader, index: int) -> str:
        """Check that a window around a block's nonce, which may wrap past 2^32, has that nonce as its only hit."""
        own = known.nonce if self.midstates == 1 else (known.version, known.nonce)
        hits = self._hits(known, (known.nonce - _AROUND, 1000), None, index)
        return self._expect(f"nonce of block {known.height} found", hits, (own,))

    def near_miss(self, known: KnownHeader, index: int) -> str:
        """Check that the nonce is no hit for a target one below its hash, which passes the early test."""
        digest = sha256(sha256(with_nonce(known.header80, known.nonce)).digest()).digest()
        target = int.from_bytes(digest, "little") - 1
        hits = self._hits(known, (known.nonce - _AROUND, 1000), target, index)
        return self._expect(f"near miss of block {known.height} rejected", hits, ())

    def wrap(self, known: KnownHeader) -> str:
        """Check that a window that wraps past 2^32 has all hits of an easy target."""
        start, count = NONCES - 131, 300
        nonces = [(start + offset) % NONCES for offset in range(count)]
        hits = self._hits(known, (start, count), _EASY_TARGET, 0)
        expected: tuple[object, ...]
        if self.midstates == 1:
            expected = tuple(nonce for nonce in nonces if meets_target(known.header80, nonce, _EASY_TARGET))
        else:
            expected = tuple(
                (version, nonce)
                for nonce in nonces
                for version in self._versions(known, 0)
                if meets_target(with_version(known.header80, version), nonce, _EASY_TARGET)
            )
        return self._expect(f"window of block {known.height} wrapping past 2^32", hits, expected)
