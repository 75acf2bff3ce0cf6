"""What `perwatt lab run` and `resume` share: the loop with its lines, and the coverage at its end."""

import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cli.output import counted, say, warn
from bench.errors import shell_word
from bench.results.layout import STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.lab.check.result import LabCheck
    from bench.lab.inventory.lab import Lab
    from bench.lab.meters.session import SharedMeters
    from bench.lab.run.crew import Crew
    from bench.lab.run.session import Route
    from bench.lab.run.workers import Workers
    from bench.results.labs.book import Book
    from bench.results.labs.plan import Job

    Barred = Mapping[str, tuple[str, str]]

INTERRUPTED = 130


@dataclass(slots=True)
class Follower:
    """Collects each job when it has ended, and prints a line for it; see `bench.lab.run.controller.Follower`."""

    book: "Book"
    crew: "Crew"
    meters: "SharedMeters"
    planned: int
    done: int = 0

    def before(self, job: "Job") -> None:
        """Start the logs of the meters that other hosts read for a job."""
        self.meters.before(job)

    def after(self, job: "Job") -> None:
        """Stop these logs."""
        self.meters.after(job)

    def collect(self, job: "Job") -> None:
        """Bring an ended job here; see `Follower.collect`."""
        from bench.lab.collect.hosts import collect_host
        from bench.lab.errors import HostError

        collected = collect_host(self.book, self.crew.way(job.host), {job.id})
        if collected.error is not None:
            raise collected.error
        if job.id in collected.refused:
            raise HostError(job.host, *collected.refused[job.id])

    def tell(self, job: "Job", word: str, reason: str) -> None:
        """Print what has become of a job."""
        self.done += 1
        what = f"{job.workload} on {job.device}" if job.device != "cpu" else job.workload
        line = f"{self.done:>{len(str(self.planned))}}/{self.planned}  {job.host}  {what}: {word}"
        say(f"{line}: {reason}" if reason else line)


def note_check(book: "Book", check: "LabCheck") -> dict[str, tuple[str, str]]:
    """Note in the book what a check says of each host, and return the reason of each that cannot take part."""
    from bench.lab.run.session import barred_hosts
    from bench.results.labs.reasons import sentence

    barred = barred_hosts(check)
    listed = barred.keys() & {job.host for job in book.jobs().values()}  # the loop has a line for each of their jobs
    for name, host in check.hosts.items():
        if host.hello is not None and host.offset is not None:
            book.append(
                "checked", host=name, host_id=host.hello.host_id, perwatt_version=host.hello.perwatt_version,
                clock_offset_s=host.offset.utc_s, clock_bound_s=host.offset.utc_bound_s,
            )  # fmt: skip
        for code, detail in () if name in listed else host.refusals:
            warn(f"{name}: {sentence(code, detail)}" + ("" if name in barred else "; it takes part"))
    return barred


def drive(book: "Book", lab: "Lab", route: "Route", workers: "Workers | None", barred: "Barred", *, again: bool) -> int:
    """Run what is missing of a run, print its coverage, and return the exit status.

    Parameters
    ----------
    book
        The run.
    lab
        The lab.
    route
        The way to the workers.
    workers
        Those of a scheduler that runs; None to start some.
    barred
        The reason of each host that takes no part.
    again
        Whether jobs are begun that were refused before.
    """
    from bench.cli.lab.joined import join_meters, show_joined
    from bench.cli.lab.tables import print_coverage
    from bench.lab.run.signs import SchedulerLostError
    from bench.results.labs.coverage import coverage

    status, stopped = 0, ""
    try:
        _control(book, lab, route, workers, barred, again=again)
    except KeyboardInterrupt:
        status, stopped = INTERRUPTED, "stopped by the operator"
    except SchedulerLostError:
        status, stopped = 1, "the Dask scheduler does not answer any more"
    if stopped:
        book.append("note", detail=f"{stopped}; no job is begun, and those that run go on")
    else:
        show_joined(join_meters(book, lab))
    covered = coverage(book)
    print_coverage(covered)
    if covered.is_whole:
        return status
    if stopped:
        running = covered.counts.get("running", 0)
        going = f", and {counted(running, 'measurement')} may go on there" if running else ""
        warn(f"{stopped}; no other measurement is begun{going}")
    own = lab.path == book.lab_file
    say(f"go on with: perwatt lab resume{'' if own else f' {shell_word(lab.path)}'}{_options(book, route)}")
    return status or 1


def _control(
    book: "Book", lab: "Lab", route: "Route", workers: "Workers | None", barred: "Barred", *, again: bool
) -> None:
    """Let a controller run until every job has ended or has a reason."""
    from bench.lab.meters.session import SharedMeters
    from bench.lab.run.attempts import unfinished
    from bench.lab.run.controller import Controller
    from bench.lab.run.session import crew_of, started_workers

    jobs = unfinished(book, again=again)
    names = [name for name in lab.hosts if any(job.host == name for job in jobs)]
    if not names:
        return
    with ExitStack() as stack:
        if workers is None:
            able = [name for name in names if name not in barred]
            workers = stack.enter_context(started_workers(route, lab, able))
            for name, why in workers.missing.items():
                warn(f"{name}: no Dask worker: {why}")
        crew, shared = crew_of(route, lab, workers, barred)
        stack.callback(crew.close)
        meters = SharedMeters(lab, book, lambda _, host: crew.way(host.name))
        Controller(book, crew, Follower(book, crew, meters, len(jobs)), again=again, shared=shared).run()


def _options(book: "Book", route: "Route") -> str:
    """Return the options with which a run is resumed as it was begun."""
    words = [] if book.store == STORE else [f"--out {shell_word(book.store)}"]
    words += [] if route.scheduler is None else [f"--scheduler {route.scheduler}"]
    words += ["--slurm"] if route.slurm else []
    words += [f"--slurm-option {shlex.quote(text)}" for text in route.directives]
    words += [] if route.listen is None else [f"--listen {route.listen}"]
    return "".join(f" {word}" for word in words)
