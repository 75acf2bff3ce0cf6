"""The collecting from all hosts of a run: in parallel, and each host by itself, so that a lost one is only a line."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from bench.lab.collect.check import Received
from bench.lab.collect.receive import Receiver, sweep
from bench.lab.collect.tar import BundleError
from bench.lab.errors import HostError
from bench.lab.messages import JobSeen, States
from bench.lab.reach.protocol import Reach
from bench.results.labs.book import Book
from bench.results.labs.coverage import JobStatus, job_statuses
from bench.results.labs.plan import Job
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate

PARALLEL = 16  # hosts at once
STATE_LIMIT_S = 120.0  # [s]
FETCH_LIMIT_S = 60.0  # [s] without a byte


@dataclass(slots=True)
class HostCollected:
    """What was collected from one host."""

    host: str
    stored: list[str] = field(default_factory=list)  # ids of jobs
    running: list[str] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # job -> reason code and detail
    error: HostError | None = None  # why the rest could not be collected


@dataclass(slots=True)
class _Task:
    """The collecting from one host."""

    book: Book
    reach: Reach
    statuses: Mapping[str, JobStatus]  # of the jobs of this host that are not collected
    hosts: Mapping[str, str]  # names of the hosts of the run by the key of their machine
    done: HostCollected

    def run(self) -> None:
        """Ask for the state of the jobs, then store those that have ended."""
        states = self._states()
        for seen in states.jobs:
            self._note(seen)
        known = {seen.id for seen in states.jobs}
        for id_, status in self.statuses.items():
            if id_ not in known and status.state == "running":
                self._note_unknown(status)
        pending = [seen.id for seen in states.jobs if seen.state == "ended" and seen.id in self.statuses]
        while pending:
            pending = self._fetch(pending)

    def _states(self) -> States:
        answer = self.reach.ask("state", {"jobs": list(self.statuses)}, limit_s=STATE_LIMIT_S)
        try:
            states = validate(States, answer, self.reach.host)
        except InputError as fault:
            raise HostError(self.reach.host, "wrong_answer", fault.faults[0]) from None
        planned = {status.job.host_id for status in self.statuses.values()} - {""}
        if planned and states.host_id not in planned:
            other = self.hosts.get(states.host_id)
            if other is not None:
                raise HostError(self.reach.host, "answers_for", f"machine {states.host_id} is {other}")
            expected = " or ".join(sorted(planned))
            raise HostError(self.reach.host, "host_changed", f"expected machine {expected}, got {states.host_id}")
        return states

    def _note(self, seen: JobSeen) -> None:
        """Write what is new about a job to the ledger."""
        status = self.statuses.get(seen.id)
        if status is None:  # a job that nobody asked for
            return
        if seen.state == "running":
            self.done.running.append(seen.id)
            if status.state != "running":
                self.book.append("seen", job=seen.id, host=self.done.host)
        elif seen.state == "dead":
            self._refuse(status.job, seen.code or "killed", seen.detail)
        elif seen.ending is not None and status.state not in {"ended", "failed"}:
            ending = seen.ending
            self.book.append(
                "ended", job=seen.id, host=self.done.host, code=ending.reason, detail=ending.detail,
                ending=ending.model_dump(mode="json"),
            )  # fmt: skip

    def _note_unknown(self, status: JobStatus) -> None:
        """Note a job that the host does not know: after its deadline it surely does not run."""
        last = status.last or datetime.now(UTC)
        if (datetime.now(UTC) - last).total_seconds() > status.job.deadline_s:
            detail = "the host answers and does not know the job"
            self.book.append("lost", job=status.job.id, host=self.done.host, code="lost", detail=detail)

    def _fetch(self, pending: Sequence[str]) -> list[str]:
        """Fetch jobs, and return those that are still to be fetched after one that spoilt the bundle."""
        jobs = {id_: self.statuses[id_].job for id_ in pending}
        receiver = Receiver(
            self.book, jobs, self.hosts, self._stored, lambda job, why: self._refuse(job, why.code, str(why))
        )
        fault = "it is not in the bundle"
        try:
            with self.reach.fetch(pending, limit_s=FETCH_LIMIT_S) as stream:
                receiver.receive(stream)
        except BundleError as error:
            fault = str(error)
        left = [id_ for id_ in pending if id_ not in self.done.stored and id_ not in self.done.refused]
        if left:
            self._refuse(jobs[left[0]], "bundle_refused", fault)
        return left[1:]

    def _stored(self, job: Job, received: Received) -> None:
        ending = received.ending
        self.book.append(
            "collected", job=job.id, host=self.done.host, code=received.code, detail=received.detail,
            results=list(ending.results), ending=ending.model_dump(mode="json"),
        )  # fmt: skip
        self.done.stored.append(job.id)

    def _refuse(self, job: Job, code: str, detail: str) -> None:
        self.done.refused[job.id] = (code, detail)
        self.book.append("uncollected", job=job.id, host=self.done.host, code=code, detail=detail)


def collect(
    book: Book,
    reaches: Mapping[str, Reach],
    on_host: Callable[[HostCollected], None] = lambda _: None,
    *,
    parallel: int = PARALLEL,
) -> list[HostCollected]:
    """Collect every finished job of a run that is not collected yet, and return what happened by host.

    Parameters
    ----------
    book
        The book of the run.
    reaches
        The way to each host, by name; hosts of the plan that are not here are not asked.
    on_host
        Gets each host when it is done.
    parallel
        Hosts that are asked at once.

    Raises
    ------
    InputError
        The ledger is faulty.
    RunFailedError
        The ledger cannot be written to.
    """
    sweep(book.store)
    tasks = list(_tasks(book, reaches))
    lock = Lock()

    def run(task: _Task) -> HostCollected:
        done = _run(task)
        with lock:
            on_host(done)
        return done

    with ThreadPoolExecutor(max(1, parallel)) as pool:
        return list(pool.map(run, tasks))


def collect_host(book: Book, reach: Reach, only: Collection[str] | None = None) -> HostCollected:
    """Collect every finished job of one host, or those of these ids; see `collect`."""
    tasks = list(_tasks(book, {reach.host: reach}, only))
    return _run(tasks[0]) if tasks else HostCollected(reach.host)


def _tasks(book: Book, reaches: Mapping[str, Reach], only: Collection[str] | None = None) -> Iterator[_Task]:
    events = book.events()
    statuses = job_statuses(book.jobs(events), events)
    hosts = {status.job.host_id: status.job.host for status in statuses.values() if status.job.host_id}
    by_host: dict[str, dict[str, JobStatus]] = {}
    for id_, status in statuses.items():
        if not status.collected and (only is None or id_ in only):
            by_host.setdefault(status.job.host, {})[id_] = status
    for host, missing in by_host.items():
        if host in reaches:
            yield _Task(book, reaches[host], missing, hosts, HostCollected(host))


def _run(task: _Task) -> HostCollected:
    try:
        task.run()
    except HostError as error:
        task.done.error = error
    except OSError as error:
        what = f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")
        task.done.error = HostError(task.done.host, "not_stored", what)
    if task.done.error is not None:
        task.book.append("note", host=task.done.host, code=task.done.error.code, detail=task.done.error.detail)
    return task.done
