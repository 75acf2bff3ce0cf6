"""The nonce scan on an NVIDIA GPU: `sha256d_scan_cuda`, with a chosen variant or the fastest on this GPU."""

import random
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.workloads.cuda.context import BATCH_S, GpuContext, device_index
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from bench.workloads.roofline import SCAN_COUNTS, Bound, ScanCount, scan_bound

if TYPE_CHECKING:
    from kernels.scan_cuda.scan import ScanKernel

NONCES_PER_UNIT = 1 << 24
MOST_UNITS = 1 << 8  # a window of 2^32 nonces
CALIBRATION_NONCES = 1 << 28
SLOW_S = 1.0  # [s] a kernel that takes longer for one unit is calibrated with that unit


class Sha256dScanCuda:
    """Double SHA-256 of a real block's header over windows that each contain its nonce at a random position.

    The unit is one double hash of an 80-byte header whose midstate is known. A timed call that does not report exactly
    the planted nonce is wrong, so every timed window checks itself.
    """

    version = 1
    unit = "hash"
    batch_s = BATCH_S

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.scan_cpu.selftest import known_headers

        if options.variant is not None:
            self._check_variant(options.variant)
        self.name = name
        self.variant = options.variant or ""
        self._index = device_index(name, options)
        self._rates: Mapping[str, float] = dict(options.extra.get("pipe_rates") or {})  # type: ignore[call-overload]
        self._gpu: GpuContext | None = None
        self._scan: ScanKernel | None = None
        self._positions = random.Random(0)  # noqa: S311 (positions of the planted nonce; not a secret)
        # The header with the hardest target: a window of 2^32 nonces must have no other hit, as block 0 has
        # (3197545707).
        self._known = max(known_headers(), key=lambda known: known.height)
        self._calls = 0
        self._tried: dict[str, float] = {}

    def _check_variant(self, name: str) -> None:
        from kernels.scan_cuda.variants import find

        find(name)

    def _candidates(self) -> tuple[str, ...]:
        """Return the variants that the calibration times."""
        from kernels.scan_cuda.variants import TEXT_VARIANTS

        return tuple(TEXT_VARIANTS)

    def _compiled(self, name: str) -> "ScanKernel":
        from kernels.scan_cuda.scan import CudaScan

        return CudaScan(name, self._index)

    def prepare(self) -> None:
        """Compile the candidates, time them over the block sizes, keep the fastest, then try fewer warps with it.

        A second call does nothing.
        """
        if self._scan is not None:
            return
        from kernels.scan_cuda.scan import BLOCKS

        self._gpu = GpuContext.open(self._index)
        names = (self.variant,) if self.variant else self._candidates()
        best = 0.0
        with self._gpu.stream:
            for name in names:
                scan = self._compiled(name)
                self._gpu.warm(partial(self._hash, scan, NONCES_PER_UNIT))
                for block in BLOCKS:
                    scan.block = block
                    rate = self._quick_rate(scan)
                    self._tried[f"{name}, {block} threads a block"] = rate
                    if rate > best:
                        best, self._scan, self.variant = rate, scan, name
                        chosen = block
                if self._scan is scan:
                    scan.block = chosen
            self._try_fewer_warps(best)

    def _try_fewer_warps(self, best: float) -> None:
        """Keep the number of warps per multiprocessor at which the chosen kernel is fastest."""
        from kernels.scan_cuda.scan import BLOCKS, FEWER_WARPS, shared_bytes_for

        gpu, scan = self._ready()
        if self.variant == "numba":
            return
        chosen, small = (scan.block, 0), min(BLOCKS)
        for warps in FEWER_WARPS:
            scan.block, scan.shared_bytes = small, shared_bytes_for(warps, small, gpu.shared_bytes)
            if scan.shared_bytes:
                rate = self._quick_rate(scan)
                self._tried[f"{self.variant}, {small} threads a block, at most {warps} warps a multiprocessor"] = rate
                if rate > best:
                    best, chosen = rate, (small, scan.shared_bytes)
        scan.block, scan.shared_bytes = chosen

    def _quick_rate(self, scan: "ScanKernel") -> float:
        """Return the rate of one window after a warm-up [hash/s]; a slow kernel gets a shorter window."""
        count = NONCES_PER_UNIT
        before = time.perf_counter()
        self._hash(scan, count)
        slow = time.perf_counter() - before > SLOW_S
        count = count if slow else CALIBRATION_NONCES
        before = time.perf_counter()
        self._hash(scan, count)
        return count / (time.perf_counter() - before)

    def _hash(self, scan: Any, count: int) -> int:
        """Hash `count` headers around the real one and return their number; a wrong answer raises."""
        known = self._known
        start = (known.nonce - self._positions.randrange(count)) % (1 << 32)
        result = scan.scan(known.header80, start, count)
        if result.hits != (known.nonce,):
            raise VerificationError(
                f"{scan.variant}: block {known.height}: expected nonce {known.nonce}, got {result.hits}"
            )
        return int(result.hashes)

    def verify(self) -> list[Check]:
        """Find real nonces, wrap past 2^32 and reject near misses."""
        from kernels.scan_cpu.selftest import SelfTestError
        from kernels.scan_cuda.selftest import run_cuda_selftest

        gpu, scan = self._ready()
        try:
            with gpu.stream:
                return [Check("known answer", line) for line in run_cuda_selftest(self.variant, scan.scan)]
        except SelfTestError as error:
            raise VerificationError(str(error)) from error

    def run(self, n: int) -> Batch:
        """Scan `n` times 2^24 nonces around the real one, in windows of at most 2^32."""
        gpu, scan = self._ready()
        hashes = 0
        with gpu.stream:
            while n > 0:
                units = min(n, MOST_UNITS)
                hashes += self._hash(scan, units * NONCES_PER_UNIT)
                n -= units
                self._calls += 1
        return Batch(float(hashes))

    def check_output(self) -> list[Check]:
        """Report how many timed windows found their planted nonce: all of them, or the run has failed already."""
        return [Check("timed windows", f"{self._calls} of {self._calls} found exactly the planted nonce")]

    def bound(self) -> Bound | None:
        """Return the bound from instruction counts per pipe at the highest clock, or None without counts."""
        if self._gpu is None or self._gpu.state.max_sm_clock_hz is None:
            return None
        count = self._count(self._gpu.state.architecture)
        if count is None:
            return None
        return scan_bound(count, self._gpu.multiprocessors, self._gpu.state.max_sm_clock_hz, self._rates)

    def _count(self, architecture: str) -> ScanCount | None:
        return SCAN_COUNTS.get((self.variant, architecture))

    def parameters(self) -> Mapping[str, object]:
        """Return the header, the launch geometry, the rates of the calibration and the compiler."""
        from kernels.scan_cuda.codegen import NONCES_PER_THREAD

        parameters: dict[str, object] = {
            "header": f"block {self._known.height}",
            "nonces_per_unit": NONCES_PER_UNIT,
            "nonces_per_thread": NONCES_PER_THREAD,
        }
        if self._scan is not None and self._gpu is not None:
            parameters |= {
                "threads_per_block": self._scan.block,
                "shared_bytes_per_block": self._scan.shared_bytes,
                "registers": self._scan.registers,
                "multiprocessors": self._gpu.multiprocessors,
                "max_sm_clock_hz": self._gpu.state.max_sm_clock_hz,
                "cupy": str(self._gpu.cupy.__version__),
                "nvrtc": ".".join(map(str, self._gpu.cupy.cuda.nvrtc.getVersion())),
            }
            parameters |= {f"calibration: {name} [hash/s]": rate for name, rate in self._tried.items()}
        return parameters

    def _ready(self) -> "tuple[GpuContext, Any]":
        if self._gpu is None or self._scan is None:
            raise RuntimeError("run before prepare")
        return self._gpu, self._scan

    def close(self) -> None:
        """Release the device memory."""
        self._scan = None
        if self._gpu is not None:
            self._gpu.close()
