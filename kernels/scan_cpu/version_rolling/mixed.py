"""The compiled scan of several midstates by the variant `mixed`, a software pipeline that takes in 48 nonces a step."""

from typing import Any

from kernels.compiler import uint32, uint64
from kernels.jit import kernel_njit
from kernels.scan_cpu.codegen.pipeline_step import LAG, prepare_midstate_mixed, prepare_mixed, scan_step_mixed
from kernels.scan_cpu.compiled.candidates import append_rolled, job_tuple

STEP = 48


@kernel_njit
def scan_steps(jobs: Any, first: Any, steps: int, out: Any) -> Any:
    """Return the candidates written and the steps done, as `kernels.scan_cpu.version_rolling` describes."""
    midstates = len(jobs)
    memory = prepare_mixed(jobs, job_tuple(jobs[0]))
    for index in range(midstates):
        prepare_midstate_mixed(jobs, job_tuple(jobs[index]), memory, uint32(index))
    candidates, parity = 0, uint32(0)
    lag = midstates + LAG - 1  # turns from the first one of a nonce to the test of its first midstate
    step, index = -lag // midstates, -lag % midstates  # of the batches that are tested
    # A turn returns the bits of the vectors' batches with those of the SHA batch that entered LAG - 1 turns earlier.
    vectors = (uint64(0), uint64(0), uint64(0))
    for entering in range(steps - step):
        entering_nonce, rows = uint32(first + uint32(entering * STEP)), uint32(entering & 1)
        for turn in range(midstates):
            if index == 0 and candidates + STEP * midstates > out.size:
                return candidates, max(step, 0)
            tested_nonce = uint32(first + uint32(step * STEP))
            bits = scan_step_mixed(jobs, memory, (parity, rows, uint32(turn)), entering_nonce, tested_nonce)
            tested = (bits & uint64(0xFFFF)) | vectors[0]
            vectors = (vectors[1], vectors[2], bits & ~uint64(0xFFFF))
            if tested != 0 and 0 <= step < steps:
                candidates = append_rolled(out, candidates, tested_nonce, tested, index)
            parity ^= uint32(1)
            index += 1
            if index == midstates:
                step, index = step + 1, 0
    return candidates, steps
