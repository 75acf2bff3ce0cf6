"""The compiled scan of several midstates by the variant `scalar`, 1 nonce a step."""

from typing import Any

from kernels.compiler import uint32
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.rolled_lanes import hash_scalar, prepare_midstate_scalar, prepare_scalar, schedule_scalar
from kernels.scan_cpu.compiled.candidates import append_rolled, job_tuple

STEP = 1


@kernel_njit
def scan_steps(jobs: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.version_rolling` describes."""
    midstates = len(jobs)
    memory = prepare_scalar(job_tuple(jobs[0]))
    for index in range(midstates):
        prepare_midstate_scalar(job_tuple(jobs[index]), memory, uint32(index))
    candidates = 0
    for step in range(steps):
        if candidates + STEP * midstates > out.size:
            return candidates, step
        base = uint32(first + uint32(step * STEP))
        schedule_scalar(memory, base)
        for index in range(midstates):
            bits = hash_scalar(memory, uint32(index))
            if bits != 0:
                candidates = append_rolled(out, candidates, base, bits, index)
    return candidates, steps
