"""What keeps two controllers from measuring in one power domain: the books of a results folder, and Dask's metadata.

No lock is held while a measurement runs, because the death of its holder would free it too early. A lock only covers
the moment in which a controller reads all claims and writes its own. A claim ends by evidence: its job has ended, or
nothing of it can run any more.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import not_written
from bench.lab.run.schedule import Claim, Occupant, longest_s
from bench.lab.run.signs import SchedulerLostError
from bench.results.labs.book import Book, read_plan
from bench.results.labs.ledger import Event
from bench.results.labs.plan import Job
from bench.results.layout import LABS, result_names
from hardware_profiles.errors import InputError

JOURNAL_FILE, RUN_FILE = ".claims", ".controller"
SHARED = "perwatt-lab"  # name of the Dask lock, and of the key of the metadata
SHARED_S = 10.0
_ENDS = frozenset({"ended", "lost", "cancelled", "refused", "collected"})


def started_s(events: list[Event]) -> dict[str, float]:
    """Return the time of the `starting` line [s] of every job that may be running, by its id."""
    opened: dict[str, float] = {}
    for event in events:
        if event.kind == "starting":
            opened[event.job] = float(event.data.get("at_s", event.utc.timestamp()))
        elif event.kind in _ENDS:
            opened.pop(event.job, None)
    return opened


def claims_of(jobs: dict[str, Job], events: list[Event]) -> list[Claim]:
    """Return the claims of a book: those of its jobs that may be running."""
    return [Claim.of(jobs[job], at_s) for job, at_s in started_s(events).items() if job in jobs]


class OtherRuns:
    """The claims of the other runs of a results folder; a ledger is read again only when it has grown."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._books: dict[str, Book] = {}
        self._known: dict[str, tuple[int, list[Claim]]] = {}

    def claims(self) -> list[Claim]:
        """Return all claims of the other runs.

        Raises
        ------
        InputError
            The book of a run is faulty.
        """
        names = result_names(self._book.store / LABS)
        return [claim for name in names if name != self._book.plan.run_id for claim in self._claims(name)]

    def _claims(self, name: str) -> list[Claim]:
        if name not in self._books:
            self._books[name] = Book(self._book.store, read_plan(self._book.store / LABS / name))
        other = self._books[name]
        size = other.ledger.path.stat().st_size if other.ledger.path.exists() else 0
        if self._known.get(name, (-1,))[0] != size:
            events = other.events()
            self._known[name] = size, claims_of(other.jobs(events), events)
        return self._known[name][1]


@contextmanager
def journal(store: Path) -> Iterator[None]:
    """Hold the lock under which a controller reads the claims of all runs and writes its own.

    Raises
    ------
    RunFailedError
        The results folder refuses the lock file.
    """
    with _locked(store / LABS / JOURNAL_FILE, wait=True):
        yield


@contextmanager
def sole_controller(book: Book) -> Iterator[None]:
    """Be the only controller of a run.

    Raises
    ------
    InputError
        Another one is at work.
    RunFailedError
        The results folder refuses the lock file.
    """
    with _locked(book.folder / RUN_FILE, wait=False) as held:
        if not held:
            raise InputError(
                f"{book.folder}: expected a lab run that no other command drives, got one at work; "
                "`perwatt lab status` shows it"
            )
        yield


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[bool]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise not_written(path, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


class Held(NamedTuple):
    """The claim of another controller that keeps a job from its start."""

    job_id: str
    host: str


class SharedClaims:
    """The claims of all controllers that use one Dask scheduler, in its metadata, which outlives its clients.

    A claim of a dead controller counts until its job has ended by word of its host, or until it has been seen for as
    long as its job can take at most: that needs no clock of the other controller.

    Parameters
    ----------
    client
        A client of the scheduler.
    has_ended
        Returns whether a host says that a job does not run any more.
    clock
        A clock that is never set [s].
    """

    def __init__(
        self, client: Any, has_ended: Callable[[str, str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._has_ended, self._clock = client, has_ended, clock
        self._seen: dict[str, float] = {}  # token of a claim -> when it was seen first

    def take(self, job: Occupant) -> Held | None:
        """Claim the domains of a job and return None, or return what holds one of them.

        Raises
        ------
        SchedulerLostError
            The scheduler does not answer.
        """
        with self._locked():
            claims = self._read()
            for id_, claim in list(claims.items()):
                if id_ == job.id or set(claim["domains"]).isdisjoint(job.domains):
                    continue
                if not self._is_over(id_, claim):
                    return Held(id_, claim["host"])
                del claims[id_]
            claims[job.id] = {
                "host": job.host, "domains": sorted(job.domains), "longest_s": longest_s(job),
                "token": secrets.token_hex(8),
            }  # fmt: skip
            self._write(claims)
        return None

    def free(self, job_id: str) -> None:
        """Remove the claim of a job that has ended.

        Raises
        ------
        SchedulerLostError
            The scheduler does not answer.
        """
        with self._locked():
            claims = self._read()
            if claims.pop(job_id, None) is not None:
                self._write(claims)

    def _is_over(self, job_id: str, claim: dict[str, Any]) -> bool:
        seen_s = self._seen.setdefault(claim["token"], self._clock())
        return self._clock() - seen_s > claim["longest_s"] or self._has_ended(claim["host"], job_id)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from distributed import Lock

        lock = Lock(SHARED, scheduler_rpc=self._client.scheduler, loop=self._client.loop)
        with _lost_if_it_fails():
            if not lock.acquire(timeout=SHARED_S):
                raise TimeoutError(f"the Dask lock {SHARED} was not free within {SHARED_S:g} s")
        try:
            yield
        finally:
            with _lost_if_it_fails():
                lock.release()

    def _read(self) -> dict[str, Any]:
        with _lost_if_it_fails():
            claims: dict[str, Any] = self._client.get_metadata([SHARED], default={})
        return dict(claims)

    def _write(self, claims: dict[str, Any]) -> None:
        with _lost_if_it_fails():
            self._client.set_metadata([SHARED], claims)


@contextmanager
def _lost_if_it_fails() -> Iterator[None]:
    """Raise SchedulerLostError for whatever Dask raises when a connection is lost."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - Dask raises any kind of error
        raise SchedulerLostError(type(error).__name__) from None
