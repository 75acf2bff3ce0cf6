"""Figures of every variant of the CPU scan, from interleaved slices on thread CPU time.

Notes
-----
One round takes a slice of every variant in turn on pinned threads. The same thread measures the core clock and probes
for hyperthread neighbours before and after its slice. A slice scans a window that holds a real block's nonce and must
report exactly that nonce. Medians are taken over the quiet slices if there are any, else over all.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.errors import RunFailedError
from bench.machine.environment import usable_cores
from bench.variants.relative_speed import median_interval, relative_speed
from bench.variants.slices import PinnedThreads, TimedScan, VariantSlice, steps_for
from bench.workloads.cpu.scan_bounds import ProbeError, StepBound, compile_seconds, step_bound

ROUNDS, SLICE_S = limits.QUIET_PAIRS, 0.02
ROUNDS_TOGETHER, SLICE_TOGETHER_S = 15, 0.1  # for several threads, whose start must not show in the rate
SCHEMA = "perwatt.variants/2"


@dataclass(frozen=True, slots=True)
class VariantFigure:
    """The figures of one variant."""

    variant: str
    slices: tuple[VariantSlice, ...]
    scaling: float | None  # [-] rate of all threads over the rate of one; None for a single thread
    bound: StepBound | None
    no_bound: str  # cause; empty if there is a bound
    compile_cold_s: float | None
    compile_cached_s: float | None

    @property
    def counted(self) -> list[VariantSlice]:
        """The quiet slices if there are any, else all."""
        return [part for part in self.slices if part.quiet] or list(self.slices)

    @property
    def rate_per_s(self) -> float:
        """Median rate [hash/s]."""
        return statistics.median(part.rate_per_s for part in self.counted)

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON-ready data."""
        counted = self.counted
        cycles = [part.cycles_per_hash for part in counted if part.cycles_per_hash is not None]
        median = statistics.median(cycles) if cycles else None
        bound = self.bound.cycles_per_hash if self.bound else None
        rate = self.rate_per_s
        return {
            "variant": self.variant,
            "rate_hash_per_s": rate,
            "mh_per_s": rate / 1e6,
            "cycles_per_hash": median,
            "cycles_per_hash_interval": median_interval(cycles),
            "cycles_per_hash_quartiles": statistics.quantiles(cycles, n=4)[::2] if len(cycles) > 1 else None,
            "bound_cycles_per_hash": bound,
            "fraction_of_bound": bound / median if bound and median else None,
            "bound": self.bound.document() if self.bound else None,
            "bound_sentence": self.bound.sentence() if self.bound else f"no bound: {self.no_bound}",
            "compile_cold_s": self.compile_cold_s,
            "compile_cached_s": self.compile_cached_s,
            "scaling": self.scaling,
            "slices": len(self.slices),
            "quiet_slices": sum(part.quiet for part in self.slices),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of all variants that run on this machine, and why the others do not."""

    variants: tuple[VariantFigure, ...]
    unavailable: tuple[tuple[str, str], ...]
    threads: int  # number of threads
    cores: tuple[int, ...]  # indices of the logical CPUs
    workload: str = "sha256d_scan_cpu"

    @property
    def needed(self) -> int:
        """Number of quiet slices of each variant that a claim needs."""
        return ROUNDS if self.threads == 1 else ROUNDS_TOGETHER

    @property
    def quiet(self) -> bool:
        """Whether every variant has as many quiet slices as a claim needs."""
        return all(sum(part.quiet for part in figure.slices) >= self.needed for figure in self.variants)

    def sentence(self) -> str:
        """Return whether the figures may be claimed, as one line for people."""
        worst = min(sum(part.quiet for part in figure.slices) for figure in self.variants)
        slices = len(self.variants[0].slices)
        if self.quiet:
            return f"quiet: every variant has at least {worst} quiet slices of {slices}"
        return f"not quiet: no verdict (a variant had {worst} quiet slices of {slices}; {self.needed} are needed)"

    def document(self) -> dict[str, Any]:
        """Return everything as one JSON-ready document, the fastest first."""
        ordered = sorted(self.variants, key=lambda figure: -figure.rate_per_s)
        rows = [
            figure.document()
            | {"over_fastest": relative_speed(figure.slices, ordered[0].slices, self.needed).document()}
            for figure in ordered
        ]
        return {
            "schema": SCHEMA,
            "workload": self.workload,
            "threads": self.threads,
            "cores": list(self.cores),
            "quiet": self.quiet,
            "verdict": self.sentence(),
            "variants": rows,
            "unavailable": [{"variant": name, "reason": reason} for name, reason in self.unavailable],
        }


def measure_variants(  # noqa: PLR0913 - what to measure, and how
    threads: int = 1,
    *,
    names: Sequence[str] | None = None,
    midstates: int = 1,
    compile_times: bool = True,
    rounds: int | None = None,
    on_progress: Callable[[str, float], None] = lambda _stage, _done: None,
) -> Figures:
    """Measure every variant that runs on this machine, or the named ones, on pinned threads.

    Parameters
    ----------
    threads
        Number of threads.
    names
        Names of the variants; None takes all that run on this machine.
    midstates
        Midstates that share a message schedule: 1, 2, 4 or 8.
    compile_times
        Whether to measure compile times.
    rounds
        Rounds in which every variant must be quiet, of at most twice as many; None takes as many as a claim needs.
    on_progress
        Receives the stage and its share that is done.

    Raises
    ------
    RunFailedError
        A variant failed its self-test or a slice did not report exactly the planted nonce.
    KernelInputError
        A named variant is unknown or cannot run on this machine.
    """
    from kernels.scan_cpu import selftest, variants

    rolling = midstates > 1
    chosen = list(names) if names is not None else [variant.name for variant in variants.candidates()]
    scans = {
        name: TimedScan(name, variants.load_rolling(name, midstates) if rolling else variants.load(name), midstates)
        for name in chosen
    }
    cores = usable_cores()[:threads]
    slice_s = SLICE_S if threads == 1 else SLICE_TOGETHER_S
    rounds = rounds or (ROUNDS if threads == 1 else ROUNDS_TOGETHER)
    for done, name in enumerate(chosen):
        on_progress(f"verify {name}", done / len(chosen))
        try:
            selftest.run_selftest(name, midstates=midstates)
        except selftest.SelfTestError as error:
            raise RunFailedError(str(error)) from error
    with PinnedThreads(cores) as pinned:
        steps = {name: steps_for(scan, slice_s) for name, scan in scans.items()}
        slices, scalings = _take_rounds(pinned, scans, steps, rounds, on_progress)
    compiled: dict[str, tuple[float, float]] = {}
    for done, name in enumerate(chosen if compile_times else ()):
        on_progress(f"compile {name}", done / len(chosen))
        compiled[name] = compile_seconds(name, midstates)
    return Figures(
        tuple(
            _figure(
                (name, midstates),
                slices[name],
                scaling=scalings[name],
                core=cores[0],
                compiled_s=compiled.get(name),
            )
            for name in chosen
        ),
        _unavailable(),
        threads,
        tuple(cores),
        f"sha256d_scan_vr{midstates}_cpu" if rolling else "sha256d_scan_cpu",
    )


def _unavailable() -> tuple[tuple[str, str], ...]:
    """Return the variants that do not run on this machine, and why."""
    from kernels.scan_cpu import variants

    return tuple((other.variant.name, other.reason) for other in variants.all_variants() if not other.available)


def _take_rounds(
    pinned: PinnedThreads,
    scans: dict[str, TimedScan],
    steps: dict[str, int],
    rounds: int,
    on_progress: Callable[[str, float], None],
) -> tuple[dict[str, list[VariantSlice]], dict[str, float | None]]:
    """Take slices of all variants in turn until `rounds` rounds were quiet, but at most twice as many rounds."""
    slices: dict[str, list[VariantSlice]] = {name: [] for name in scans}
    ratios: dict[str, list[float]] = {name: [] for name in scans}
    for done in range(2 * rounds):
        if sum(all(part.quiet for part in together) for together in zip(*slices.values(), strict=True)) >= rounds:
            break
        for name, scan in scans.items():
            on_progress(name, min(done / rounds, 1.0))
            several = pinned.slice(scan, steps[name])
            slices[name].append(several)
            if len(pinned.cores) > 1:
                alone = pinned.slice(scan, steps[name], threads=1)
                ratios[name].append(several.rate_per_s / alone.rate_per_s)
    return slices, {name: statistics.median(values) if values else None for name, values in ratios.items()}


def _figure(
    scan: tuple[str, int],
    slices: Sequence[VariantSlice],
    *,
    scaling: float | None,
    core: int,
    compiled_s: tuple[float, float] | None,
) -> VariantFigure:
    """Return the figures of a variant with a number of midstates."""
    name, midstates = scan
    bound, cause = None, "the instructions of this CPU have no probes"
    try:
        bound = step_bound(name, midstates, core)
    except ProbeError as error:
        cause = str(error)
    return VariantFigure(name, tuple(slices), scaling, bound, "" if bound else cause, *(compiled_s or (None, None)))
