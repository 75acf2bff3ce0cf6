"""Comparison of two workloads measured now: alternating windows and, on the CPU, quiet pairs for a verdict on speed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import limits
from bench.measure.quiet_pairs import SLICE_S, QuietPairs, take_pairs
from bench.meters.protocol import MeterOptions
from bench.workloads.protocol import Workload, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record


@dataclass(frozen=True, slots=True)
class InterleaveOptions:
    """The options of an interleaved comparison."""

    plan: str
    store: Path
    pairs: int | None  # quiet pairs to take; None takes as many as a verdict needs
    threads: int | None  # number of threads; None takes the default
    meters: Sequence[str]  # specs, as for --meter
    meter_options: MeterOptions
    argv: Sequence[str]


def compare_now(
    names: Sequence[str],
    options: InterleaveOptions,
    on_progress: Callable[[str, float], None],
    on_notice: Callable[[str], None] = lambda _: None,
) -> "tuple[list[Record], QuietPairs | None]":
    """Measure two workloads with alternating windows, store a record of each, and take quiet pairs on the CPU.

    Raises
    ------
    InputError
        An unknown workload, variant, plan or meter, or a number of pairs below 1.
    """
    from bench.machine.devices import device_under_test
    from bench.measure.plans import get_plan, paced
    from bench.measure.runner import Job, measure_together

    if options.pairs is not None and options.pairs < 1:
        raise InputError.at("--pairs", expected="a number of 1 or more", got=options.pairs)
    plan = get_plan(options.plan)
    workloads = [_create(name, options) for name in names]
    with paced(plan, options.meters, options.meter_options, on_notice) as meters:
        job = Job.start(plan, options.store, options.argv)
        records = measure_together(workloads, job, meters, device=device_under_test("cpu"), on_progress=on_progress)
    if any(record.status != "ok" for record in records):
        return records, None
    return records, _pairs(names, options, on_progress)


def _create(name: str, options: InterleaveOptions) -> Workload:
    from bench.workloads.registry import create

    workload, _, variant = name.partition(":")
    return create(workload, WorkloadOptions(variant=variant or None, threads=options.threads))


def _pairs(
    names: Sequence[str], options: InterleaveOptions, on_progress: Callable[[str, float], None]
) -> QuietPairs | None:
    workloads = [_create(name, options) for name in names]
    try:
        for workload in workloads:
            workload.prepare()
            workload.verify()
        return pairs_of(names, workloads, options.pairs or limits.QUIET_PAIRS, on_progress)
    finally:
        for workload in workloads:
            workload.close()


def pairs_of(
    names: Sequence[str], workloads: Sequence[Workload], pairs: int, on_progress: Callable[[str, float], None]
) -> QuietPairs | None:
    """Return interleaved slices of two workloads, or None if one of them reports no CPU time.

    Parameters
    ----------
    names
        Names of the two.
    workloads
        Two prepared workloads.
    pairs
        Quiet pairs to take.
    on_progress
        Receives the stage and its share that is done.

    Raises
    ------
    VerificationError
        A workload gave a wrong answer.
    """
    slices = [_slicer(workload) for workload in workloads]
    if None in slices:
        return None
    return take_pairs(
        (names[0], names[1]),
        [run_slice for run_slice in slices if run_slice is not None],
        pairs,
        on_progress=lambda done: on_progress("pairs", done),
    )


def _slicer(workload: Workload) -> Callable[[], tuple[float, float]] | None:
    """Return a function that does one slice of about SLICE_S of work, or None if the workload reports no CPU time."""
    n = 1
    while True:
        batch = workload.run(n)
        if batch.cpu_time_s is None:
            return None
        if batch.cpu_time_s >= SLICE_S / 4 or n >= 1 << 40:
            break
        n *= 2
    count = max(1, round(n * SLICE_S / batch.cpu_time_s)) if batch.cpu_time_s > 0.0 else n

    def run_slice() -> tuple[float, float]:
        batch = workload.run(count)
        return batch.work, max(batch.cpu_time_s or 0.0, 1e-9)

    return run_slice
