"""`perwatt run`: measure workloads; without an argument, the main job."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import FOLDER, json_option
from bench.cli.output import emit_json, say, warn
from bench.cli.run.llm import RunCommand
from bench.cli.run.measure import check_threads, measure_all, opened, specs
from bench.results.layout import STORE
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.main_job import Assessment
    from bench.results.record import Record

MAIN_JOB_METERED = ("sha256d_scan_cpu", "matmul_f32_cpu")
"""The main job takes energy on these; the rates of the others take seconds, their energy would take minutes."""


@click.command(cls=RunCommand)
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--device", default="cpu", show_default=True, help="cpu or gpu:INDEX.")
@click.option("--variant", help="A variant by name; without it the fastest here, by calibration.")
@click.option(
    "--all-variants",
    is_flag=True,
    help="sha256d_scan_cpu: every variant that runs here, interleaved; one thread unless --threads.",
)
@click.option("--threads", type=int, help="CPU threads; without it every core that the process may use.")
@click.option("--plan", default="quick", show_default=True, help="smoke, quick or publish.")
@click.option("--quick", "plan", flag_value="quick", help="Short for --plan quick.")
@click.option("--publish", "plan", flag_value="publish", help="Short for --plan publish.")
@click.option(
    "--meter", "meters", multiple=True, help="shelly:HOST, trace:FILE, rapl, none, …; see `perwatt list meters`."
)
@click.option("--meter-period-s", type=float, help="Update period of a power meter [s].")
@click.option("--clock-offset-s", type=float, default=0.0, help="A log's clock minus this machine's [s].")
@click.option("--attach", metavar="RESULT", help="Join --meter trace:FILE to a stored result, as a new record.")
@click.option("--watts", type=float, help="A power that you state: an assumption, never energy.")
@click.option("--out", "store", type=FOLDER, default=STORE, show_default=True, help="Results folder.")
@json_option
def run(
    workloads: tuple[str, ...],
    device: str,
    variant: str | None,
    all_variants: bool,
    threads: int | None,
    plan: str,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    attach: str | None,
    watts: float | None,
    store: Path,
    as_json: bool,
) -> int:
    """Measure workloads and store each as a result folder; without an argument, the main job.

    The main job measures this machine (double SHA-256, matrix products, memory bandwidth), sets it beside the catalogue
    and computes what the example site would earn. With --device gpu:INDEX it measures that GPU whole.
    """
    from bench.machine.devices import device_under_test
    from bench.main_job import assess, surroundings
    from bench.measure.plan import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions
    from bench.results.folder import prepare_store
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import ENTRIES, create

    if attach is not None:
        options_ = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s)
        return _attach(attach, workloads, meters, options_, store, as_json=as_json)
    check_threads(threads)
    if all_variants:
        _refuse_beside_all_variants()
        from bench.cli.run.variants import run_variants

        return run_variants(workloads, threads or 1, variant, as_json=as_json)
    names = workloads or tuple(
        row.name for row in ENTRIES if row.main_job and row.device_kind == device.partition(":")[0]
    )
    options = WorkloadOptions(device=device, variant=variant, threads=threads)
    todo = [create(name, options) for name in names]
    chosen_plan = get_plan(plan)
    device_under_test(device)  # what is wrong with it is said before anything is opened or stored
    beside = surroundings(store) if todo and not workloads else None
    prepare_store(store)
    meter_options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with opened(specs(meters, watts, device), meter_options) as reading:
        job = Job.start(chosen_plan, store, sys.argv[1:])
        if not todo:
            from bench.cli.run.gpu import run_gpu_job

            return run_gpu_job(job, device, reading, as_json=as_json)
        records = measure_all(
            todo, job, reading, device, metered=None if workloads else MAIN_JOB_METERED, quiet=as_json
        )
    from bench.cli.run.tables import document, exit_status, print_run

    main_job, page = None, None
    if beside is not None:
        main_job = assess(records, beside)
        page = _write_page(records, main_job, store)
    if as_json:
        found = document(records, store, main_job)
        emit_json(found if page is None else {**found, "page": str(page)})
    else:
        print_run(records, store, main_job)
        if page is not None:
            say(f"page       {page}")
    return exit_status(records)


def _refuse_beside_all_variants() -> None:
    """Refuse what `--all-variants` would not heed: it has windows of its own, meters nothing and stores nothing."""
    context = click.get_current_context()
    heeded = {"workloads", "all_variants", "variant", "threads", "as_json"}
    given = {
        option.name: option.opts[0]
        for option in reversed(context.command.params)
        if option.name not in heeded
        and context.get_parameter_source(str(option.name)) is click.core.ParameterSource.COMMANDLINE
    }
    if given:
        raise InputError.at(
            "--all-variants", expected="no other option than --threads and --json", got=" ".join(given.values())
        )


def _write_page(records: "Sequence[Record]", main_job: "Assessment", store: Path) -> Path | None:
    """Write the page of a main job beside its results; they are stored, so that a full disk costs the page alone."""
    from bench.errors import RunFailedError
    from bench.report import PAGE, collect, write_page

    try:
        gathered = collect([store / record.id for record in records], [""], store)
        return write_page(replace(gathered, outlook=main_job.outlook, alone=main_job.alone), store / PAGE)
    except (InputError, RunFailedError) as error:
        warn(str(error))
        return None


def _attach(
    name: str, workloads: Sequence[str], logs: Sequence[str], options: Any, store: Path, *, as_json: bool
) -> int:
    from bench.cli.run.tables import document, print_run
    from bench.measure.attach import attach

    if workloads:
        raise InputError.at("--attach", expected="no workload beside it: nothing is run", got=", ".join(workloads))
    if not logs:
        raise InputError.at("--attach", expected="the log to join, --meter trace:FILE")
    record = attach(name, logs, options, store, sys.argv[1:])
    if as_json:
        emit_json(document([record], store, None))
    else:
        print_run([record], store, None)
    return 0 if record.status == "ok" else 1
