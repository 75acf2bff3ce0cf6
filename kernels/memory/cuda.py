"""The memory bandwidth of an NVIDIA GPU: copy, triad and read over arrays far larger than its caches."""

from typing import Any

import numpy as np

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import compile_module, read_source
from kernels.gpu.device import GpuError, explained
from kernels.gpu.random_fill import fill_module, fill_random

OPERATIONS = {"copy": 2, "triad": 3, "read": 1}
"""Arrays that a pass reads or writes, each of their bytes once."""

VARIANTS = {"copy": ("memcpy", "kernel"), "triad": ("kernel",), "read": ("kernel",)}
TRIAD_SCALE = 3.0
LARGEST_BYTES = 4 << 30
CACHES_FACTOR = 4
THREADS = 512
BLOCKS_EACH = (2, 4, 8)
_GROUP_BYTES = 4 * 16  # a thread moves four 16-byte words a turn


def array_bytes(cache_bytes: int, free_bytes: int, blocks: int) -> int:
    """Return the size of each of three arrays [byte]: 4 GiB, or a quarter of the free memory if that is less.

    The size is a multiple of the bytes that all threads move at a turn, so that every block has the same work.

    Parameters
    ----------
    cache_bytes
        Size of the GPU's last-level cache [byte].
    free_bytes
        Free memory of the GPU [byte].
    blocks
        Number of blocks.

    Raises
    ------
    KernelInputError
        The free memory does not hold three arrays of four times the cache.
    """
    step = blocks * THREADS * _GROUP_BYTES
    size = min(LARGEST_BYTES, free_bytes // 4) // step * step
    if size < CACHES_FACTOR * cache_bytes or size == 0:
        needed = max(4 * CACHES_FACTOR * cache_bytes, 4 * step)
        raise KernelInputError(f"GPU memory: expected at least {needed >> 20} MiB free, got {free_bytes >> 20} MiB")
    return size


def grids(multiprocessors: int, size_bytes: int) -> dict[str, int]:
    """Return the numbers of blocks to try, by name: a few a multiprocessor, and one for each tile of the arrays."""
    fixed = {f"{each} blocks a multiprocessor": each * multiprocessors for each in BLOCKS_EACH}
    return {**fixed, "a block a tile": size_bytes // (THREADS * _GROUP_BYTES)}


class CudaStreams:
    """Device arrays and the passes over them; `blocks` may be changed; close it to release the memory.

    Parameters
    ----------
    cupy
        The module CuPy with the GPU current.
    operation
        A key of OPERATIONS.
    size_bytes
        Size of each array [byte].
    blocks
        Blocks of a launch.

    Raises
    ------
    KernelInputError
        The operation is unknown.
    GpuError
        The GPU's memory does not hold the arrays.
    """

    def __init__(self, cupy: Any, operation: str, size_bytes: int, blocks: int) -> None:
        if operation not in OPERATIONS:
            raise KernelInputError(f"operation: expected one of {', '.join(OPERATIONS)}, got {operation!r}")
        self.operation, self.size_bytes, self.blocks = operation, size_bytes, blocks
        self._cupy = cupy
        with explained():
            self._module = compile_module(cupy, read_source("memory.cu"))
            fill = fill_module(cupy)
            table = cupy.asarray(_random_words())
            self.arrays = [cupy.empty(size_bytes // 4, dtype=cupy.uint32) for _ in range(OPERATIONS[operation])]
            for seed, array in enumerate(self.arrays):
                fill_random(cupy, fill, array, table, seed * size_bytes)
            self._result = cupy.zeros(1, dtype=cupy.uint32)
            self._passes = 0
            self._kernel = self._module.get_function(f"memory_{operation}")
            self._expected = self._checksum(self.arrays[0]) if operation == "read" else 0

    def queue(self, variant: str) -> int:
        """Queue one pass on the current stream and return the bytes that it moves."""
        cp, count = self._cupy, np.uint64(self.size_bytes // 16)
        grid, block = (self.blocks,), (THREADS,)
        if self.operation == "copy" and variant == "memcpy":
            stream = cp.cuda.get_current_stream()
            self.arrays[0].data.copy_from_device_async(self.arrays[1].data, self.size_bytes, stream)
        elif self.operation == "copy":
            self._kernel(grid, block, (self.arrays[0], self.arrays[1], count))
        elif self.operation == "triad":
            self._kernel(grid, block, (*self.arrays, np.float64(TRIAD_SCALE), count))
        else:
            self._kernel(grid, block, (self._result, self.arrays[0], count))
            self._passes += 1
        return OPERATIONS[self.operation] * self.size_bytes

    def queue_many(self, variant: str, passes: int) -> int:
        """Queue several passes and return the bytes that they move."""
        return sum(self.queue(variant) for _ in range(passes))

    def spoil(self) -> None:
        """Overwrite the result, so that the next check cannot pass with the result of an earlier pass."""
        if self.operation == "read":
            self._result.fill(0)
            self._passes = 0
        else:
            self.arrays[0].fill(0xFFFFFFFF)

    def is_right(self) -> bool:
        """Return whether every element is right after the passes since `spoil`; two passes of `read` cancel.

        Raises
        ------
        GpuError
            The GPU failed.
        """
        cp = self._cupy
        with explained():
            if self.operation == "copy":
                return bool((self.arrays[0] == self.arrays[1]).all())
            if self.operation == "read":
                return int(self._result.get()[0]) == (self._expected if self._passes % 2 else 0)
            a, b, c = (array.view(cp.float64) for array in self.arrays)
            step = 1 << 26
            return all(
                bool(cp.allclose(a[i : i + step], b[i : i + step] + TRIAD_SCALE * c[i : i + step], rtol=1e-15, atol=0))
                for i in range(0, a.size, step)
            )

    def close(self) -> None:
        """Release the memory of the GPU."""
        self.arrays = []
        self._cupy.get_default_memory_pool().free_all_blocks()

    def _checksum(self, array: Any) -> int:
        """Return the exclusive or of all words by halving, which is independent of the kernel."""
        cp = self._cupy
        words = array
        scratch = None
        while words.size > 1:
            half = words.size // 2
            rest = words[2 * half :]
            scratch = cp.bitwise_xor(words[:half], words[half : 2 * half])
            if rest.size:
                scratch[:1] ^= rest
            words = scratch
        return int(words.get()[0])


def free_memory_bytes(cupy: Any) -> int:
    """Return the free memory of the current GPU [byte].

    Raises
    ------
    GpuError
        The GPU does not answer.
    """
    with explained():
        return int(cupy.cuda.runtime.memGetInfo()[0])


def _random_words() -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return 2^16 random words; two of them read as a float64 are a finite number, which the triad needs."""
    generator = np.random.default_rng(0)
    return (0x3F800000 | generator.integers(0, 1 << 22, 1 << 16, dtype=np.uint32)).astype(np.uint32)


__all__ = ["CudaStreams", "GpuError", "array_bytes", "free_memory_bytes"]
