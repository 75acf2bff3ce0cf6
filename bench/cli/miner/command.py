"""`perwatt miner`: what an ASIC miner on the network says of itself."""

from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import CommandWithVerbs, examples
from bench.cli.options import json_option
from bench.cli.output import emit_json

if TYPE_CHECKING:
    from bench.miners.reader import Miner


@click.command(
    cls=CommandWithVerbs,
    invoke_without_command=True,
    subcommand_metavar="",
    epilog=examples(
        "perwatt miner 192.0.2.7",
        "perwatt miner 192.0.2.7 --family avalon --json",
    ),
)
@click.argument("host", metavar="HOST")
@click.option(
    "--family", shell_complete=completion.miner_families, help="Family of the miner. [default: what the replies show]"
)
@json_option
def miner(host: str, family: str | None, as_json: bool) -> None:
    """Show what an ASIC miner on the network says of itself."""
    reading = _miner(host, family).poll().reading
    from bench.miners.document import document

    if as_json:
        emit_json(document(reading))


def _miner(host: str, family: str | None) -> "Miner":
    from bench.miners.families import load
    from bench.miners.link import parse_address
    from bench.miners.reader import Miner

    address = parse_address(host, "HOST")
    return Miner(address, load(family or "antminer"))
