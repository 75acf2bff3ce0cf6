"""The compiled scan of several midstates by the variant `lanes16`, 16 nonces a step."""

from typing import Any

from kernels.compiler import uint32
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.rolled_lanes import (
    hash_lanes16,
    prepare_lanes16,
    prepare_midstate_lanes16,
    schedule_lanes16,
)
from kernels.scan_cpu.compiled.candidates import append_rolled, job_tuple

STEP = 16


@kernel_njit
def scan_steps(jobs: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.version_rolling` describes."""
    midstates = len(jobs)
    memory = prepare_lanes16(job_tuple(jobs[0]))
    for index in range(midstates):
        prepare_midstate_lanes16(job_tuple(jobs[index]), memory, uint32(index))
    candidates = 0
    for step in range(steps + 1):
        if candidates + STEP * midstates > out.size:
            return candidates, max(step - 1, 0)
        base = uint32(first + uint32(step * STEP))
        schedule_lanes16(memory, base)
        for index in range(midstates):
            bits = hash_lanes16(memory, uint32(index))
            if index > 0 and bits != 0 and step < steps:
                candidates = append_rolled(out, candidates, base, bits, index - 1)
            elif index == 0 and bits != 0 and step > 0:
                candidates = append_rolled(out, candidates, uint32(base - uint32(STEP)), bits, midstates - 1)
    return candidates, steps
