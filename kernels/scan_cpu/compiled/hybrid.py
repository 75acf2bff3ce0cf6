"""The compiled scan of the variant `hybrid`, a software pipeline that takes in 8 nonces a step."""

from typing import Any

from kernels.compiler import uint32
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.pipeline_step import LAG, prepare_hybrid, prepare_midstate_hybrid, scan_step_hybrid
from kernels.scan_cpu.compiled.candidates import append_candidates, job_tuple

STEP = 8


@kernel_njit
def scan_steps(job: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.compiled` describes."""
    words = job_tuple(job)
    memory = prepare_midstate_hybrid((job,), words, prepare_hybrid((job,), words), uint32(0))
    candidates = 0
    for step in range(steps + LAG):
        tested = step - LAG
        if candidates + STEP > out.size:
            return candidates, max(tested, 0)
        parity = uint32(step & 1)
        entering_nonce = uint32(first + uint32(step * STEP))
        tested_nonce = uint32(first + uint32(tested * STEP))
        bits = scan_step_hybrid((job,), memory, (parity, parity, uint32(0)), entering_nonce, tested_nonce)
        if bits != 0 and tested >= 0:
            candidates = append_candidates(out, candidates, tested_nonce, bits)
    return candidates, steps
