"""Two workloads now, A B A B: windows under a plan and, on the CPU, pairs of slices for a verdict on speed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure.quiet import MIN_PAIRS, SLICE_S, Quiet, take_pairs
from bench.meters.protocol import MeterOptions
from bench.workloads.protocol import Workload, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked of an interleaved comparison."""

    plan: str
    store: Path
    pairs: int | None
    threads: int | None
    meters: Sequence[str]
    meter_options: MeterOptions
    argv: Sequence[str]


def compare_now(
    names: Sequence[str], wanted: Wanted, on_progress: Callable[[str, float], None]
) -> "tuple[list[Record], Quiet | None]":
    """Measure two workloads in turn, store a record of each, and take quiet pairs of them on the CPU.

    Raises
    ------
    InputError
        An unknown workload, variant, plan or meter, or a number of pairs below 1.
    """
    from bench.machine.devices import device_under_test
    from bench.measure.plan import get_plan
    from bench.measure.runner import Job, measure_together
    from bench.meters import close_meters, open_meters
    from bench.results.folder import prepare_store

    if wanted.pairs is not None and wanted.pairs < 1:
        raise InputError.at("--pairs", expected="a number of 1 or more", got=wanted.pairs)
    plan = get_plan(wanted.plan)
    workloads = [_create(name, wanted) for name in names]
    prepare_store(wanted.store)
    meters = open_meters(wanted.meters, wanted.meter_options)
    try:
        job = Job.start(plan, wanted.store, wanted.argv)
        records = measure_together(workloads, job, meters, device=device_under_test("cpu"), on_progress=on_progress)
    finally:
        close_meters(meters)
    if any(record.status != "ok" for record in records):
        return records, None
    return records, _pairs(names, wanted, on_progress)


def _create(name: str, wanted: Wanted) -> Workload:
    from bench.workloads.registry import create

    workload, _, variant = name.partition(":")
    return create(workload, WorkloadOptions(variant=variant or None, threads=wanted.threads))


def _pairs(names: Sequence[str], wanted: Wanted, on_progress: Callable[[str, float], None]) -> Quiet | None:
    workloads = [_create(name, wanted) for name in names]
    try:
        for workload in workloads:
            workload.prepare()
            workload.verify()
        slices = [_slicer(workload) for workload in workloads]
        if None in slices:
            return None
        labels = (f"{names[0]}", f"{names[1]}")
        return take_pairs(
            labels,
            [one for one in slices if one is not None],
            wanted.pairs or MIN_PAIRS,
            on_progress=lambda done: on_progress("pairs", done),
        )
    finally:
        for workload in workloads:
            workload.close()


def _slicer(workload: Workload) -> Callable[[], tuple[float, float]] | None:
    """Return a function that does one slice of about SLICE_S of work, or None where no CPU time is told."""
    n = 1
    while True:
        batch = workload.run(n)
        if batch.cpu_time_s is None:
            return None
        if batch.cpu_time_s >= SLICE_S / 4 or n >= 1 << 40:
            break
        n *= 2
    count = max(1, round(n * SLICE_S / batch.cpu_time_s)) if batch.cpu_time_s > 0.0 else n

    def one() -> tuple[float, float]:
        done = workload.run(count)
        return done.work, max(done.cpu_time_s or 0.0, 1e-9)

    return one
