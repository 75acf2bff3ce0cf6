"""Memory bandwidth: copy and triad over arrays far larger than the caches, on any number of threads."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.errors import KernelInputError

Array = npt.NDArray[np.float64]

_CACHES_FACTOR = 4  # one array is at least this many times the last-level cache
_SMALLEST_BYTES = 64 << 20
_LARGEST_BYTES = 1 << 30
TRIAD_SCALE = 3.0


def array_length(last_level_cache_bytes: int, available_bytes: int, threads: int = 1) -> int:
    """Return the float64 count of each of the three arrays: four times the last-level cache where memory allows it.

    Never more than an eighth of the available memory or 1 GiB an array; a machine with a huge shared cache then
    streams three arrays of which two exceed it together.

    Raises
    ------
    KernelInputError
        When the available memory does not hold three arrays of 64 MiB.
    """
    if threads < 1:
        raise KernelInputError(f"threads: expected at least 1, got {threads}")
    if available_bytes < 8 * _SMALLEST_BYTES:
        raise KernelInputError(
            f"memory: expected at least {8 * _SMALLEST_BYTES >> 20} MiB available, got {available_bytes >> 20} MiB"
        )
    wanted = max(_CACHES_FACTOR * last_level_cache_bytes, _SMALLEST_BYTES)
    return min(wanted, _LARGEST_BYTES, available_bytes // 8) // 8


def copy_bytes(length: int) -> int:
    """Return the bytes that a copy of `length` float64 moves: one read, one write each (write-allocate not counted)."""
    return 2 * 8 * length


def triad_bytes(length: int) -> int:
    """Return the bytes that a triad moves: two reads, one write each (write-allocate not counted)."""
    return 3 * 8 * length


def random_arrays(length: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return a, b, c of `length` float64; b and c random, never zeros.

    Raises
    ------
    KernelInputError
        When `length` is below 1.
    """
    if length < 1:
        raise KernelInputError(f"length: expected at least 1, got {length}")
    generator = np.random.default_rng(seed)
    return np.zeros(length), generator.random(length), generator.random(length)


@njit(nogil=True, cache=True)
def _copy(a: Any, b: Any) -> None:
    for i in range(a.size):
        a[i] = b[i]


@njit(nogil=True, cache=True)
def _triad(a: Any, b: Any, c: Any, scale: Any) -> None:
    for i in range(a.size):
        a[i] = b[i] + scale * c[i]


class Streams:
    """Runs copy and triad over parts of the arrays, one part a thread; close it, or use it in a `with`."""

    def __init__(self, length: int, threads: int = 1, seed: int = 0) -> None:
        if threads < 1:
            raise KernelInputError(f"threads: expected at least 1, got {threads}")
        self.a, self.b, self.c = random_arrays(length, seed)
        cuts = [length * i // threads for i in range(threads + 1)]
        self._parts = [slice(low, high) for low, high in pairwise(cuts)]
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="stream")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def copy(self) -> int:
        """Do a = b and return the bytes moved."""
        list(self._pool.map(lambda part: _copy(self.a[part], self.b[part]), self._parts))
        return copy_bytes(self.a.size)

    def triad(self) -> int:
        """Do a = b + 3 c and return the bytes moved."""
        list(self._pool.map(lambda part: _triad(self.a[part], self.b[part], self.c[part], TRIAD_SCALE), self._parts))
        return triad_bytes(self.a.size)

    def copy_is_right(self) -> bool:
        """Return whether `a` holds what a copy leaves."""
        return bool(np.array_equal(self.a, self.b))

    def triad_is_right(self) -> bool:
        """Return whether `a` holds what a triad leaves, a fused multiply-add's rounding allowed."""
        step = 1 << 20
        return all(
            np.allclose(
                self.a[i : i + step], self.b[i : i + step] + TRIAD_SCALE * self.c[i : i + step], rtol=1e-15, atol=0
            )
            for i in range(0, self.a.size, step)
        )
