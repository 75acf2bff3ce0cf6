"""Slices of a compiled scan on pinned threads, each with clock and neighbour probes by the thread that ran it."""

import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TYPE_CHECKING, NamedTuple, Self

from bench.errors import RunFailedError
from bench.machine.clock import core_clock_hz, is_quiet, neighbour_cycles

if TYPE_CHECKING:
    from kernels.scan_cpu.native_scan import CompiledScan


class TimedScan(NamedTuple):
    """A compiled scan of one or several midstates that share a message schedule."""

    variant: str
    compiled: "CompiledScan"
    midstates: int = 1

    @property
    def step_hashes(self) -> int:
        """Hashes of a step."""
        return self.compiled.STEP * self.midstates


@dataclass(frozen=True, slots=True)
class VariantSlice:
    """One slice of a variant on all threads."""

    rate_per_s: float  # hashes per second of wall time
    cycles_per_hash: float | None  # of CPU time
    clock_hz: float | None  # [Hz] mean core clock
    quiet: bool


class PinnedThreads:
    """Threads pinned to cores, one each."""

    def __init__(self, cores: Sequence[int]) -> None:
        self.cores = list(cores)
        self._pools = [ThreadPoolExecutor(1, thread_name_prefix=f"core{core}") for core in cores]

    def __enter__(self) -> Self:
        """Pin the threads."""
        if hasattr(os, "sched_setaffinity"):
            for pool, core in zip(self._pools, self.cores, strict=True):
                pool.submit(os.sched_setaffinity, 0, {core}).result()
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads."""
        for pool in self._pools:
            pool.shutdown()

    def slice(self, scan: TimedScan, steps: int, threads: int | None = None) -> VariantSlice:
        """Run one slice on all threads at once, or on the first `threads`."""
        pools = self._pools[:threads]
        barrier = Barrier(len(pools))
        parts = [pool.submit(_scan_slice, scan, steps, barrier) for pool in pools]
        done = [part.result() for part in parts]
        hashes = sum(part.hashes for part in done)
        rate_per_s = sum(part.hashes / (part.end_s - part.start_s) for part in done)
        clocks = [part.clock_hz for part in done if part.clock_hz is not None]
        cycles = (
            sum(part.cpu_s * (part.clock_hz or 0.0) for part in done) / hashes if len(clocks) == len(done) else None
        )
        clock_hz = statistics.fmean(clocks) if clocks else None
        return VariantSlice(rate_per_s, cycles, clock_hz, all(part.quiet for part in done))


@dataclass(frozen=True, slots=True)
class _Part:
    hashes: int
    start_s: float
    end_s: float
    cpu_s: float
    clock_hz: float | None
    quiet: bool


def _scan_slice(scan: TimedScan, steps: int, barrier: Barrier) -> _Part:
    """Scan one window on the calling thread, with probes on both sides."""
    import numpy as np

    from kernels.scan_cpu.scan import job_words
    from kernels.scan_cpu.selftest import known_headers
    from kernels.sha256.header import nbits_to_target, versions_around, with_version

    known, (name, compiled, midstates) = known_headers()[0], scan
    target = nbits_to_target(int.from_bytes(known.header80[72:76], "little"))
    versions = versions_around(known.version, 0, midstates)  # the block's own version is the first
    jobs = np.array([job_words(with_version(known.header80, version), target) for version in versions])
    first = known.nonce - known.nonce % compiled.STEP - steps // 2 * compiled.STEP
    out = np.empty(1024, dtype=np.uint64 if midstates > 1 else np.uint32)
    clock_before = core_clock_hz()
    probe_before = neighbour_cycles(clock_before)
    barrier.wait()
    start_s, cpu_s = time.perf_counter(), time.thread_time()
    hits, done = compiled.scan_steps(jobs, first % (1 << 32), steps, out)
    cpu_s, end_s = time.thread_time() - cpu_s, time.perf_counter()
    clock_after = core_clock_hz()
    probe_after = neighbour_cycles(clock_after)
    if done != steps or out[:hits].tolist() != [known.nonce]:
        raise RunFailedError(f"{name}: block {known.height}: expected nonce {known.nonce}, got {out[:hits].tolist()}")
    return _Part(
        steps * scan.step_hashes,
        start_s,
        end_s,
        cpu_s,
        statistics.fmean((clock_before, clock_after)) if clock_before and clock_after else None,
        is_quiet((clock_before, clock_after), (probe_before, probe_after)),
    )


def steps_for(scan: TimedScan, slice_s: float) -> int:
    """Return the number of steps that take about `slice_s` [s]."""
    barrier, steps = Barrier(1), 256
    while True:
        part = _scan_slice(scan, steps, barrier)
        if part.cpu_s >= slice_s / 4:
            return max(1, round(steps * slice_s / part.cpu_s))
        steps *= 4
