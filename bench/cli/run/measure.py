"""The measurement that `perwatt run` and `perwatt run llm` share: threads, meters, workloads with a progress bar."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.cli.options import is_stated
from bench.cli.output import counted, progress, say, warn
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.measure.plans import Plan
    from bench.measure.runner import Job
    from bench.measure.scan_choice import ScanChoice
    from bench.meters.protocol import Meter, MeterOptions
    from bench.results.record import Record
    from bench.workloads.protocol import WorkloadOptions


def specs(meters: Sequence[str], watts: float | None, device: str) -> list[str]:
    """Return the meters to open: those of `--meter`, no meter for `none`, else the default meters of the device.

    Raises
    ------
    InputError
        `none` is combined with another meter.
    """
    from bench.meters.registry import default_specs

    if "none" in meters:
        if len(meters) > 1:
            raise InputError.at("--meter none", expected="no other meter with it", got=", ".join(meters))
        return []
    return list(meters) if meters or watts is not None else default_specs(device)


def remote_specs(meters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the meters to open; this machine's own meters do not read a device elsewhere, so there is no default.

    Raises
    ------
    InputError
        `none` is combined with another meter, or an option of meters has none to act on.
    """
    if "none" in meters and len(meters) > 1:
        raise InputError.at("--meter none", expected="no other meter with it", got=", ".join(meters))
    chosen = () if "none" in meters else meters
    if is_stated("meter_period_s") and not chosen:
        raise InputError.at("--meter-period-s", expected="--meter with it", got="no meter")
    if is_stated("clock_offset_s") and not any(spec.startswith("trace:") for spec in chosen):
        raise InputError.at("--clock-offset-s", expected="--meter trace:FILE with it", got="no log of a meter")
    return chosen


def check_machine(threads: int | None) -> None:
    """Check that kernels can be compiled, and that there are as many threads as cores that this process may use.

    Raises
    ------
    InputError
        The number of threads is outside this range.
    KernelInputError
        An environment variable stops the compiler.
    """
    from bench.machine.environment import usable_cores
    from kernels.settings import check_compiler

    check_compiler()
    most = len(usable_cores())
    if threads is not None and not 1 <= threads <= most:
        raise InputError.at("--threads", expected=f"1 to {most}, the cores this process may use", got=threads)


@contextmanager
def opened(plan: "Plan", specs: Sequence[str], options: "MeterOptions") -> Iterator["list[Meter]"]:
    """Open the meters of a run, print what the user should know of them, and close them in every ending."""
    from bench.measure.plans import paced

    with paced(plan, specs, options, warn) as meters:
        yield meters


def choose_scan(options: "WorkloadOptions", *, quiet: bool) -> "ScanChoice":
    """Return the CPU scan that the main job measures, with a progress bar."""
    from bench.measure.scan_choice import choose_cpu_scan

    with progress(quiet=quiet) as bars:
        task = bars.add_task("scans", total=1.0)
        return choose_cpu_scan(
            options, lambda stage, done: bars.update(task, completed=done, description=f"scans: {stage}")
        )


def measure_all(
    todo: Sequence[Any],
    job: "Job",
    meters: "Sequence[Meter]",
    device: str,
    *,
    metered: Sequence[str] | None,
    quiet: bool,
) -> "list[Record]":
    """Measure the workloads one after the other, with a progress bar.

    Parameters
    ----------
    metered
        Names of the workloads that use the meters; None means all.
    quiet
        Print nothing but warnings.
    """
    from bench.machine.devices import device_under_test
    from bench.measure.runner import measure

    described = device_under_test(device)
    records = []
    with progress(quiet=quiet) as bars:
        for workload in todo:
            task = bars.add_task(workload.name, total=1.0)

            def show(stage: str, done: float, task: Any = task, name: str = workload.name) -> None:
                bars.update(task, completed=done, description=f"{name}: {stage}")

            used = meters if metered is None or workload.name in metered else ()
            records.append(measure(workload, job, used, device=described, on_progress=show))
            bars.update(task, completed=1.0, description=f"{workload.name}: {records[-1].status}")
    if not quiet and not sys.stdout.isatty():
        say(f"measured {counted(len(records), 'workload')}, plan {job.plan.name}")
    return records
