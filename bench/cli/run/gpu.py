"""`perwatt run --device gpu:INDEX` without a workload: every workload of a GPU, and one table of the results."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.cli.output import emit_json, plain, progress, rate, say, si
from bench.cli.table import print_table
from bench.results.best_meter import POWER
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.gpu.job import Outcome, Step
    from bench.measure.runner import Job, Progress
    from bench.meters.protocol import Meter
    from bench.results.record import Record


def run_gpu_job(job: "Job", device: str, meters: "Sequence[Meter]", *, as_json: bool) -> int:
    """Run every workload of a GPU, print the results, and return the exit status.

    Raises
    ------
    InputError
        The plan is `publish`, which takes one workload at a time, or the GPU cannot be used.
    """
    from bench.cli.run.tables import exit_status
    from bench.gpu.job import GpuRun, run_steps, steps
    from bench.machine.devices import device_under_test

    if job.plan.name == "publish":
        raise InputError.at("--publish", expected="one workload with it on a GPU, such as sha256d_scan_cuda")
    described = device_under_test(device)
    todo = list(steps(str(described.settings["architecture"]), brain_float_baseline=_has_brain_float(described)))
    with progress(quiet=as_json) as bars:
        whole = bars.add_task(device, total=len(todo))

        def on_step(step: "Step") -> "Progress":
            bars.advance(whole)

            def show(stage: str, done: float) -> None:
                bars.update(whole, description=f"{step.workload} {step.label}: {stage} {done:.0%}")

            return show

        outcome = run_steps(todo, GpuRun(job, described, device, meters), on_step)
    if as_json:
        emit_json(_document(outcome, job))
    else:
        _print(outcome, job)
    return exit_status(outcome.records)


def _has_brain_float(device: Any) -> bool:
    from bench.workloads.cuda.matmul_baselines import has_brain_float
    from kernels.gpu.device import GpuError, open_cupy

    try:
        return has_brain_float(open_cupy(int(device.settings["index"])))
    except GpuError as error:
        raise InputError(f"--device: {error}") from None


def _document(outcome: "Outcome", job: "Job") -> dict[str, Any]:
    from bench.cli.run.tables import document
    from bench.gpu.job import ratios
    from bench.workloads.roofline import measured_roofline

    run = document(outcome.records, job.store, None)
    choice = outcome.scan_choice
    run["scan_choice"] = choice.document() if choice is not None else None
    run["labels"] = outcome.labels
    run["skipped"] = [{"step": step, "why": why} for step, why in outcome.skipped]
    run["ratios"] = [{"name": row.name, "ratio": row.ratio} for row in ratios(outcome.records)]
    roofline = measured_roofline(outcome.records)
    if roofline is not None:
        run["measured_ceilings"] = {
            "peaks_flop_per_s": dict(roofline.peaks_flop_per_s),
            "bandwidth_byte_per_s": roofline.bandwidth_byte_per_s,
        }
    return run


def _print(outcome: "Outcome", job: "Job") -> None:
    from bench.cli.run.tables import print_notes
    from bench.gpu.job import ratios

    print_notes(outcome.records)
    for step, why in outcome.skipped:
        say(f"skipped: {step} ({why})")
    if outcome.scan_choice is not None:
        say(outcome.scan_choice.sentence())
    for row in ratios(outcome.records):
        say(f"{row.ratio:6.3f}  {row.name}")
    say(f"stored in {job.store}/: {len(outcome.records)} results of run {job.run_id}")
    _print_table(outcome, job)


def _print_table(outcome: "Outcome", job: "Job") -> None:
    from bench.gpu.job import measured_fractions

    devices = {record.device.name for record in outcome.records}
    fractions = measured_fractions(outcome.records)
    print_table(
        ("workload", "variant", "case", "rate (measured)", "± 95 %", "% of bound", "% of measured ceiling", "energy"),
        [
            (
                record.workload.name,
                record.workload.variant,
                label,
                rate(record.rate.value, record.rate.unit) if record.rate else record.status.upper(),
                _interval(record),
                _fraction(record),
                "-" if fraction is None else f"{fraction:.1%}",
                _energy(record),
            )
            for record, label, fraction in zip(outcome.records, outcome.labels, fractions, strict=True)
        ],
        title=f"Measured on {', '.join(devices)}, plan {job.plan.name}; bounds are rated (profile) or modelled (scans)",
        right=(3, 4, 5, 6),
    )


def _interval(record: "Record") -> str:
    if record.rate is None or record.rate.interval_95 is None:
        return "-"
    low, high = record.rate.interval_95
    return f"{(high - low) / 2 / record.rate.value:.2%}"


def _fraction(record: "Record") -> str:
    fraction = record.metrics.get("fraction_of_bound")
    if fraction is None:
        return "-"
    bound = record.metrics["bound"]
    return f"{fraction.value:.1%} {bound.basis}" + (f", {bound.bound_by}" if bound.bound_by else "")


def _energy(record: "Record") -> str:
    energy = record.energy_per_unit
    if energy is None:
        return "not metered"
    per_joule = 1.0 / energy.value
    unit = {"hash": "H/J", "flop": "FLOP/J", "byte": "B/J"}.get(record.workload.unit, f"{record.workload.unit}/J")
    power = record.metrics.get(f"{POWER}{energy.boundary}")
    watts = f", {plain(power.value)} W" if power else ""
    return f"{si(per_joule, unit)} ({energy.boundary}, tier {energy.tier}{watts})"
