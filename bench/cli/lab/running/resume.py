"""`perwatt lab resume`: what is missing of a run, from its book and from what the hosts say."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.lab.running.routes import route_of, route_options
from bench.cli.options import store_option
from bench.cli.output import counted, say, warn
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.lab.collect.hosts import HostCollected
    from bench.lab.inventory.lab import Lab
    from bench.lab.run.session import Route
    from bench.results.labs.book import Book


@click.command(
    epilog=examples("perwatt lab resume lab.toml", "perwatt lab resume lab.toml --run 20261130T2240 --slurm")
)
@click.argument("lab_file", metavar="[LAB]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--run", "run_id", default="", metavar="RUN", help="Id of the run, or its beginning. [default: the latest]"
)
@route_options
@store_option
def resume(
    lab_file: Path | None,
    run_id: str,
    scheduler: str | None,
    slurm: bool,
    directives: tuple[str, ...],
    listen: str | None,
    store: Path,
) -> int:
    """Go on with a run: collect what has ended, wait for what still runs, and measure what is missing.

    A measurement that was lost or failed is made again as a new job, which supersedes the first. Nothing that is
    measured is measured twice. Without LAB, the lab file is taken as it was when the run began.

    The exit status is 1 if a measurement is still missing.
    """
    from bench.lab.inventory.read import lab_of, read_lab
    from bench.lab.run.locks import sole_controller
    from bench.machine.endings import endings_raise
    from bench.results.labs.book import Book

    book = Book.open(store, run_id)
    lab = lab_of(book) if lab_file is None else read_lab(lab_file)
    if book.plan.lab != lab.name:
        raise InputError.at(lab.path, "lab.name", expected=f"the lab of run {book.plan.run_id}", got=lab.name)
    unknown = sorted({job.host for job in book.jobs().values()} - lab.hosts.keys())
    if unknown:
        raise InputError.at(lab.path, "host", expected=f"every host of run {book.plan.run_id}", got=f"no {unknown[0]}")
    route = route_of(scheduler, directives, listen, slurm=slurm)
    with endings_raise(), sole_controller(book):
        return _resume(book, lab, route)


def _resume(book: "Book", lab: "Lab", route: "Route") -> int:
    from bench.cli.lab.running.drive import drive, note_check
    from bench.lab.check.run import check_lab
    from bench.lab.collect.hosts import collect
    from bench.lab.meters.session import SharedMeters
    from bench.lab.run.attempts import add_attempts
    from bench.lab.run.locks import started_s
    from bench.lab.run.session import shared_workers, ways
    from bench.results.labs.coverage import coverage

    names = list(dict.fromkeys(row.job.host for row in coverage(book).rows if row.state != "measured"))
    with shared_workers(route, lab, names) as workers:
        way = ways(workers)
        barred = note_check(book, check_lab(lab, book.store, hosts=names, way_to=way))
        meters = SharedMeters(lab, book, way)
        before = started_s(book.events())
        collect(book, {name: way(lab, lab.hosts[name]) for name in names if name not in barred}, _show)
        for id_ in before.keys() - started_s(book.events()).keys():
            meters.after(book.jobs()[id_])
        added = add_attempts(book)
        if added:
            say(f"{counted(len(added), 'measurement')} lost or failed: made again")
        return drive(book, lab, route, workers, barred, again=True)


def _show(done: "HostCollected") -> None:
    if done.stored:
        say(f"{done.host}: {counted(len(done.stored), 'job')} collected")
    if done.error is not None:
        warn(str(done.error))
