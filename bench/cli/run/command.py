"""`perwatt run`: workloads measured and stored, or the main job."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import CommandWithVerbs, examples
from bench.cli.options import (
    NUMBER,
    WHOLE,
    clock_offset_option,
    is_stated,
    json_option,
    meter_period_option,
    plan_option,
    prepare_out,
    store_option,
)
from bench.cli.output import emit_json, progress, say, warn
from bench.cli.run.asic import asic
from bench.cli.run.endpoint import endpoint
from bench.cli.run.llm import llm
from bench.cli.run.measure import check_machine, choose_scan, measure_all, opened, specs
from bench.cli.run.variants import every_variant, run_variants
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.main_job import Assessment
    from bench.measure.runner import Job
    from bench.results.record import Record

MAIN_JOB_METERED = ("sha256d_scan_cpu", "sha256d_scan_vr4_cpu", "matmul_f32_cpu")
"""Workloads whose energy the main job measures; the energy of the others would take minutes instead of seconds."""


@click.command(
    cls=CommandWithVerbs,
    invoke_without_command=True,
    subcommand_metavar="",
    epilog=examples(
        "perwatt run",
        "perwatt run sha256d_scan_cpu --meter shelly:192.0.2.7",
        "perwatt run sha256d_scan_cpu --all-variants",
        "perwatt run --device gpu:0",
        "perwatt run llm --model llama-3.1-8b --dtype fp8",
        "perwatt run asic --miner 192.0.2.7 --meter shelly:192.0.2.9",
    ),
)
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...", shell_complete=completion.workloads_and_verbs)
@click.option("--device", default="cpu", show_default=True, help="Device to measure: cpu or gpu:INDEX.")
@click.option("--variant", help="Kernel variant. [default: the fastest in a calibration]")
@click.option(
    "--all-variants",
    is_flag=True,
    help="Measure every variant of a CPU scan that runs here, in turns; on one thread unless --threads is set.",
)
@click.option(
    "--threads", type=WHOLE, help="CPU threads. [default: the cores that this process and its CPU quota may use]"
)
@plan_option("Measurement plan: PLANS.")
@click.option("--quick", is_flag=True, help="Same as --plan quick.")
@click.option("--publish", is_flag=True, help="Same as --plan publish.")
@click.option(
    "--meter",
    "meters",
    multiple=True,
    shell_complete=completion.meters,
    help="Meter, such as shelly:HOST, trace:FILE, rapl or none (see `perwatt list meters`); may be repeated.",
)
@meter_period_option
@clock_offset_option
@click.option(
    "--attach",
    metavar="RESULT",
    shell_complete=completion.result_ids,
    help="Add the log of --meter trace:FILE to a stored result and store both as a new record.",
)
@click.option("--watts", type=NUMBER, help="Assumed power [W]; it is never reported as measured energy.")
@store_option
@json_option
def run(
    workloads: tuple[str, ...],
    device: str,
    variant: str | None,
    all_variants: bool,
    threads: int | None,
    plan: str,
    quick: bool,
    publish: bool,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    attach: str | None,
    watts: float | None,
    store: Path,
    as_json: bool,
) -> int:
    """Measure workloads; without a workload, run the main job.

    Each workload is stored in a result folder of its own.

    The main job measures this machine (double SHA-256, matrix products, memory bandwidth), compares it with the
    catalogue, and computes what an example site would earn. It hashes one header version, or four that share a message
    schedule, whichever is faster here. With --device gpu:INDEX it runs every workload of that GPU.
    PERWATT_MINER=HOST names an ASIC miner that it reads and puts first.

    `perwatt run llm` measures or models a language model, `perwatt run asic` an ASIC miner on the network, `perwatt run
    endpoint` a live inference server; they have options of their own.
    """
    from bench.machine.devices import device_under_test
    from bench.main_job import assess, surroundings
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import ENTRIES, create

    plan = _plan_name(plan, quick=quick, publish=publish)
    if attach is not None:
        options_ = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s)
        return _attach(attach, workloads, meters, options_, store, as_json=as_json)
    check_machine(threads)
    names = workloads or tuple(
        row.name for row in ENTRIES if row.main_job and row.device_kind == device.partition(":")[0]
    )
    options = WorkloadOptions(device=device, variant=variant, threads=threads)
    todo = every_variant(workloads, options) if all_variants else [create(name, options) for name in names]
    chosen_plan = get_plan(plan)
    device_under_test(device)  # refuses a wrong device before anything is opened or stored
    context = surroundings(store) if todo and not workloads else None
    prepare_out(store)
    meter_options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with opened(chosen_plan, specs(meters, watts, device), meter_options) as reading:
        job = Job.start(chosen_plan, store, sys.argv[1:])
        if all_variants:
            return run_variants(todo, job, reading, as_json=as_json)
        if not todo:
            from bench.cli.run.gpu import run_gpu_job

            return run_gpu_job(job, device, reading, as_json=as_json)
        choice = None
        if context is not None:
            choice = choose_scan(options, quiet=as_json)
            todo = [choice.chosen if workload.name == choice.plain_name else workload for workload in todo]
        records = measure_all(
            todo, job, reading, device, metered=None if workloads else MAIN_JOB_METERED, quiet=as_json
        )
    trial = _trial(job, quiet=as_json) if context is not None and device == "cpu" else []
    from bench.cli.run.endpoint_tables import print_trial
    from bench.cli.run.tables import document, exit_status, print_run

    main_job, page = None, None
    if context is not None:
        main_job = assess(records, context, choice)
        page = _write_page([*records, *trial], main_job, store)
    if as_json:
        run_document = document([*records, *trial], store, main_job)
        emit_json(run_document if page is None else {**run_document, "page": str(page)})
    else:
        print_run(records, store, main_job)
        for record in trial:
            print_trial(record)
        if page is not None:
            say(f"page       {page}")
    return exit_status([*records, *trial])


run.add_command(llm)
run.add_command(asic)
run.add_command(endpoint)


def _trial(job: "Job", *, quiet: bool) -> "list[Record]":
    """Return the record of a few seconds on the tiny inference server, where the extra `serve` is installed."""
    from bench.endpoint.tiny.server import is_installed
    from bench.errors import RunFailedError

    if not is_installed():
        return []
    from bench.endpoint.tiny.trial import measure_tiny

    try:
        with progress(quiet=quiet) as bars:
            task = bars.add_task("endpoint", total=1.0)

            def show(stage: str, done: float) -> None:
                bars.update(task, completed=done, description=f"endpoint: {stage}")

            return [measure_tiny(job, show)]
    except RunFailedError as error:  # the machine's own results are measured and stored
        warn(str(error))
        return []


def _plan_name(plan: str, *, quick: bool, publish: bool) -> str:
    """Return the name of the plan that `--plan`, `--quick` and `--publish` select; two plans at once are refused."""
    source = click.get_current_context().get_parameter_source("plan")
    chosen = {f"--plan {plan}": plan} if source is click.core.ParameterSource.COMMANDLINE else {}
    chosen |= {f"--{name}": name for name, used in (("quick", quick), ("publish", publish)) if used}
    if len(set(chosen.values())) > 1:
        raise InputError.at("--plan", expected="one measurement plan", got=" ".join(chosen))
    return next(iter(chosen.values()), plan)


def _write_page(records: "Sequence[Record]", main_job: "Assessment", store: Path) -> Path | None:
    """Write the page of a main job; the results are stored already, so a full disk costs only the page."""
    from bench.errors import RunFailedError
    from bench.report import PAGE, collect, write_page

    try:
        measured = main_job.lab.record if main_job.lab is not None else None
        shown = (*records, *((measured,) if measured is not None else ()))
        gathered = collect([store / record.id for record in shown], [""], store)
        return write_page(replace(gathered, outlook=main_job.outlook, megawatts=main_job.megawatts), store / PAGE)
    except (InputError, RunFailedError) as error:
        warn(str(error))
        return None


def _attach(
    name: str, workloads: Sequence[str], logs: Sequence[str], options: Any, store: Path, *, as_json: bool
) -> int:
    from bench.cli.run.tables import document, print_run
    from bench.measure.joining.attach import attach

    if is_stated("all_variants"):
        raise InputError.at("--attach", expected="no --all-variants with it, because nothing is measured")
    if workloads:
        raise InputError.at(
            "--attach", expected="no workload with it, because nothing is measured", got=", ".join(workloads)
        )
    if not logs:
        raise InputError.at("--attach", expected="--meter trace:FILE, the log to add")
    prepare_out(store)
    record = attach(name, logs, options, store, sys.argv[1:], warn)
    if as_json:
        emit_json(document([record], store, None))
    else:
        print_run([record], store, None)
    return 0 if record.status == "ok" else 1
