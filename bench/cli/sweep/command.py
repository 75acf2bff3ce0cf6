"""`perwatt sweep`: one workload at several levels of a lever; the former setting comes back in every ending."""

import sys
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
    json_option,
    meter_period_option,
    plan_option,
    prepare_out,
    store_option,
)
from bench.cli.output import progress
from bench.cli.sweep.asic import asic
from bench.cli.sweep.endpoint import endpoint
from bench.cli.sweep.options import sweep_options

if TYPE_CHECKING:
    from bench.results.record import Record
    from bench.sweep.guard import Guard


@click.command(
    cls=CommandWithVerbs,
    invoke_without_command=True,
    subcommand_metavar="",
    epilog=examples(
        "perwatt sweep matmul_bf16_nt_cuda --device gpu:0 --lever gpu_power:0",
        "perwatt sweep sha256d_scan_cpu --lever cpu_clocks:local --meter rapl",
        "perwatt sweep asic --miner 192.0.2.7 --meter shelly:192.0.2.9",
        "perwatt sweep endpoint --url http://gpu1:8000 --meter shelly:10.0.0.9",
    ),
)
@click.argument("workload", shell_complete=completion.workloads)
@click.option("--lever", required=True, help="What is set: LEVER:ADDRESS[,KEY=VALUE...], see `perwatt levers list`.")
@sweep_options
@click.option("--device", default="cpu", show_default=True, help="Device to measure: cpu or gpu:INDEX.")
@click.option("--variant", help="Kernel variant. [default: the fastest in a calibration]")
@click.option("--threads", type=WHOLE, help="CPU threads. [default: the cores that this process may use]")
@plan_option("Plan of each visit: PLANS.")
@click.option("--meter", "meters", multiple=True, shell_complete=completion.meters, help="Meter, as in `perwatt run`.")
@meter_period_option
@clock_offset_option
@click.option("--watts", type=NUMBER, help="Assumed power [W]; it is never reported as measured energy.")
@store_option
@json_option
def sweep(
    workload: str,
    lever: str,
    device: str,
    variant: str | None,
    threads: int | None,
    plan: str,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    watts: float | None,
    store: Path,
    as_json: bool,
    **of_sweep: Any,
) -> int:
    """Measure a workload at several levels of a lever, and find the levels that may be the best.

    Each visit to a level is an ordinary stored result. Joules per unit of work are compared over all visits, corrected
    for a steady drift. The device as found is written to a journal first, and comes back when the sweep is done, fails
    or is interrupted; after a kill, `perwatt levers restore` brings it back.

    `perwatt sweep asic` sweeps a miner from its present level down, `perwatt sweep endpoint` the load of a server.
    """
    from bench.cli.run.measure import check_machine, opened, specs
    from bench.cli.sweep.course import finish, opened_lever, settings_of, teller
    from bench.cli.sweep.options import Asked
    from bench.levers.registry import parse_lever
    from bench.machine.devices import device_under_test
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job, measure
    from bench.meters.protocol import MeterOptions
    from bench.sweep.course import Sweep
    from bench.sweep.plot import check_target
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create

    asked, chosen_plan = Asked(**of_sweep), get_plan(plan)
    check_machine(threads)
    options = WorkloadOptions(device=device, variant=variant, threads=threads)
    create(workload, options).close()  # refuses a wrong name before anything is opened
    device_under_test(device)
    check_target(asked.plot)
    prepare_out(store)
    meter_options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with (
        opened_lever(*parse_lever(lever)) as (held, set_device),
        opened(chosen_plan, specs(meters, watts, device), meter_options) as reading,
        progress(quiet=as_json) as bars,
    ):
        job = Job.start(chosen_plan, store, sys.argv[1:])

        chosen: list[str] = [] if variant is None else [variant]

        def at_level(level: str, as_found: str | None, guard: "Guard") -> "Record":
            task = bars.add_task(level, total=1.0)

            def show(stage: str, done: float) -> None:
                bars.update(task, completed=done, description=f"{level}: {stage}")
                guard.check()

            described = device_under_test(device)  # anew: a lever may change what it states
            settings = {**described.settings, **settings_of(set_device, level, as_found)}
            same = replace(options, variant=chosen[0] if chosen else None)  # a calibration may choose another each time
            record = measure(
                create(workload, same), job, reading,
                device=described.model_copy(update={"settings": settings}), on_progress=show,
            )  # fmt: skip
            if record.status == "ok" and record.workload.variant and not chosen:
                chosen.append(record.workload.variant)
            bars.update(task, completed=1.0, description=f"{level}: {record.status}")
            return record

        course = Sweep(held, set_device, asked.terms(retunes=False), teller(quiet=as_json)).carry_out(
            lambda as_found: asked.walk(held.lever, job.run_id, as_found, retunes=False), at_level
        )
    return finish(course, asked, store, as_json=as_json)


sweep.add_command(asic)
sweep.add_command(endpoint)
