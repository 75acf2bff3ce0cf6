"""`perwatt feed`: the group of its commands."""

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.feed.difficulty import difficulty
from bench.cli.feed.fetch import fetch


@click.group(
    cls=NearGroup,
    epilog=examples("perwatt feed fetch bitcoind", "perwatt feed difficulty bitcoind --out difficulty.csv"),
)
def feed() -> None:
    """Read market files as exported; fetch data over the network."""


feed.add_command(difficulty)
feed.add_command(fetch)
