"""The functions that all compiled scans share: the job as a tuple, and candidates appended from a step's bits."""

from typing import Any

from kernels.compiler import uint32, uint64
from kernels.jit import kernel_njit


@kernel_njit
def job_tuple(job: Any) -> Any:
    """Return the twelve words of a job array as a tuple, which no store in the loop can change."""
    return (
        job[0], job[1], job[2], job[3], job[4], job[5],
        job[6], job[7], job[8], job[9], job[10], job[11],
    )  # fmt: skip


@kernel_njit
def append_candidates(out: Any, count: int, base: Any, bits: Any) -> int:
    """Append nonce base + i to `out` for each set bit i and return the new count of candidates."""
    bits = uint64(bits)
    lane = uint32(0)
    while bits != 0:
        if bits & uint64(1):
            out[count] = uint32(base + lane)
            count += 1
        bits >>= uint64(1)
        lane += uint32(1)
    return count


@kernel_njit
def append_rolled(out: Any, count: int, base: Any, bits: Any, midstate: int) -> int:
    """Append midstate * 2^32 + nonce base + i to `out` for each set bit i and return the new count of candidates."""
    bits = uint64(bits)
    lane = uint32(0)
    while bits != 0:
        if bits & uint64(1):
            out[count] = uint64(midstate) << uint64(32) | uint64(uint32(base + lane))
            count += 1
        bits >>= uint64(1)
        lane += uint32(1)
    return count


@kernel_njit
def append_numbered(out: Any, count: int, base: Any, bits: Any, numbers: Any) -> int:
    """Append midstate * 2^32 + nonce for each set bit i and return the new count of candidates.

    `numbers` is the number of the first hash and the number of midstates k: hash s is that of nonce base + s // k with
    midstate s % k.
    """
    first, midstates = numbers
    for lane in range(4):
        if bits >> uint32(lane) & uint32(1):
            number = first + lane
            out[count] = uint64(number % midstates) << uint64(32) | uint64(uint32(base + uint32(number // midstates)))
            count += 1
    return count
