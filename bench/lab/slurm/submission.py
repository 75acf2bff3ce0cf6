"""What `perwatt lab script` leaves on the controller: the plan in the book, and the script beside it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import time

from bench.errors import not_written
from bench.lab.errors import HostError
from bench.lab.host.identity import code_version
from bench.lab.inventory.lab import Lab
from bench.lab.messages import Hello
from bench.lab.reach.choose import reach_of
from bench.lab.run.attempts import add_attempts
from bench.lab.run.planning import MINERS, Request, check, involved, plan_of
from bench.lab.slurm.lanes import lane_names, lanes
from bench.lab.slurm.on_host import note_lost
from bench.lab.slurm.script import LOGS, script
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from bench.results.labs.plan import Job
from bench.workloads.registry import entry
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_there
from hardware_profiles.reading import validate
from sites.files import write_file

ASKED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Submission:
    """A script that was written."""

    path: Path
    run_id: str
    lanes: Mapping[str, Sequence[Job]]  # jobs by lane: one of them at a time


def begin(store: Path, lab: Lab, lab_toml: bytes, request: Request, known: Mapping[str, Hello]) -> Submission:
    """Write the plan of a new run and its script.

    Parameters
    ----------
    store
        The results folder, which all hosts see under this path.
    lab
        The lab.
    lab_toml
        Its file.
    request
        What is measured.
    known
        What the hosts say of themselves; needed for the GPUs of a host.

    Raises
    ------
    InputError
        Nothing is left to measure.
    RunFailedError
        The disk refuses the book or the script.
    """
    plan = plan_of(request, lab, known, code_version(), {})
    if not plan.jobs:
        raise InputError(
            f"{lab.path}: expected at least one measurement, got none: no host says that it has such a GPU"
        )
    return _written(Book.create(store.resolve(), plan, lab_toml), lab, plan.jobs)


def ask_hosts(request: Request, lab: Lab) -> dict[str, Hello]:
    """Return what the hosts say of themselves if a workload needs a GPU, whose identity only its host knows.

    Raises
    ------
    InputError
        The request cannot be fulfilled, or a host whose GPUs it needs does not answer.
    """
    check(request, lab)
    if all(name == MINERS or entry(name).device_kind == "cpu" for name in request.workloads):
        return {}
    names = involved(request, lab)
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        answers = dict(zip(names, pool.map(lambda name: _asked(lab, name), names), strict=True))
    faults = [str(answer) for answer in answers.values() if isinstance(answer, HostError)]
    if faults:
        raise InputError(*(f"{fault}; its GPUs are unknown: leave it out with --host" for fault in faults))
    return {name: answer for name, answer in answers.items() if isinstance(answer, Hello)}


def _asked(lab: Lab, name: str) -> Hello | HostError:
    try:
        return validate(Hello, reach_of(lab, lab.hosts[name]).ask("hello"), name)
    except HostError as error:
        return error


def resume(book: Book, lab: Lab) -> Submission:
    """Write a script for what a run has not measured: what never began, and a second attempt at the rest.

    Raises
    ------
    InputError
        Nothing is missing.
    RunFailedError
        The disk refuses the book or the script.
    """
    note_lost(book, time())
    add_attempts(book)
    states = {"planned", "refused"}
    jobs = [row.job for row in coverage(book).rows if row.state in states]
    if not jobs:
        raise InputError(f"{book.folder}: expected a run with something to measure, got {coverage(book).line()}")
    return _written(book, lab, jobs)


def _written(book: Book, lab: Lab, jobs: Sequence[Job]) -> Submission:
    by_lane = lanes(jobs, lane_names(lab))
    path = _new_path(book.folder)
    text = script(book.folder, path, book.plan.run_id, by_lane, lab.hosts)
    try:
        (book.folder / LOGS).mkdir(exist_ok=True)
        write_file(path, text.encode())
    except OSError as error:
        raise not_written(path, error) from None
    return Submission(path, book.plan.run_id, by_lane)


def _new_path(folder: Path) -> Path:
    """Return the path of the next script: arrays of an earlier one may still wait, and nothing is overwritten."""
    number = 1
    while is_there(path := folder / f"slurm-{number}.sh"):
        number += 1
    return path
