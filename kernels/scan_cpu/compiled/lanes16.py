"""The compiled scan of the variant `lanes16`, 32 nonces a step."""

from typing import Any

from kernels.compiler import uint32
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.lanes_step import scan_step_lanes16
from kernels.scan_cpu.compiled.candidates import append_candidates, job_tuple

STEP = 32


@kernel_njit
def scan_steps(job: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.compiled` describes."""
    words = job_tuple(job)
    candidates = 0
    for step in range(steps):
        if candidates + STEP > out.size:
            return candidates, step
        base = uint32(first + uint32(step * STEP))
        bits = scan_step_lanes16(words, base)
        if bits != 0:
            candidates = append_candidates(out, candidates, base, bits)
    return candidates, steps
