"""`perwatt feed`: the group of its commands."""

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.feed.difficulty import difficulty
from bench.cli.feed.fetch import fetch
from bench.cli.feed.list_ import list_
from bench.cli.feed.read import read


@click.group(
    cls=NearGroup,
    epilog=examples(
        "perwatt feed read prices.csv --point HB_WEST",
        "perwatt feed fetch bitcoind",
        "perwatt feed difficulty bitcoind --out difficulty.csv",
    ),
)
def feed() -> None:
    """Read market files as exported; fetch data over the network."""


feed.add_command(read)
feed.add_command(list_)
feed.add_command(difficulty)
feed.add_command(fetch)
