"""The compiled scan of several midstates by the variant `shani`, 2 nonces a step."""

from typing import Any

from kernels.compiler import uint32
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.rolled_quads import hash_shani, prepare_midstate_shani, prepare_shani
from kernels.scan_cpu.compiled.candidates import append_numbered, job_tuple

STEP = 2


@kernel_njit
def scan_steps(jobs: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.version_rolling` describes."""
    midstates = len(jobs)
    memory = prepare_shani(job_tuple(jobs[0]))
    for index in range(midstates):
        prepare_midstate_shani(job_tuple(jobs[index]), memory, uint32(index))
    candidates = 0
    for step in range(-1, steps):  # step -1 has no hashes yet: it makes the first schedules
        if candidates + STEP * midstates > out.size:
            return candidates, max(step, 0)
        base = uint32(first + uint32(step * STEP))
        for number in range(0, STEP * midstates, 4):
            bits = hash_shani(jobs, memory, (uint32(step & 1), uint32(number)), uint32(base + uint32(STEP)))
            if bits != 0 and step >= 0:
                candidates = append_numbered(out, candidates, base, bits, (number, midstates))
    return candidates, steps
