"""The choice of the main job between the plain nonce scan and the scan of four versions, which share a schedule."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench import limits
from bench.machine.locks import device_domain, hold
from bench.measure import stats
from bench.measure.interleave import pairs_of
from bench.workloads.protocol import Workload, WorkloadOptions

if TYPE_CHECKING:
    from bench.measure.quiet_pairs import QuietPairs

PLAIN, ROLLED = "sha256d_scan", "sha256d_scan_vr4"  # workloads, without their backend
FINALISTS = 2  # variants of the plain scan, the fastest first, whose scans of four versions are compiled
GPU_PAIRS, GPU_SLICE_S = 8, 0.1  # [s]

_Report = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class ScanChoice:
    """The scan that the main job measures, and why."""

    chosen: Workload  # prepared
    other: Workload | None  # prepared; None if there was no comparison
    ratio: float | None  # [-] rate of the scan of four versions over that of the plain one
    why: str

    @property
    def plain_name(self) -> str:
        """Name of the workload that is measured if the other is not faster."""
        return self.chosen.name.replace(ROLLED, PLAIN)

    def sentence(self) -> str:
        """Return the choice as one line for people."""
        return f"chosen scan: {_label(self.chosen)} ({self.why})"

    def document(self) -> dict[str, Any]:
        """Return the choice as JSON-ready data."""
        other = self.other
        return {
            "workload": self.chosen.name,
            "variant": self.chosen.variant,
            "other_workload": other.name if other else None,
            "other_variant": other.variant if other else None,
            "ratio_of_rates": self.ratio,
            "why": self.why,
        }


def choose_cpu_scan(options: WorkloadOptions, on_progress: _Report = lambda _stage, _done: None) -> ScanChoice:
    """Calibrate the plain scan, time its fastest variants' scan of four versions in turns with it; keep the faster.

    The scan of four versions is chosen if the whole 95 % interval of the ratio is above 1. Pairs that were not quiet
    give no verdict, but the same test over them is still the better guess.
    """
    with hold([device_domain("cpu")]):
        return _or_plain(lambda plain: _choose_on_cpu(plain, options, on_progress), f"{PLAIN}_cpu", options)


def choose_gpu_scan(options: WorkloadOptions) -> ScanChoice:
    """Calibrate the plain scan and that of four versions on a GPU, time them in turns, and keep the faster."""
    with hold([device_domain("gpu")]):
        return _or_plain(lambda plain: _choose_on_gpu(plain, options), f"{PLAIN}_cuda", options)


def _or_plain(choose: "Callable[[Any], ScanChoice]", name: str, options: WorkloadOptions) -> ScanChoice:
    """Return the choice, or the plain scan where the comparison fails: measured, it has the record of its own fault."""
    from bench.workloads.registry import create

    plain = create(name, options)
    try:
        return choose(plain)
    except Exception as error:  # noqa: BLE001 (as above)
        plain.close()
        return ScanChoice(create(name, options), None, None, f"the comparison failed: {error}")


def _choose_on_cpu(plain: Any, options: WorkloadOptions, on_progress: _Report) -> ScanChoice:
    from bench.workloads.registry import create

    on_progress("calibrate", 0.0)
    plain.prepare()
    finalists = plain.ranking[:FINALISTS]
    rolled = create(f"{ROLLED}_cpu", replace(options, variant=None, extra={"variants": finalists}))
    rolled.prepare()
    pairs = pairs_of((_label(plain), _label(rolled)), (plain, rolled), limits.QUIET_PAIRS, on_progress)
    return _by_pairs(plain, rolled, pairs)


def _choose_on_gpu(plain: Workload, options: WorkloadOptions) -> ScanChoice:
    from bench.workloads.registry import create

    rolled = create(f"{ROLLED}_cuda", options)
    for workload in (plain, rolled):
        workload.prepare()
    slices = [_timed_slice(workload) for workload in (plain, rolled)]
    pairs = [[run_slice() for run_slice in slices] for _ in range(GPU_PAIRS)]
    comparison = stats.compare_pairs([b / a for a, b in pairs])
    low, high = comparison.interval or (0.0, 0.0)
    ratio = f"{_label(rolled)} over {_label(plain)}: {comparison.ratio:.4f} ({low:.4f} to {high:.4f})"
    return _faster(plain, rolled, comparison, f"{ratio} in {GPU_PAIRS} interleaved pairs")


def _by_pairs(plain: Workload, rolled: Workload, pairs: "QuietPairs | None") -> ScanChoice:
    if pairs is None:
        return ScanChoice(plain, None, None, "no CPU time is measured here")
    counted = pairs.quiet_pairs if pairs.verdict() is not None else pairs.pairs
    comparison = stats.compare_pairs([b.rate_per_cpu_s / a.rate_per_cpu_s for a, b in counted])
    return _faster(plain, rolled, comparison, pairs.sentence())


def _faster(plain: Workload, rolled: Workload, comparison: stats.Comparison, why: str) -> ScanChoice:
    """Return the scan of four versions if the whole interval of the ratio is above 1, else the plain one."""
    faster = comparison.interval is not None and comparison.interval[0] > 1.0
    chosen, other = (rolled, plain) if faster else (plain, rolled)
    return ScanChoice(chosen, other, comparison.ratio, why)


def _timed_slice(workload: Workload) -> Callable[[], float]:
    """Return a function that does about GPU_SLICE_S of work and returns its rate [work/s]."""
    before = time.perf_counter()
    workload.run(1)
    units = max(1, round(GPU_SLICE_S / (time.perf_counter() - before)))

    def run_slice() -> float:
        start = time.perf_counter()
        return workload.run(units).work / (time.perf_counter() - start)

    return run_slice


def _label(workload: Workload) -> str:
    return f"{workload.name}:{workload.variant}"
