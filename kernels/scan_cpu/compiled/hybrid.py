"""The compiled scan of variant `hybrid`: a software pipeline that takes in 8 nonces a step."""

from typing import Any

from numba import uint32

from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.hits import append_hits, unpack_job
from kernels.scan_cpu.codegen.pipeline_step import LAG, prepare_hybrid, scan_step_hybrid

STEP = 8


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
    memory = prepare_hybrid(unpack_job(job))
    found = 0
    for step in range(steps + LAG):
        tested = step - LAG
        if found + STEP > out.size:
            return found, max(tested, 0)
        entering_nonce = uint32(first + uint32(step * STEP))
        tested_nonce = uint32(first + uint32(tested * STEP))
        bits = scan_step_hybrid(memory, uint32(step & 1), entering_nonce, tested_nonce)
        if bits != 0 and tested >= 0:
            found = append_hits(out, found, tested_nonce, bits)
    return found, steps
