"""What every compiled scan does with the bits that its step returns."""

from typing import Any

from numba import uint32, uint64

from kernels.jit import kernel_njit


@kernel_njit
def unpack_job(job: Any) -> Any:
    """Return the twelve words of a job array as a tuple, so that the loop need not fear a store to the array."""
    return (
        job[0], job[1], job[2], job[3], job[4], job[5],
        job[6], job[7], job[8], job[9], job[10], job[11],
    )  # fmt: skip


@kernel_njit
def append_hits(out: Any, found: int, base: Any, bits: Any) -> int:
    """Append nonce base + i for each set bit i and return the new count."""
    bits = uint64(bits)
    lane = uint32(0)
    while bits != 0:
        if bits & uint64(1):
            out[found] = uint32(base + lane)
            found += 1
        bits >>= uint64(1)
        lane += uint32(1)
    return found
