"""Copy and triad: bytes, correctness on any number of threads, sizes."""

import numpy as np
import pytest

from kernels.errors import KernelInputError
from kernels.memory import cpu as memory_cpu


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_copy_and_triad_are_right_and_say_their_bytes(threads):
    with memory_cpu.Streams(1001, threads) as streams:
        assert not streams.copy_is_right()
        assert streams.copy() == 2 * 8 * 1001
        assert streams.copy_is_right()
        assert streams.triad() == 3 * 8 * 1001
        assert streams.triad_is_right()
        assert not streams.copy_is_right()
        streams.a[500] += 1e-9
        assert not streams.triad_is_right()


def test_the_data_are_random():
    _, b, c = memory_cpu.random_arrays(1000)
    assert np.unique(b).size == np.unique(c).size == 1000


@pytest.mark.parametrize(
    ("cache", "available", "expected"),
    [
        (32 << 20, 64 << 30, 128 << 20),  # four times the cache
        (1 << 20, 64 << 30, 64 << 20),  # never less than 64 MiB
        (480 << 20, 64 << 30, 1 << 30),  # never more than 1 GiB
        (480 << 20, 4 << 30, 512 << 20),  # never more than an eighth of the memory
    ],
)
def test_arrays_exceed_the_caches_where_memory_allows(cache, available, expected):
    assert memory_cpu.array_length(cache, available) * 8 == expected


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(KernelInputError, match="memory: expected at least 512 MiB available, got 100 MiB"):
        memory_cpu.array_length(1 << 20, 100 << 20)
    with pytest.raises(KernelInputError, match="threads"):
        memory_cpu.array_length(1 << 20, 1 << 40, threads=0)
    with pytest.raises(KernelInputError, match="threads"):
        memory_cpu.Streams(100, threads=0)
    with pytest.raises(KernelInputError, match="length"):
        memory_cpu.random_arrays(0)
