"""The nonce scan on an NVIDIA GPU over any window of nonces, for any target; of several versions of a header."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import compile_module
from kernels.gpu.device import explained, open_cupy
from kernels.scan_cpu.scan import MIDSTATES, ScanResult, VersionScanResult, early_mask, meets_target
from kernels.scan_cuda.codegen import NONCES_PER_THREAD, job_record, scan_text
from kernels.scan_cuda.rolled_text import rolled_job_record, rolled_text
from kernels.scan_cuda.variants import find
from kernels.sha256.header import (
    NONCES,
    Header,
    check_header,
    check_target,
    midstate,
    nbits_to_target,
    tail,
    with_version,
)

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


@lru_cache(maxsize=64)
def rolled_job_array(variant: str, headers: tuple[bytes, ...], target: int) -> npt.NDArray[np.uint32]:
    """Return the struct `Job` of headers that differ in the version, as `job_array` does of one."""
    states = [midstate(header80) for header80 in headers]
    record = rolled_job_record(rolled_text(variant), states, tail(headers[0]), early_mask(target))
    return np.array(record, dtype=np.uint32)


def checked(header80: bytes, target: int | None, start_nonce: int, count: int) -> tuple[bytes, int]:
    """Return the header and the target of a valid window.

    Raises
    ------
    KernelInputError
        The header is not 80 bytes, or the target or the window is out of range.
    """
    header80 = check_header(header80)
    target = nbits_to_target(Header.unpack(header80).nbits) if target is None else check_target(target)
    if not 0 <= start_nonce < NONCES:
        raise KernelInputError(f"start_nonce: expected 0 to 2^32 - 1, got {start_nonce}")
    if not 0 <= count <= NONCES:
        raise KernelInputError(f"count: expected 0 to 2^32 nonces, got {count}")
    return header80, target


class ScanKernel(ABC):
    """One kernel compiled on one GPU; `block` and `shared_bytes` may be changed between scans.

    Parameters
    ----------
    variant
        Name of the variant.
    index
        NVML's index of the GPU.
    block
        Threads a block.

    Raises
    ------
    GpuError
        The GPU cannot be used, or its memory is too small.
    KernelInputError
        No such variant has this kernel.
    """

    candidate_dtype: type[np.unsignedinteger[Any]] = np.uint32  # of one candidate, as the kernel writes it

    def __init__(self, variant: str, index: int = 0, block: int = 256) -> None:
        self.variant = variant
        self.index = index
        self.block = block
        self.shared_bytes = 0
        self.registers: int | None = None
        self._cupy = cp = open_cupy(index)
        with explained(index):
            self._count = cp.zeros(1, dtype=cp.uint32)
            self._out = cp.empty(CAPACITY, dtype=self.candidate_dtype)
            self._kernel = self._compiled()

    @abstractmethod
    def _compiled(self) -> Any:
        """Return the kernel of this variant, compiled on this GPU."""

    def _function(self, source: str, name: str) -> Any:
        """Return a kernel of CUDA C; its registers are read now, because a lost GPU no longer answers."""
        kernel = compile_module(self._cupy, source).get_function(name)
        self.registers = int(kernel.num_regs)
        return kernel

    def _window(self, job: npt.NDArray[np.uint32], start_nonce: int, count: int) -> list[int]:
        """Return the candidates of a window and of the nonces around it that the same threads test."""
        lead = start_nonce % NONCES_PER_THREAD
        threads = -(-(lead + count) // NONCES_PER_THREAD) if count else 0
        with explained(self.index):
            return self._candidates(job, start_nonce - lead, threads)

    def _candidates(self, job: npt.NDArray[np.uint32], first: int, threads: int) -> list[int]:
        """Return the candidates of whole threads; two launches share the threads if one has too many candidates."""
        if threads == 0:
            return []
        self._count.fill(0)
        self._launch(job, first % NONCES, threads)
        count = int(self._count.get()[0])  # waits for the launch
        if count > CAPACITY:
            half = max(1, threads // 2)
            if half == threads:
                raise KernelInputError(f"target: expected fewer than {CAPACITY} candidates a thread, got {count}")
            second = self._candidates(job, first + half * NONCES_PER_THREAD, threads - half)
            return self._candidates(job, first, half) + second
        return [int(candidate) for candidate in self._out[:count].get()]

    def _launch(self, job: npt.NDArray[np.uint32], first: int, threads: int) -> None:
        grid = -(-threads // self.block)
        record = np.frombuffer(job.tobytes(), dtype=np.dtype([("words", np.uint32, (job.size,))]))
        arguments = (record, np.uint32(first), np.uint32(threads), self._count, self._out, np.uint32(CAPACITY))
        self._kernel((grid,), (self.block,), arguments, shared_mem=self.shared_bytes)


class CudaScan(ScanKernel):
    """The plain scan by one variant of `kernels.scan_cuda.variants`."""

    def _compiled(self) -> Any:
        if find(self.variant).name == "numba":
            from kernels.scan_cuda.readable import scan_kernel

            return scan_kernel
        return self._function(scan_text(self.variant).source, "sha256d_scan")

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
        header80, target = checked(header80, target, start_nonce, count)
        candidates = self._window(self._job(header80, target), start_nonce, count)
        offsets = {(nonce - start_nonce) % NONCES for nonce in candidates if meets_target(header80, nonce, target)}
        hits = tuple((start_nonce + offset) % NONCES for offset in sorted(offsets) if offset < count)
        return ScanResult(hits, count)

    def _job(self, header80: bytes, target: int) -> npt.NDArray[np.uint32]:
        if self.variant == "numba":
            from kernels.scan_cuda.readable import numba_job

            return numba_job(header80, early_mask(target))
        return job_array(self.variant, header80, target)

    def _launch(self, job: npt.NDArray[np.uint32], first: int, threads: int) -> None:
        if self.variant != "numba":
            super()._launch(job, first, threads)
            return
        from numba import cuda

        from kernels.gpu.numba_launch import small_grids_allowed

        stream = cuda.external_stream(self._cupy.cuda.get_current_stream().ptr)
        arguments = (self._cupy.asarray(job), np.uint32(first), np.uint32(threads), self._count, self._out)
        with small_grids_allowed():
            self._kernel[-(-threads // self.block), self.block, stream](*arguments)


class CudaVersionScan(ScanKernel):
    """The scan of several versions of a header by one variant of `ROLLED_VARIANTS`."""

    candidate_dtype = np.uint64

    def _compiled(self) -> Any:
        return self._function(rolled_text(self.variant).source, "sha256d_scan_versions")

    def scan_versions(
        self, header80: bytes, versions: Sequence[int], start_nonce: int, count: int, target: int | None = None
    ) -> VersionScanResult:
        """Hash a window of nonces with several versions of the header; the host rechecks the candidates.

        Parameters
        ----------
        header80
            80 bytes; their version and nonce are ignored.
        versions
            2, 4 or 8 versions, each 0 to 2^32 - 1.
        start_nonce, count, target
            As in `CudaScan.scan`; each nonce is `len(versions)` hashes.

        Raises
        ------
        KernelInputError
            As in `CudaScan.scan`, or the versions are not 2, 4 or 8 different ones.
        GpuError
            The GPU failed.

        References
        ----------
        BIP 320, the bits of the version that a miner may change.
        """
        header80, target = checked(header80, target, start_nonce, count)
        if len(versions) not in MIDSTATES or len(set(versions)) != len(versions):
            raise KernelInputError(f"versions: expected 2, 4 or 8 different ones, got {len(versions)}")
        headers = tuple(with_version(header80, version) for version in versions)
        candidates = self._window(rolled_job_array(self.variant, headers, target), start_nonce, count)
        offsets = {
            ((nonce - start_nonce) % NONCES, index)
            for index, nonce in (divmod(candidate, NONCES) for candidate in candidates)
            if index < len(headers) and meets_target(headers[index], nonce, target)  # a faulty GPU writes anything
        }
        hits = [
            (versions[index], (start_nonce + offset) % NONCES) for offset, index in sorted(offsets) if offset < count
        ]
        return VersionScanResult(tuple(hits), len(versions) * count)
