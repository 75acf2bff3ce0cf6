"""`perwatt list ramps`: the stored ramps of devices."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.options import json_option, results_option
from bench.cli.output import emit_json, say


@click.command(epilog=examples("perwatt list ramps", "perwatt list ramps --json"))
@results_option
@json_option
def ramps(store: Path, as_json: bool) -> None:
    """List the measured ramps of devices: to off, to on, to full rate, each with its 95 % interval."""
    from bench.cli.ramp.tables import print_ramps
    from bench.ramp.result import ramp_records
    from bench.ramp.table import rows

    measured = rows(ramp_records(store))
    if as_json:
        emit_json([row.document() for row in measured])
    elif measured:
        print_ramps(measured)
    else:
        say("none: `perwatt ramp` measures one")
