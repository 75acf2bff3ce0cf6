"""`perwatt sweep asic`: an ASIC miner at several of its modes or targets, from the present one down."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import examples
from bench.cli.options import prepare_out, remote_options
from bench.cli.run.asic import miner_options, request_of
from bench.cli.sweep.options import sweep_options
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.cli.run.asic_flow import Request
    from bench.results.record import Record
    from bench.sweep.guard import Guard


@click.command(
    epilog=examples(
        "perwatt sweep asic --miner 192.0.2.7 --meter shelly:192.0.2.9",
        "perwatt sweep asic --miner 192.0.2.7 --levels 3000,2600,2200W --dwell-s 1800",
    )
)
@click.option("--lever", help="What is set, as LEVER[,KEY=VALUE...]. [default: the miner's family]")
@click.option("--beyond", is_flag=True, help="Allow levels above the present one.")
@sweep_options
@miner_options
@remote_options
def asic(
    lever: str | None,
    beyond: bool,
    plan: str,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    watts: float | None,
    store: Path,
    as_json: bool,
    **options: Any,
) -> int:
    """Measure a miner at several of its modes or targets, from the present one down.

    Each visit waits until the firmware shows the level, then 15 minutes, then until the shares are steady. No level
    above the present one is set without --beyond. A miner that each change restarts gets 8 visits at most.
    """
    from bench.cli.run.asic_flow import at_work
    from bench.cli.run.measure import opened
    from bench.cli.sweep.course import finish, opened_lever, settings_of, teller
    from bench.cli.sweep.options import Asked
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions
    from bench.sweep.course import Sweep
    from bench.sweep.plot import check_target

    asked = Asked(**{name: options.pop(name) for name in Asked.__dataclass_fields__})
    chosen_plan = get_plan(plan)
    if options["host"] is None:
        raise InputError.at("--miner", expected="the miner that is set")
    login = {name: str(options[name]) for name in ("user", "password_file", "password_env") if options[name]}
    request = request_of(**options, meters=meters, quiet=as_json)
    check_target(asked.plot)
    prepare_out(store)
    meter_options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with (
        opened_lever(*_lever_of(request, lever, login)) as (held, device),
        opened(chosen_plan, request.meters, meter_options) as reading,
        at_work(request, chosen_plan, reading) as work,
    ):
        job = Job.start(work.plan, store, sys.argv[1:])

        def at_level(level: str, as_found: str | None, guard: "Guard") -> "Record":
            return work.measure(job, settings_of(device, level, as_found), guard.check)

        def hottest_c() -> float | None:
            with work.miner.lock if work.miner is not None else nullcontext():  # some miners take one connection
                return held.observe().hottest_c

        course = Sweep(held, device, asked.terms(retunes=True), teller(quiet=as_json), hottest_c).carry_out(
            lambda as_found: asked.walk(held.lever, job.run_id, as_found, retunes=True, beyond=beyond), at_level
        )
    return finish(course, asked, store, as_json=as_json)


def _lever_of(request: "Request", lever: str | None, login: dict[str, str]) -> tuple[str, str, dict[str, str]]:
    """Return the lever of a miner: the stated one, else that of its family."""
    from bench.cli.miner.command import open_miner
    from bench.levers.registry import entry, parse_lever
    from bench.miners.link import parse_address

    host = str(request.host)
    if lever is None:
        name = open_miner(parse_address(host, "--miner"), request.family, request.login).family.name
        return entry(name).name, host, login
    name, _, options = lever.partition(",")
    return parse_lever(f"{name}:{host}{',' if options else ''}{options}")[:2] + (  # noqa: RUF005 (two parts of three)
        {**login, **parse_lever(f"{name}:{host},{options}" if options else f"{name}:{host}")[2]},
    )
