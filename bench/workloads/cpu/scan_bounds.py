"""The bound of a scan variant on this core, from the time that its own instructions take when none waits for another.

Notes
-----
LLVM's assembly of the variant tells which instructions a step executes. Probes repeat them on other registers, so that
no result is needed by a later instruction, and measure the cycles of each class alone, of the classes that share a
unit, and of all together. The bound is the time of all together: dependencies, misses and neighbours can only add to
it. The narrowest part that takes nearly as long alone is what binds.
"""

import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.machine.clock import core_clock_hz, is_quiet, neighbour_cycles
from bench.machine.environment import usable_cores
from bench.machine.processes import run_python, start_python
from bench.workloads.protocol import BoundUnknownError

if TYPE_CHECKING:
    from kernels.scan_cpu.throughput.listing import Listing
    from kernels.scan_cpu.throughput.parts import Part

BINDS_FRAC = 0.97  # [-] of the bound: a part that takes this long alone is what binds
_QUIET_ROUNDS, _MOST_ROUNDS = 8, 24  # without a busy hyperthread neighbour, and in all
_INSTRUCTIONS = 1_000_000  # of each probe in a round, after half as many that fetch code and data
_FEWEST_CYCLES, _MOST_CYCLES = 1 / 16, 100.0  # per instruction: no core is outside


class ProbeError(BoundUnknownError):
    """A variant's instructions are not known, or their probes gave no plausible time."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The time that a part of a step takes at least."""

    name: str  # a class of instructions, several that share a unit, the front end, or all of them
    instructions_per_hash: float
    cycles_per_hash: float


@dataclass(frozen=True, slots=True)
class StepBound:
    """The fewest cycles per hash of a variant on this core, and what binds."""

    cycles_per_hash: float
    bound_by: str
    instructions_per_hash: float
    error_frac: float  # [-] half the middle half of the readings
    limits: tuple[Limit, ...]  # the largest first
    classes: dict[str, float]  # instructions per hash of each class
    quiet: bool = True  # whether enough rounds of the probes had no busy hyperthread neighbour

    def document(self) -> dict[str, Any]:
        """Return the bound as JSON-ready data."""
        return asdict(self)

    def sentence(self) -> str:
        """Return what binds, with the other large limits, as one line for people."""
        from kernels.scan_cpu.throughput.parts import ALL

        others = [limit for limit in self.limits if limit.name not in {self.bound_by, ALL}][:3]
        listed = ", ".join(f"{limit.name} {limit.cycles_per_hash:.1f}" for limit in others)
        noise = "" if self.quiet else "; probed beside a busy hyperthread neighbour, so perhaps too high"
        return f"bound by {self.bound_by}: {self.cycles_per_hash:.1f} cycles per hash (alone: {listed}){noise}"


def step_bound(name: str, midstates: int = 1, core: int | None = None) -> StepBound | None:
    """Measure the bound of a variant on a core, or return None if its instructions cannot be probed on this CPU.

    Parameters
    ----------
    name
        Name of the variant.
    midstates
        Midstates that share a message schedule.
    core
        Index of the logical CPU to probe; None takes the first that this process may use.

    Raises
    ------
    ProbeError
        The instructions of a step are not known, the probes end a process, or one gave no plausible time.
    """
    from kernels.errors import KernelInputError
    from kernels.native import NotNativeError
    from kernels.scan_cpu.throughput.dialects import dialect_here
    from kernels.scan_cpu.throughput.listing import listing

    dialect = dialect_here()
    if dialect is None or core_clock_hz() is None:
        return None
    from kernels.scan_cpu.throughput.parts import class_counts, parts_of
    from kernels.scan_cpu.throughput.probe import Probes

    try:
        step = listing(name, midstates)
    except (KernelInputError, NotNativeError) as error:
        raise ProbeError(str(error)) from error
    parts = parts_of(step, dialect)
    bodies = {str(index): part.body for index, part in enumerate(parts)}
    _try_elsewhere(bodies)
    probes = Probes(dialect, bodies)
    with ThreadPoolExecutor(1) as pool:  # a thread of its own, so that this one keeps its cores
        readings, quiet = pool.submit(_readings, probes.run, list(bodies.values()), core).result()
    bound = combined(step, parts, readings, class_counts(step, dialect))
    return replace(bound, quiet=quiet)


