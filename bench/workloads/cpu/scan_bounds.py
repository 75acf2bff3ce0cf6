"""The bound of a scan variant on this core, from counted operations and measured ports, and its compile time."""

import json
import tempfile
import time
from platform import machine
from typing import TYPE_CHECKING

from bench.machine.clock import core_clock_hz, neighbour_cycles
from bench.machine.processes import run_python

if TYPE_CHECKING:
    from kernels.scan_cpu.op_count import VariantCost


def instructions_per_cycle() -> dict[str, float]:
    """Measure this core's vector additions and SHA instructions per cycle; return nothing if it has no probe."""
    clock_hz = core_clock_hz()
    five = neighbour_cycles(clock_hz)
    if clock_hz is None or five is None:
        return {}
    per_cycle = {"scalar": 5.0 / five}
    if machine() not in {"x86_64", "AMD64"}:
        return per_cycle
    from kernels.scan_cpu.port_probe import PER_LOOP, probes

    loops = 3000
    for name, probe in probes().items():
        probe(1)
        best = 0.0
        for _ in range(5):
            before = time.thread_time()
            probe(loops)
            best = max(best, loops * PER_LOOP / (time.thread_time() - before) / (core_clock_hz() or clock_hz))
        per_cycle[name] = best
    return per_cycle


def bound_cycles_per_hash(name: str, per_cycle: dict[str, float], midstates: int = 1) -> float | None:
    """Return the cycles per hash of a variant's operations on ports that are never idle, or None if unknown."""
    cost = cost_of(name, midstates)
    if cost is None:
        return None
    register = "ymm" if cost.register == "xmm" else cost.register
    parts = [(cost.operations, register), (cost.round_pairs, "sha256rnds2")]
    return max((work / per_cycle[kind] for work, kind in parts if work and kind in per_cycle), default=None)


def cost_of(name: str, midstates: int = 1) -> "VariantCost | None":
    """Return the operations of a variant per hash when compiled on this machine."""
    from kernels.scan_cpu.op_count import variant_cost
    from kernels.scan_cpu.variants import compiled_features

    return variant_cost(name, compiled_features(), midstates)


_COMPILE = """
import json, sys, time
import numba, numpy
from kernels.scan_cpu import variants
midstates, job, out = int(sys.argv[2]), numpy.zeros(12, numpy.uint32), numpy.zeros(128, numpy.uint32)
start = time.perf_counter()
if midstates == 1:
    variants.load(sys.argv[1]).scan_steps(job, 0, 1, out)
else:
    jobs = numpy.stack([job] * midstates)
    variants.load_rolling(sys.argv[1], midstates).scan_steps(jobs, 0, 1, out.astype(numpy.uint64))
print(json.dumps(time.perf_counter() - start))
"""


def compile_seconds(variant: str, midstates: int = 1) -> tuple[float, float]:
    """Return the time to import and run a variant once in a fresh process [s], with an empty and with a full cache.

    The import of Numba and NumPy is not included.
    """
    with tempfile.TemporaryDirectory() as folder:
        empty, full = (
            float(json.loads(run_python(_COMPILE, variant, str(midstates), variables={"NUMBA_CACHE_DIR": folder})))
            for _ in range(2)
        )
    return empty, full
