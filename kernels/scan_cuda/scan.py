"""The nonce scan on an NVIDIA GPU: any window, any target, one of the text variants or the readable Numba kernel."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import compile_module
from kernels.gpu.device import explained, open_cupy
from kernels.scan_cpu.scan import ScanResult, early_mask, meets_target
from kernels.scan_cuda.codegen import NONCES_PER_THREAD, job_record, scan_text
from kernels.scan_cuda.variants import find
from kernels.sha256.header import NONCES, Header, check_header, check_target, midstate, nbits_to_target, tail

CAPACITY = 1 << 16
"""Candidates that a launch can keep; a window with more is divided."""

BLOCKS = (64, 128, 256)
"""Threads a block that calibration tries; the kernel is compiled for at most 256."""

FEWER_WARPS = (32, 24, 16)
"""Warps a multiprocessor that calibration tries beside as many as fit: fewer share the instruction cache better."""


WARP = 32
RESERVED_BYTES = 1 << 10
"""Shared memory that the driver takes for itself in each block (sm_80 and later)."""
MOST_SHARED_BYTES = 48 << 10
"""What a block may ask for without an opt-in."""


def shared_bytes_for(warps: int, block: int, shared_bytes: int) -> int:
    """Return the shared memory [byte] a block must ask for so that no more than `warps` run on a multiprocessor.

    `shared_bytes` is what a multiprocessor has. 0 where a block may not ask for as much.
    """
    blocks = max(1, warps * WARP // block)
    wanted = (shared_bytes // blocks - RESERVED_BYTES) // 128 * 128
    return wanted if 0 < wanted <= MOST_SHARED_BYTES else 0


@lru_cache(maxsize=64)
def job_array(variant: str, header80: bytes, target: int) -> npt.NDArray[np.uint32]:
    """Return the struct `Job` of a header and target as words, for a text variant; do not write to it."""
    record = job_record(scan_text(variant), midstate(header80), tail(header80), early_mask(target))
    return np.array(record, dtype=np.uint32)


class CudaScan:
    """One variant compiled on one GPU; `block` and `shared_bytes` may be changed between scans.

    Raises
    ------
    GpuError
        The GPU cannot be used, or does not hold what the scan needs.
    KernelInputError
        No such variant.
    """

    def __init__(self, variant: str, index: int = 0, block: int = 256) -> None:
        self.variant = find(variant).name
        self.index = index
        self.block = block
        self.shared_bytes = 0
        self.registers: int | None = None
        self._cupy = cp = open_cupy(index)
        with explained(index):
            self._found = cp.zeros(1, dtype=cp.uint32)
            self._out = cp.empty(CAPACITY, dtype=cp.uint32)
            if variant == "numba":
                from kernels.scan_cuda.readable import scan_kernel

                self._kernel = scan_kernel
            else:
                module = compile_module(cp, scan_text(variant).source)
                self._kernel = module.get_function("sha256d_scan")
                self.registers = int(self._kernel.num_regs)  # asked for now: a lost GPU answers no more

    def scan(self, header80: bytes, start_nonce: int, count: int, target: int | None = None) -> ScanResult:
        """Hash `count` nonces from `start_nonce` on and return those that hit; candidates are rechecked on the host.

        Parameters
        ----------
        header80
            80 bytes; the nonce in it is ignored.
        start_nonce, count
            The window, 0 to 2^32 nonces long; past 2^32 it continues at 0.
        target
            A hash is a hit when it is at most this; None takes the header's own.

        Raises
        ------
        KernelInputError
            On a header that is not 80 bytes, a target or a window out of range.
        GpuError
            The GPU failed.
        """
        header80 = check_header(header80)
        target = nbits_to_target(Header.unpack(header80).nbits) if target is None else check_target(target)
        if not 0 <= start_nonce < NONCES:
            raise KernelInputError(f"start_nonce: expected 0 to 2^32 - 1, got {start_nonce}")
        if not 0 <= count <= NONCES:
            raise KernelInputError(f"count: expected 0 to 2^32 nonces, got {count}")
        lead = start_nonce % NONCES_PER_THREAD
        threads = -(-(lead + count) // NONCES_PER_THREAD) if count else 0
        with explained(self.index):
            candidates = self._candidates(header80, target, start_nonce - lead, threads)
        offsets = {(nonce - start_nonce) % NONCES for nonce in candidates if meets_target(header80, nonce, target)}
        hits = tuple((start_nonce + offset) % NONCES for offset in sorted(offsets) if offset < count)
        return ScanResult(hits, count)

    def _candidates(self, header80: bytes, target: int, first: int, threads: int) -> list[int]:
        """Launch over whole threads; where more candidates pass than can be kept, in two halves."""
        if threads == 0:
            return []
        self._found.fill(0)
        self._launch(header80, target, first % NONCES, threads)
        found = int(self._found.get()[0])  # waits for the launch
        if found > CAPACITY:
            half = max(1, threads // 2)
            if half == threads:
                raise KernelInputError(f"target: expected fewer than {CAPACITY} candidates a thread, got {found}")
            return self._candidates(header80, target, first, half) + self._candidates(
                header80, target, first + half * NONCES_PER_THREAD, threads - half
            )
        return [int(nonce) for nonce in self._out[:found].get()]

    def _launch(self, header80: bytes, target: int, first: int, threads: int) -> None:
        grid = -(-threads // self.block)
        arguments: tuple[Any, ...]
        if self.variant == "numba":
            from numba import cuda

            from kernels.gpu.numba_launch import small_grids_allowed
            from kernels.scan_cuda.readable import numba_job

            job = self._cupy.asarray(numba_job(header80, early_mask(target)))
            stream = cuda.external_stream(self._cupy.cuda.get_current_stream().ptr)
            arguments = (job, np.uint32(first), np.uint32(threads), self._found, self._out)
            with small_grids_allowed():
                self._kernel[grid, self.block, stream](*arguments)
            return
        record = job_array(self.variant, header80, target)
        job = np.frombuffer(record.tobytes(), dtype=np.dtype([("words", np.uint32, (record.size,))]))
        arguments = (job, np.uint32(first), np.uint32(threads), self._found, self._out, np.uint32(CAPACITY))
        self._kernel((grid,), (self.block,), arguments, shared_mem=self.shared_bytes)
