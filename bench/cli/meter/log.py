"""`perwatt meter log`: record a meter to a file, for a run on another machine."""

from pathlib import Path

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import PositiveRange, json_option, meter_period_option
from bench.cli.output import counted, emit_json, say
from bench.errors import not_written

LONGEST_S = 1e7  # [s] 115 days


@click.command(epilog=examples("perwatt meter log shelly:192.0.2.9 --out rack.csv --seconds 3600"))
@click.argument("spec", metavar="SPEC", shell_complete=completion.meters)
@click.option(
    "--out",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The log, a new file; its description is written to FILE.json.",
)
@click.option("--seconds", type=PositiveRange(LONGEST_S), help="How long to read it [s].  [default: until Ctrl-C]")
@meter_period_option
@json_option
def log(spec: str, target: Path, seconds: float | None, meter_period_s: float | None, as_json: bool) -> None:
    """Record the watts of a meter to a CSV file.

    The file is written when the time is over, or at Ctrl-C or SIGTERM. A run on this machine takes it as
    --meter trace:FILE; a lab joins it with runs on other hosts by their clocks.
    """
    from bench.measure.joining.recorded import record_meter
    from bench.meters.errors import MeterError
    from bench.meters.protocol import MeterOptions
    from hardware_profiles.errors import InputError

    try:
        described = record_meter(spec, MeterOptions(period_s=meter_period_s), target, seconds or LONGEST_S)
    except MeterError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise not_written(target, error) from error
    if as_json:
        emit_json(described.model_dump(mode="json"))
        return
    more = f", {described.missing} missing: {described.last_error}" if described.missing else ""
    say(f"{target}: {counted(described.samples, 'sample')} of {described.meter.name}{more}")
