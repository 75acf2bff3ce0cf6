"""`perwatt lab collect`: bring every finished result of a run to this machine, once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.lab.status import run_argument
from bench.cli.options import json_option, results_option
from bench.cli.output import counted, emit_json, say, warn

if TYPE_CHECKING:
    from bench.lab.collect.hosts import HostCollected


@click.command(epilog=examples("perwatt lab collect", "perwatt lab collect 20261130T2240 --results lab/results"))
@run_argument
@results_option
@json_option
def collect(run_id: str, store: Path, as_json: bool) -> int:
    """Bring every finished result of a run to this machine.

    Each host is asked what has ended since. Every file is checked against its digest, and nothing is overwritten.
    Records behind a meter that another host reads are joined with its log. The command may be stopped and repeated at
    any time. RUN is the id of a run or the beginning of it; without it, the
    latest run is collected.

    The exit status is 1 if a measurement is missing.
    """
    from bench.cli.lab.joined import join_meters, joined_document, show_joined
    from bench.cli.lab.tables import coverage_document, print_coverage
    from bench.lab.collect.hosts import collect as collect_from
    from bench.lab.inventory.read import lab_of
    from bench.lab.reach.choose import reach_of
    from bench.results.labs.book import Book
    from bench.results.labs.coverage import coverage

    book = Book.open(store, run_id)
    lab = lab_of(book)
    reaches = {name: reach_of(lab, host) for name, host in lab.hosts.items()}
    done = collect_from(book, reaches, _show if not as_json else lambda _: None)
    joined = join_meters(book, lab)
    covered = coverage(book)
    if as_json:
        hosts = [
            {
                "host": one.host,
                "stored": one.stored,
                "running": one.running,
                "refused": [
                    {"job": job, "code": code, "detail": detail} for job, (code, detail) in one.refused.items()
                ],
                "error": None if one.error is None else {"code": one.error.code, "detail": one.error.detail},
            }
            for one in done
        ]
        document = {"hosts": hosts, "joined": joined_document(joined), "coverage": coverage_document(covered)}
        emit_json({"schema": "perwatt.lab-collect/1", **document})
    else:
        show_joined(joined)
        print_coverage(covered)
    return 0 if covered.is_whole else 1


def _show(done: "HostCollected") -> None:
    from bench.results.labs.reasons import sentence

    if done.stored:
        say(f"{done.host}: {counted(len(done.stored), 'job')} collected")
    if done.running:
        say(f"{done.host}: {counted(len(done.running), 'job')} still running")
    for job, (code, detail) in done.refused.items():
        warn(f"{done.host}: job {job}: {sentence(code, detail)}")
    if done.error is not None:
        warn(str(done.error))
