"""The compiled scan of variant `neon_sha2`: 4 nonces a step."""

from typing import Any

from numba import uint32

from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.hits import append_hits, unpack_job
from kernels.scan_cpu.codegen.quads_step import scan_step_neon_sha2

STEP = 4


@kernel_njit
def scan_steps(job: Any, first: Any, steps: int, out: Any) -> Any:
    """Scan `steps` steps from nonce `first`, a multiple of STEP; stop early when `out` could overflow.

    Parameters
    ----------
    job
        uint32[12]: midstate, three tail words, mask of the hash's last word.
    first
        uint32, the first nonce; the nonce wraps past 2^32.
    steps
        How many steps of STEP nonces.
    out
        uint32[at least STEP], receives candidate nonces.

    Returns
    -------
    (candidates found, steps done)
    """
    words = unpack_job(job)
    found = 0
    for step in range(steps):
        if found + STEP > out.size:
            return found, step
        base = uint32(first + uint32(step * STEP))
        bits = scan_step_neon_sha2(words, base)
        if bits != 0:
            found = append_hits(out, found, base, bits)
    return found, steps
