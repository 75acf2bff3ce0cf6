"""The nonce scan on the CPU: `sha256d_scan_cpu`, with a chosen variant or the fastest on this machine."""

import math
import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.machine.cores import default_threads
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions

if TYPE_CHECKING:
    from bench.workloads.roofline import Bound
    from kernels.scan_cpu.selftest import KnownHeader

NONCES_PER_UNIT = 1 << 16
CALIBRATION_S = 0.02  # [s] CPU time of each candidate over CALIBRATION_ROUNDS rounds
CALIBRATION_ROUNDS = 5


class Sha256dScanCpu:
    """Double SHA-256 of a real block's header over windows that each contain its nonce at a random position.

    The unit is one double hash of an 80-byte header whose midstate is known. A timed call that does not report exactly
    the planted nonce is wrong, so every timed window checks itself.
    """

    version = 1
    unit = "hash"
    midstates = 1  # that share a message schedule

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.scan_cpu import variants

        if options.variant is not None:
            variants.check_available(options.variant)
        self.name = name
        self.variant = options.variant or ""
        self.threads = options.threads or default_threads()
        finalists: Any = options.extra.get("variants")
        self._finalists: Sequence[str] | None = finalists  # variants that the calibration times; None takes all
        self.ranking: tuple[str, ...] = ()  # the variants of the calibration, the fastest first
        self._positions = random.Random(0)  # noqa: S311 (positions of the planted nonce; not a secret)
        self._calls = 0
        self._known: KnownHeader

    def prepare(self) -> None:
        """Compile the candidates and keep the fastest, unless a variant was chosen; a second call does nothing."""
        if self.ranking:
            return
        from kernels.scan_cpu.selftest import known_headers

        self._known = known_headers()[0]
        names = [self.variant] if self.variant else self._candidates()
        for name in names:
            self._scan(name, NONCES_PER_UNIT)  # compiles
        self.ranking = tuple(names) if len(names) == 1 else self._ranked(names)
        self.variant = self.ranking[0]

    def _candidates(self) -> list[str]:
        """Return the variants that the calibration times."""
        from kernels.scan_cpu import variants

        names = [variant.name for variant in variants.candidates()]
        return [name for name in names if self._finalists is None or name in self._finalists]

    def _ranked(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the variants by the CPU time per hash of their best round, because noise only adds time."""
        count = self.threads * NONCES_PER_UNIT
        best = dict.fromkeys(names, math.inf)
        for _ in range(CALIBRATION_ROUNDS):
            for name in names:
                hashes, before = 0, time.process_time()
                while (cpu_s := time.process_time() - before) < CALIBRATION_S / CALIBRATION_ROUNDS:
                    hashes += self._scan(name, count)
                best[name] = min(best[name], cpu_s / hashes)
        return tuple(sorted(names, key=best.__getitem__))

    def _scan(self, variant: str, count: int) -> int:
        from kernels.scan_cpu.scan import scan

        known = self._known
        start = (known.nonce - self._positions.randrange(count)) % (1 << 32)
        result = scan(known.header80, start, count, variant=variant, threads=self.threads)
        if result.hits != (known.nonce,):
            raise VerificationError(f"{variant}: block {known.height}: expected nonce {known.nonce}, got {result.hits}")
        return result.hashes

    def verify(self) -> list[Check]:
        """Find real nonces, wrap past 2^32 and reject near misses."""
        from kernels.scan_cpu.selftest import SelfTestError, run_selftest

        try:
            return [Check("known answer", line) for line in run_selftest(self.variant, self.threads)]
        except SelfTestError as error:
            raise VerificationError(str(error)) from error

    def run(self, n: int) -> Batch:
        """Scan `n` times 2^16 nonces around the real one."""
        before = time.process_time()
        hashes = self._scan(self.variant, n * NONCES_PER_UNIT)
        self._calls += 1
        return Batch(float(hashes), time.process_time() - before)

    def check_output(self) -> list[Check]:
        """Report how many timed calls found their planted nonce: all of them, or the run has failed already."""
        return [Check("timed calls", f"{self._calls} of {self._calls} found exactly the planted nonce")]

    def bound(self) -> "Bound | None":
        """Return the bound from probes of the variant's own instructions, or None if this CPU has none."""
        from bench.machine.clock import core_clock_hz
        from bench.workloads.cpu.scan_bounds import step_bound
        from bench.workloads.roofline import Bound

        step = step_bound(self.variant, self.midstates) if self.variant else None
        clock_hz = core_clock_hz()
        if step is None or clock_hz is None:
            return None
        why = f"{step.sentence()}; {self.threads} threads at {clock_hz / 1e9:.2f} GHz"
        return Bound(
            self.threads * clock_hz / step.cycles_per_hash, "modelled", why, step.bound_by, step.cycles_per_hash
        )

    def parameters(self) -> Mapping[str, object]:
        """Return the threads and the header."""
        return {"threads": self.threads, "header": "block 0", "nonces_per_unit": NONCES_PER_UNIT}

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
