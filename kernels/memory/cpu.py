"""The memory bandwidth of a CPU: copy and triad over arrays far larger than the caches, on some threads."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError
from kernels.jit import cached_njit

Array = npt.NDArray[np.float64]

_CACHES_FACTOR = 4  # one array is at least this many times the last-level cache
_SMALLEST_BYTES = 64 << 20
_LARGEST_BYTES = 1 << 30
TRIAD_SCALE = 3.0


def array_length(last_level_cache_bytes: int, available_bytes: int, threads: int = 1) -> int:
    """Return the length of each of the three arrays: four times the last-level cache if memory allows it.

    An array takes at most an eighth of the available memory and at most 1 GiB. On a machine with a very large cache two
    of the three arrays together still exceed it.

    Parameters
    ----------
    last_level_cache_bytes
        Size of the last-level cache [byte].
    available_bytes
        Available memory [byte].
    threads
        Number of threads.

    Returns
    -------
    Number of float64.

    Raises
    ------
    KernelInputError
        The available memory does not hold three arrays of 64 MiB, or the number of threads is below one.
    """
    if threads < 1:
        raise KernelInputError(f"threads: expected at least 1, got {threads}")
    if available_bytes < 8 * _SMALLEST_BYTES:
        raise KernelInputError(
            f"memory: expected at least {8 * _SMALLEST_BYTES >> 20} MiB available, got {available_bytes >> 20} MiB"
        )
    size = max(_CACHES_FACTOR * last_level_cache_bytes, _SMALLEST_BYTES)
    return min(size, _LARGEST_BYTES, available_bytes // 8) // 8


def copy_bytes(length: int) -> int:
    """Return the bytes that a copy of `length` float64 moves: one read and one write each, without write-allocation."""
    return 2 * 8 * length


def triad_bytes(length: int) -> int:
    """Return the bytes that a triad of `length` float64 moves: two reads and one write each, likewise."""
    return 3 * 8 * length


def random_arrays(length: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return float64 arrays a, b and c of a length; b and c are random.

    Raises
    ------
    KernelInputError
        The length is below 1.
    """
    if length < 1:
        raise KernelInputError(f"length: expected at least 1, got {length}")
    generator = np.random.default_rng(seed)
    return np.zeros(length), generator.random(length), generator.random(length)


@cached_njit()
def _copy(a: Any, b: Any) -> None:
    for i in range(a.size):
        a[i] = b[i]


@cached_njit()
def _triad(a: Any, b: Any, c: Any, scale: Any) -> None:
    for i in range(a.size):
        a[i] = b[i] + scale * c[i]


class Streams:
    """Copy and triad over three arrays, one part a thread; close it, or use it in a `with`."""

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
        """Return whether `a` holds the result of a copy."""
        return bool(np.array_equal(self.a, self.b))

    def triad_is_right(self) -> bool:
        """Return whether `a` holds the result of a triad, with or without a fused multiply-add."""
        step = 1 << 20
        return all(
            np.allclose(
                self.a[i : i + step], self.b[i : i + step] + TRIAD_SCALE * self.c[i : i + step], rtol=1e-15, atol=0
            )
            for i in range(0, self.a.size, step)
        )
