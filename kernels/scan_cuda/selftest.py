"""The self-test that a GPU scan must pass before it is timed: real nonces, near misses, a wrapping window."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from kernels.scan_cpu.scan import ScanResult, VersionScanResult, meets_target
from kernels.scan_cpu.selftest import KnownHeader, SelfTestError, known_headers
from kernels.scan_cuda.codegen import NONCES_PER_THREAD
from kernels.sha256.header import NONCES, rolled_versions, versions_around, with_nonce, with_version

Scan = Callable[[bytes, int, int, int | None], ScanResult]
"""A scan as a function of header, first nonce, number of nonces and target."""

VersionScan = Callable[[bytes, Sequence[int], int, int, int | None], VersionScanResult]
"""A scan as a function of header, versions, first nonce, number of nonces and target."""

EASY_TARGET = (1 << 250) - 1
WINDOW = 40 * NONCES_PER_THREAD + 77


def run_cuda_selftest(variant: str, scan: Scan) -> list[str]:
    """Return one line for each question that a scan answered correctly.

    Raises
    ------
    SelfTestError
        The scan gave a wrong answer.
    """
    passed = []
    for known in known_headers():
        start = (known.nonce - 3 * NONCES_PER_THREAD - 11) % NONCES
        hits = scan(known.header80, start, WINDOW, None).hits
        passed.append(_expect(variant, f"nonce of block {known.height} found", hits, (known.nonce,)))
        digest = sha256(sha256(with_nonce(known.header80, known.nonce)).digest()).digest()
        below = int.from_bytes(digest, "little") - 1
        hits = scan(known.header80, start, WINDOW, below).hits
        passed.append(_expect(variant, f"near miss of block {known.height} rejected", hits, ()))
    return [*passed, *(_easy(variant, scan, known) for known in known_headers()[:2])]


def run_cuda_versions_selftest(variant: str, scan: VersionScan, midstates: int) -> list[str]:
    """Return one line for each question that a scan of several versions answered correctly.

    Raises
    ------
    SelfTestError
        The scan gave a wrong answer.
    """
    passed = []
    for place, known in enumerate(known_headers()):
        start = (known.nonce - 3 * NONCES_PER_THREAD - 11) % NONCES
        versions = versions_around(known.version, place % midstates, midstates)
        hits = scan(known.header80, versions, start, WINDOW, None).hits
        own = (known.version, known.nonce)
        passed.append(_expect(variant, f"version and nonce of block {known.height} found", hits, (own,)))
        digest = sha256(sha256(with_nonce(known.header80, known.nonce)).digest()).digest()
        below = int.from_bytes(digest, "little") - 1
        hits = scan(known.header80, versions, start, WINDOW, below).hits
        passed.append(_expect(variant, f"near miss of block {known.height} rejected", hits, ()))
    return [*passed, *(_easy_versions(variant, scan, known, midstates) for known in known_headers()[:2])]


def _easy(variant: str, scan: Scan, known: KnownHeader) -> str:
    """Check that a window has all hits of an easy target; it wraps past 2^32 and starts and ends within threads."""
    start, count = NONCES - 1001, 2311
    nonces = [(start + offset) % NONCES for offset in range(count)]
    expected = tuple(nonce for nonce in nonces if meets_target(known.header80, nonce, EASY_TARGET))
    question = f"window of block {known.height} wrapping past 2^32, {len(expected)} hits"
    return _expect(variant, question, scan(known.header80, start, count, EASY_TARGET).hits, expected)


def _easy_versions(variant: str, scan: VersionScan, known: KnownHeader, midstates: int) -> str:
    """Check that a window has all hits of an easy target; its nonces and its versions both wrap."""
    start, count = NONCES - 301, 611
    versions = rolled_versions(known.version, midstates, (1 << 16) - midstates // 2)
    expected = tuple(
        (version, (start + offset) % NONCES)
        for offset in range(count)
        for version in versions
        if meets_target(with_version(known.header80, version), (start + offset) % NONCES, EASY_TARGET)
    )
    question = f"window of block {known.height} wrapping past 2^32, {len(expected)} hits"
    return _expect(variant, question, scan(known.header80, versions, start, count, EASY_TARGET).hits, expected)


def _expect(variant: str, question: str, got: tuple[object, ...], expected: tuple[object, ...]) -> str:
    if got != expected:
        kind = "(version, nonce)" if any(isinstance(hit, tuple) for hit in (*expected, *got)) else "nonces"
        raise SelfTestError(f"variant {variant}: {question}: expected {kind} {expected[:4]}, got {got[:4]}")
    return question
