"""`perwatt lab status`: how much of a run is measured, by the book on this machine."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.options import json_option, results_option
from bench.cli.output import emit_json

run_argument = click.argument("run_id", metavar="[RUN]", default="")


@click.command(epilog=examples("perwatt lab status", "perwatt lab status 20261130T2240 --json"))
@run_argument
@results_option
@json_option
def status(run_id: str, store: Path, as_json: bool) -> int:
    """Show how much of a run is measured: every planned measurement with its state and the reason.

    RUN is the id of a run or the beginning of it; without it, the latest run is shown. No host is asked.

    The exit status is 1 if a measurement is missing.
    """
    from bench.cli.lab.tables import coverage_document, print_coverage
    from bench.results.labs.book import Book
    from bench.results.labs.coverage import coverage

    covered = coverage(Book.open(store, run_id))
    if as_json:
        emit_json({"schema": "perwatt.lab-coverage/1", **coverage_document(covered)})
    else:
        print_coverage(covered, every=True)
    return 0 if covered.is_whole else 1
