"""The receiving of a bundle: each job is unpacked under a temporary name, checked, flushed and stored."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.lab.collect.check import JobRefusedError, Received, check_received
from bench.lab.collect.store import flush_all, store_job
from bench.lab.collect.tar import BundleError, BundleReader, Member
from bench.lab.errors import HostError
from bench.lab.reach.protocol import ByteStream
from bench.machine.identity import machine_key
from bench.results.labs.book import Book
from bench.results.labs.plan import Job
from bench.results.layout import TEMPORARY_PREFIX

MOST_FILES = 3000  # of a job
MOST_BYTES = 4 * 2**30  # [byte] of a job


def sweep(store: Path) -> None:
    """Remove the temporary folders that killed commands of this machine left."""
    for folder in store.glob(f"{_prefix()}*"):
        process = folder.name.removeprefix(_prefix()).partition("-")[0]
        if process.isdecimal() and not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _prefix() -> str:
    """Return the beginning of temporary names of this machine; other machines may share the results folder."""
    return f"{TEMPORARY_PREFIX}lab-{machine_key()}-"


_Following = Member | BundleError | HostError | None


def _next(members: Iterator[Member]) -> _Following:
    """Return the next header of a bundle; an error is returned, so that the job before it can be stored first."""
    try:
        return next(members, None)
    except (BundleError, HostError) as error:
        return error


@dataclass(frozen=True, slots=True)
class Receiver:
    """What receiving needs to know, and whom it tells."""

    book: Book
    jobs: Mapping[str, Job]  # those that were asked for, by id
    hosts: Mapping[str, str]  # names of the hosts of the run by the key of their machine
    on_stored: Callable[[Job, Received], None]
    on_refused: Callable[[Job, JobRefusedError], None]

    def receive(self, stream: ByteStream) -> None:
        """Store every job of a bundle; one that is refused does not stop those after it.

        Raises
        ------
        BundleError
            The bundle is none, or names a job that was not asked for.
        HostError
            The connection is lost.
        OSError
            The system refuses to store it.
        """
        reader = BundleReader(stream)
        members = reader.members()
        done: set[str] = set()
        following = _next(members)
        while following is not None:
            if not isinstance(following, Member):
                raise following
            job = self.jobs.get(following.job)
            if job is None or job.id in done:
                raise BundleError(f"job {following.job} was not asked for")
            done.add(job.id)
            following = self._receive_job(reader, members, job, following)

    def _receive_job(self, reader: BundleReader, members: Iterator[Member], job: Job, first: Member) -> _Following:
        """Store one job and return what follows it."""
        with self._folder(job) as folder:
            digests: dict[str, str] = {}
            total_bytes = 0
            following: _Following = first
            while isinstance(following, Member) and following.job == job.id:
                total_bytes += following.size_bytes
                if len(digests) >= MOST_FILES or total_bytes > MOST_BYTES:
                    raise BundleError(f"job {job.id} has more than {MOST_FILES} files or {MOST_BYTES} bytes")
                target = folder / following.path
                target.parent.mkdir(parents=True, exist_ok=True)
                digests[following.path] = reader.copy(following, target)
                following = _next(members)
            try:
                received = check_received(folder, job, digests, self.hosts)
                flush_all(folder)
                store_job(folder, self.book.store, self.book.jobs_folder, job.id, digests)
            except JobRefusedError as refused:
                if isinstance(following, Exception):  # the bundle ends too early, which says more
                    raise following from None
                self.on_refused(job, refused)
            else:
                self.on_stored(job, received)
        return following

    @contextmanager
    def _folder(self, job: Job) -> Iterator[Path]:
        """Make a temporary folder; what is left of it at the end is removed."""
        folder = self.book.store / f"{_prefix()}{os.getpid()}-{job.id}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