_TRIAL = """
import json, os, sys
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
from kernels.scan_cpu.throughput.dialects import dialect_here
from kernels.scan_cpu.throughput.probe import Probes
bodies = json.load(sys.stdin)
probes = Probes(dialect_here(), bodies)
for name in bodies:
    probes.run(name, 1)
"""


def _try_elsewhere(bodies: Mapping[str, Sequence[str]]) -> None:
    """Run the probes once in a process of its own: LLVM ends the process at a line that it cannot read.

    Raises
    ------
    ProbeError
        That process did not end well.
    """
    with start_python(_TRIAL) as trial:
        trial.communicate(json.dumps(dict(bodies)).encode())
    if trial.returncode:
        raise ProbeError(
            f"a trial of the probes ended with status {trial.returncode}: LLVM or this CPU does not take an instruction"
        )


def _readings(
    run: Callable[[str, int], None], bodies: Sequence[Sequence[str]], core: int | None
) -> tuple[list[list[float]], bool]:
    """Return the cycles of a turn of each probe, and whether the rounds were quiet; if not, all rounds count."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {usable_cores()[0] if core is None else core})
    every: list[list[float]] = []
    quiet: list[list[float]] = []
    before = core_clock_hz(), neighbour_cycles()
    for _ in range(_MOST_ROUNDS):
        seconds = [_turn_s(run, index, max(1, _INSTRUCTIONS // len(body))) for index, body in enumerate(bodies)]
        clock_hz = core_clock_hz()
        after = clock_hz, neighbour_cycles(clock_hz)
        mean_hz = statistics.fmean(clock or math.nan for clock in (before[0], clock_hz))
        every.append([turn_s * mean_hz for turn_s in seconds])
        if is_quiet((before[0], after[0]), (before[1], after[1])):
            quiet.append(every[-1])
        if len(quiet) == _QUIET_ROUNDS:
            break
        before = after
    enough = len(quiet) == _QUIET_ROUNDS
    return [list(values) for values in zip(*(quiet if enough else every), strict=True)], enough


def _turn_s(run: Callable[[str, int], None], index: int, turns: int) -> float:
    """Return the CPU time of a turn of a probe [s]."""
    run(str(index), -(-turns // 2))
    before = time.thread_time_ns()
    run(str(index), turns)
    return (time.thread_time_ns() - before) * 1e-9 / turns


def combined(
    step: "Listing", parts: "Sequence[Part]", readings: Sequence[Sequence[float]], classes: dict[str, float]
) -> StepBound:
    """Return the bound of a step from the cycles of a turn of each part's probe.

    Raises
    ------
    ProbeError
        A probe has no plausible reading.
    """
    from kernels.scan_cpu.throughput.parts import ALL

    quartiles: dict[str, list[float]] = {}
    for part, values in zip(parts, readings, strict=True):
        quartiles[part.name] = min(_quartiles(part, values), quartiles.get(part.name, [math.inf]))
    whole = quartiles[ALL]
    # A part alone may seem to take longer than all together, if the core spreads it worse over its ports.
    counts = {part.name: part.instructions_per_hash for part in parts}
    limits = [Limit(name, count, min(quartiles[name][0], whole[0])) for name, count in counts.items()]
    binding = next(limit for limit in limits if limit.cycles_per_hash >= BINDS_FRAC * whole[0])
    return StepBound(
        whole[0],
        binding.name,
        step.instructions_per_hash,
        (whole[2] - whole[0]) / (2 * whole[0]),
        tuple(sorted(limits, key=lambda limit: -limit.cycles_per_hash)),
        classes,
    )


def _quartiles(part: "Part", readings: Sequence[float]) -> list[float]:
    """Return the quartiles of a part's plausible readings [cycle/hash]; noise that remains mostly adds to them."""
    per_instruction = [cycles / len(part.body) for cycles in readings]
    plausible = [cycles for cycles in per_instruction if _FEWEST_CYCLES <= cycles <= _MOST_CYCLES]
    if len(plausible) < _QUIET_ROUNDS:
        got = ", ".join(f"{cycles:.3g}" for cycles in per_instruction)
        raise ProbeError(f"the probe of {part.name} gave no plausible cycles per instruction: {got}")
    return [cycles * len(part.body) * part.turns_per_hash for cycles in statistics.quantiles(plausible, n=4)]


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
