"""`perwatt feed list`: the market files that are read as downloaded."""

import click

from bench.cli.commands import examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table

_WORDS = ("name", "title", "quantity", "unit", "timezone", "label", "repeated_hour", "choices")


@click.command("list", epilog=examples("perwatt feed list", "perwatt feed list --json"))
@json_option
def list_(as_json: bool) -> None:
    """List the feeds: market files that are read as downloaded, recognised by their exact columns."""
    from sites.feeds.layouts import LAYOUTS

    if as_json:
        feeds = [{key: getattr(layout, key) for key in _WORDS} for layout in LAYOUTS]
        emit_json({"schema": "perwatt.feeds/1", "feeds": feeds})
        return
    rows = [(one.name, one.title, one.unit or "of the file", ", ".join(one.choices)) for one in LAYOUTS]
    print_table(("feed", "source", "unit", "choices"), rows)
    say("A file that holds several series of a feed needs a choice of each: --point NAME or --where NAME=VALUE.")
    say("Other tables: state time, value and unit in the site file (docs/feeds.md).")
