"""The nonce scan on an NVIDIA GPU over any window of nonces, for any target, by any of its variants."""

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
"""Candidates that a launch can store; a window with more is divided."""

BLOCKS = (64, 128, 256)
"""Threads a block, as the calibration tries them; the kernel is compiled for at most 256."""

FEWER_WARPS = (32, 24, 16)
"""Warps a multiprocessor that the calibration tries besides the most that fit: fewer share the instruction cache."""


WARP = 32
RESERVED_BYTES = 1 << 10
"""Shared memory that the driver reserves in each block (sm_80 and later)."""
MOST_SHARED_BYTES = 48 << 10
"""Most shared memory of a block without an opt-in."""


def shared_bytes_for(warps: int, block: int, shared_bytes: int) -> int:
    """Return the shared memory [byte] that limits a multiprocessor to some warps if each block requests it.

    Parameters
    ----------
    warps
        Most warps a multiprocessor.
    block
        Threads a block.
    shared_bytes
        Shared memory of a multiprocessor [byte].

    Returns
    -------
    0 if a block may not request as much.
    """
    blocks = max(1, warps * WARP // block)
    request = (shared_bytes // blocks - RESERVED_BYTES) // 128 * 128
    return request if 0 < request <= MOST_SHARED_BYTES else 0


@lru_cache(maxsize=64)
def job_array(variant: str, header80: bytes, target: int) -> npt.NDArray[np.uint32]:
    """Return the struct `Job` of a header and target for a variant of the text, as words that must not be changed."""
    record = job_record(scan_text(variant), midstate(header80), tail(header80), early_mask(target))
    return np.array(record, dtype=np.uint32)


class CudaScan:
    """One variant compiled on one GPU; `block` and `shared_bytes` may be changed between scans.

    Parameters
    ----------
    variant
        A name of `kernels.scan_cuda.variants`.
    index
        NVML's index of the GPU.
    block
        Threads a block.

    Raises
    ------
    GpuError
        The GPU cannot be used, or its memory is too small.
    KernelInputError
        No variant has this name.
    """

    def __init__(self, variant: str, index: int = 0, block: int = 256) -> None:
        self.variant = find(variant).name
        self.index = index
        self.block = block
        self.shared_bytes = 0
        self.registers: int | None = None
        self._cupy = cp = open_cupy(index)
        with explained(index):
            self._count = cp.zeros(1, dtype=cp.uint32)
            self._out = cp.empty(CAPACITY, dtype=cp.uint32)
            if variant == "numba":
                from kernels.scan_cuda.readable import scan_kernel

                self._kernel = scan_kernel
            else:
                module = compile_module(cp, scan_text(variant).source)
                self._kernel = module.get_function("sha256d_scan")
                self.registers = int(self._kernel.num_regs)  # read now, because a lost GPU no longer answers

    def scan(self, header80: bytes, start_nonce: int, count: int, target: int | None = None) -> ScanResult:
        """Hash a window of nonces and return those whose hash meets the target; the host rechecks the candidates.

        Parameters
        ----------
        header80
            80 bytes; their nonce is ignored.
        start_nonce
            First nonce, 0 to 2^32 - 1.
        count
            Number of nonces, 0 to 2^32; past 2^32 the window continues at 0.
        target
            Largest hash that is a hit; None takes the header's own target.

        Raises
        ------
        KernelInputError
            The header is not 80 bytes, or the target or the window is out of range.
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
        """Return the candidates of whole threads; two launches share the threads if one has too many candidates."""
        if threads == 0:
            return []
        self._count.fill(0)
        self._launch(header80, target, first % NONCES, threads)
        count = int(self._count.get()[0])  # waits for the launch
        if count > CAPACITY:
            half = max(1, threads // 2)
            if half == threads:
                raise KernelInputError(f"target: expected fewer than {CAPACITY} candidates a thread, got {count}")
            return self._candidates(header80, target, first, half) + self._candidates(
                header80, target, first + half * NONCES_PER_THREAD, threads - half
            )
        return [int(nonce) for nonce in self._out[:count].get()]

    def _launch(self, header80: bytes, target: int, first: int, threads: int) -> None:
        grid = -(-threads // self.block)
        arguments: tuple[Any, ...]
        if self.variant == "numba":
            from numba import cuda

            from kernels.gpu.numba_launch import small_grids_allowed
            from kernels.scan_cuda.readable import numba_job

            job = self._cupy.asarray(numba_job(header80, early_mask(target)))
            stream = cuda.external_stream(self._cupy.cuda.get_current_stream().ptr)
            arguments = (job, np.uint32(first), np.uint32(threads), self._count, self._out)
            with small_grids_allowed():
                self._kernel[grid, self.block, stream](*arguments)
            return
        record = job_array(self.variant, header80, target)
        job = np.frombuffer(record.tobytes(), dtype=np.dtype([("words", np.uint32, (record.size,))]))
        arguments = (job, np.uint32(first), np.uint32(threads), self._count, self._out, np.uint32(CAPACITY))
        self._kernel((grid,), (self.block,), arguments, shared_mem=self.shared_bytes)
