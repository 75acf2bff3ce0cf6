"""`perwatt lab host`: the conversation of a host with its controller. People do not call it."""

import sys

import click

from bench.cli.commands import examples


@click.command(hidden=True, epilog=examples("perwatt lab host"))
def host() -> None:
    """Answer the requests of a controller on standard input."""
    from bench.lab.host.answer import serve

    serve(sys.stdin.buffer, sys.stdout.buffer)
