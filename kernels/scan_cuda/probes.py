"""Probes of a GPU's throughput: loops of independent chains of one instruction, timed by the multiprocessor's clock.

Writing and compiling the text needs no GPU; the tests disassemble it and count the instructions of the loop.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import compile_module
from kernels.gpu.device import explained

CHAINS = 8
REPEATS = 64
THREADS = 1024
"""One block of 32 warps a multiprocessor: eight warps a scheduler, each with eight chains."""


@dataclass(frozen=True)
class Probe:
    """A kind of instruction."""

    name: str
    text: str  # C of one step of the chain `{c}`
    opcode: str  # that the step must become in machine code
    pipe: str
    repeats: int = REPEATS  # steps of each chain in a turn of the loop

    @property
    def per_turn(self) -> int:
        """Steps of all chains in a turn of the loop."""
        return CHAINS * self.repeats


_MIXED = "mad.lo.u32 %0, %0, %1, %2; lop3.b32 %0, %0, %1, %2, 0x96;"


def _asm(ptx: str) -> str:
    """Return a statement of PTX, in which %0 is the chain and %1 and %2 are numbers known at run time only."""
    return f'asm volatile("{ptx}" : "+r"({{c}}) : "r"(x), "r"(y));'


PROBES = {
    probe.name: probe
    for probe in (
        # two additions are one instruction from sm_90 on; in plain C the compiler folds them or uses the FMA pipe
        Probe("iadd3", _asm("{{ .reg .u32 t; add.u32 t, %0, %1; add.u32 %0, t, %2; }}"), "IADD3", "alu"),
        Probe("lop3", _asm("lop3.b32 %0, %0, %1, %2, 0x96;"), "LOP3", "alu"),
        Probe("shf", _asm("shf.r.wrap.b32 %0, %0, %1, 7;"), "SHF", "alu"),
        Probe("lea_hi", _asm("{{ .reg .u32 t; shf.l.wrap.b32 t, %0, %0, 7; add.u32 %0, t, %1; }}"), "LEA.HI", "alu"),
        Probe("imad", _asm("mad.lo.u32 %0, %0, %1, %2;"), "IMAD", "fma"),
        Probe("imad_hi", _asm("mad.hi.u32 %0, %0, %1, %2;"), "IMAD.HI", "fma"),
        Probe("mixed", _asm(_MIXED), "LOP3", "both"),
        # the same in a loop of 49 kB, as long as the scan's, to see the cost of fetching instructions
        Probe("mixed_long", _asm(_MIXED), "LOP3", "both", repeats=3 * REPEATS),
    )
}


def probe_source(name: str) -> str:
    """Return the CUDA C of a probe, whose kernel is named `probe`.

    Raises
    ------
    KernelInputError
        No probe has this name.
    """
    if name not in PROBES:
        raise KernelInputError(f"probe: expected one of {', '.join(PROBES)}, got {name!r}")
    chains = ", ".join(f"c{i} = seed + threadIdx.x * {2 * i + 1}u" for i in range(CHAINS))
    step = "\n".join("        " + PROBES[name].text.format(c=f"c{i}") for i in range(CHAINS))
    total = " ^ ".join(f"c{i}" for i in range(CHAINS))
    return f"""\
typedef unsigned int u32;
extern "C" __global__ void __launch_bounds__({THREADS})
probe(const u32 seed, const u32 x, const u32 y, const u32 turns, long long *const cycles, u32 *const out)
{{
    u32 {chains};
    __syncthreads();
    const long long start = clock64();
    #pragma unroll 1
    for (u32 turn = 0; turn < turns; ++turn) {{
        #pragma unroll
        for (int repeat = 0; repeat < {PROBES[name].repeats}; ++repeat) {{
{step}
        }}
    }}
    __syncthreads();
    if (threadIdx.x == 0)
        cycles[blockIdx.x] = clock64() - start;
    if (({total}) == 0x12345678u)
        out[0] = 1u;
}}
"""


def instructions_per_step(name: str, capability: tuple[int, int]) -> int:
    """Return the number of instructions of one step of a chain in the machine code of a compute capability."""
    return 2 if name.startswith("mixed") or (name == "iadd3" and capability < (9, 0)) else 1


class GpuProbe:
    """One probe compiled on the current GPU, with one block a multiprocessor."""

    def __init__(self, cupy: Any, name: str) -> None:
        source = probe_source(name)
        self._cupy = cupy
        with explained():
            self.capability = tuple(int(digit) for digit in divmod(int(cupy.cuda.Device().compute_capability), 10))
            self.multiprocessors = int(cupy.cuda.Device().attributes["MultiProcessorCount"])
            self._kernel = compile_module(cupy, source).get_function("probe")
            self._cycles = cupy.zeros(self.multiprocessors, dtype=cupy.int64)
            self._out = cupy.zeros(1, dtype=cupy.uint32)
        self._per_turn = PROBES[name].per_turn * instructions_per_step(name, (self.capability[0], self.capability[1]))

    def run(self, turns: int) -> float:
        """Run some turns of the loop on every multiprocessor and return the instructions executed by all threads.

        Raises
        ------
        GpuError
            The GPU failed.
        """
        with explained():
            arguments = (np.uint32(1), np.uint32(0x9E3779B1), np.uint32(7), np.uint32(turns), self._cycles, self._out)
            self._kernel((self.multiprocessors,), (THREADS,), arguments)
            self._cupy.cuda.get_current_stream().synchronize()
        return float(turns) * self._per_turn * THREADS * self.multiprocessors

    def per_clock_per_multiprocessor(self, turns: int) -> float:
        """Return the instructions a clock of a multiprocessor in the last run, which had `turns` turns: the median."""
        with explained():
            cycles = float(np.median(self._cycles.get()))
        return turns * self._per_turn * THREADS / cycles if cycles > 0 else float("nan")
