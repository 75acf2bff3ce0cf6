"""`perwatt lab`: the group of its commands."""

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.lab.check import check
from bench.cli.lab.collect import collect
from bench.cli.lab.host import host
from bench.cli.lab.running.resume import resume
from bench.cli.lab.running.run import run
from bench.cli.lab.running.worker import worker
from bench.cli.lab.schema import schema
from bench.cli.lab.script import script, task
from bench.cli.lab.status import status


@click.group(
    cls=NearGroup,
    epilog=examples(
        "perwatt lab check lab.toml",
        "perwatt lab run lab.toml sha256d_scan_cpu",
        "perwatt lab status",
        "perwatt lab resume lab.toml",
        "perwatt lab collect",
    ),
)
def lab() -> None:
    """Measure on many hosts by one plan, and collect every result once."""


lab.add_command(check)
lab.add_command(run)
lab.add_command(resume)
lab.add_command(status)
lab.add_command(collect)
lab.add_command(schema)
lab.add_command(host)
lab.add_command(script)
lab.add_command(task)
lab.add_command(worker)
