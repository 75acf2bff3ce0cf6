"""`perwatt ramp`: the seconds and joules of switching a device off and on, by a wall meter that is not its own."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import (
    POSITIVE,
    PositiveRange,
    WholeRange,
    json_option,
    meter_period_option,
    prepare_out,
    store_option,
)
from bench.cli.output import emit_json, say, warn
from bench.cli.ramp.tables import print_ramp
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.meters.protocol import Meter
    from bench.ramp.course import Ramp
    from bench.results.record import Record

LEAST_PLATEAU_PERIODS = 12.0  # update periods of the meter in a plateau


@click.command(
    epilog=examples(
        "perwatt ramp luxos:192.0.2.7 --meter shelly:192.0.2.9",
        "perwatt ramp luxos:192.0.2.7 --meter shelly:192.0.2.9 --off-s 3600",
    )
)
@click.argument("device")
@click.option(
    "--meter", "spec", required=True, shell_complete=completion.meters, help="Wall meter of this device alone."
)
@meter_period_option
@click.option(
    "--meter-lag-s", type=PositiveRange(3600), default=None, help="Age of the meter's values at most [s]. [default: 0]"
)
@click.option("--repeats", type=WholeRange(min=2, max=50), default=3, show_default=True, help="Switches off and on.")
@click.option(
    "--off-s", type=POSITIVE, default=60.0, show_default=True, help="Time off, at least [s]: a cold start differs."
)
@click.option("--wait-s", type=POSITIVE, default=1800.0, show_default=True, help="Longest wait for a change [s].")
@click.option("--plateau-s", type=POSITIVE, default=60.0, show_default=True, help="Time for which a level stands [s].")
@click.option("--look-s", type=POSITIVE, default=2.0, show_default=True, help="Time between looks at the device [s].")
@click.option(
    "--rate-averaging-s",
    type=POSITIVE,
    default=5.0,
    show_default=True,
    help="Time over which the device averages the rate that it shows [s].",
)
@click.option("--alone", is_flag=True, help="State that nobody else uses the server that is switched.")
@store_option
@json_option
def ramp(
    device: str,
    spec: str,
    meter_period_s: float | None,
    meter_lag_s: float | None,
    repeats: int,
    off_s: float,
    wait_s: float,
    plateau_s: float,
    look_s: float,
    rate_averaging_s: float,
    alone: bool,
    store: Path,
    as_json: bool,
) -> int:
    """Measure how long a device takes to switch off and on, and the joules.

    DEVICE is a lever and an address, such as luxos:192.0.2.7. The device works for others or for nobody: what it does
    is interrupted. What was off stays off, and in every ending the device is brought back as it was found.

    The meter must be at the wall, for this device alone, and not the device's own.
    """
    from bench.cli.run.tables import document, exit_status
    from bench.levers.held import HeldLever
    from bench.levers.journal import Device as Way
    from bench.levers.registry import open_lever, parse_lever
    from bench.machine.locks import hold
    from bench.meters.protocol import MeterOptions
    from bench.meters.registry import metering
    from bench.ramp.checks import check_alone, check_meter
    from bench.ramp.course import Clock, Ramp, Terms
    from bench.ramp.rule import Rule

    name, address, options = parse_lever(device, "DEVICE")
    check_alone(name, alone=alone)
    lever = open_lever(name, address, options, "DEVICE")
    prepare_out(store)
    with metering([spec], MeterOptions(period_s=meter_period_s)) as meters, hold(meters[0].info.domains) as held:
        meter = meters[0]
        check_meter(meter)
        if held.busy:
            raise InputError.at("--meter", expected="a meter that no other run reads", got=", ".join(held.busy))
        rule = Rule(plateau_s=max(plateau_s, LEAST_PLATEAU_PERIODS * meter.info.period_s))
        terms = Terms(repeats, off_s, wait_s, look_s, rule)
        tell = (lambda line: click.echo(line, err=True)) if as_json else say
        for line in rule.words():
            tell(f"rule       {line}")
        with HeldLever(lever) as one:
            power = lambda: ((reading.t_s, reading.value) for reading in meter.readings())  # noqa: E731
            way = Way(name, address, options, one.observe().identity)
            work = Ramp(one, way, terms, power, Clock(time.monotonic, time.sleep), tell)
            record = _measured(work, name, meter, store, meter_lag_s or 0.0, rate_averaging_s)
    if as_json:
        emit_json(document([record], store, None))
    else:
        print_ramp(record, store)
    return exit_status([record])


def _measured(work: "Ramp", lever: str, meter: "Meter", store: Path, lag_s: float, rate_averaging_s: float) -> "Record":
    """Carry out a run and store its record."""
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job
    from bench.ramp.checks import as_seen, device_of, is_loopback
    from bench.ramp.result import Run
    from bench.ramp.result import store as store_result

    started = datetime.now(UTC)
    job = Job.start(get_plan("quick"), store, sys.argv[1:])
    course = work.carry_out()
    readings = list(meter.readings())
    info = as_seen(meter.info, readings)
    if info.period_s > meter.info.period_s:
        warn(f"{info.name} updates every {info.period_s:g} s, not every {meter.info.period_s:g} s: intervals are wider")
    device, local = device_of(lever, course.first), is_loopback(work.device.address)
    run = Run(job, device, lever, work.terms, info, lag_s, rate_averaging_s, started, local)
    return store_result(run, course, readings)
