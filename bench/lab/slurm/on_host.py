"""A task of the script on its host: it drives one job of the book, as the controller of a run drives all of them.

Slurm starts the next task although a cancelled one may still end, and although the host of a lost one may still
measure. So a task claims its power domains in the book, which is on storage that all hosts share, and waits for those
that another measurement may occupy. A claim ends when the book says so, or when nothing of its job can run any more.
"""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.errors import not_written
from bench.lab.host import layout
from bench.lab.host.answer import answer
from bench.lab.host.sealing import read_started
from bench.lab.inventory.lab import Host
from bench.lab.messages import JobSeen, States
from bench.lab.run.locks import claims_of, journal, started_s
from bench.lab.run.schedule import START_S, Claim
from bench.machine.endings import endings_raise, endings_wait
from bench.results.labs.book import Book, books
from bench.results.labs.coverage import job_statuses
from bench.results.labs.plan import Job
from bench.results.labs.reasons import sentence
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from sites.files import write_file

POLL_S = 5.0  # [s] between two looks into the books, and between two looks at a job without a known keeper
_BEGINS = frozenset({"planned", "refused"})  # states of a job that may begin


def run_task(book: Book, job: Job, host: Host, clock_limit_s: float, tell: Callable[[str], None]) -> bool:
    """Drive one job on this host to its end, and return whether it was measured.

    Parameters
    ----------
    book
        The run, on storage that all hosts share.
    job
        The job.
    host
        This host as the lab file describes it.
    clock_limit_s
        Difference between the clocks of this host and of the shared storage up to which it may measure [s].
    tell
        Shows a line.

    Raises
    ------
    InputError
        The job has begun before: a second attempt is a job of its own.
    RunFailedError
        The book cannot be written.
    """
    _check_not_begun(book, job)
    offset_s = _offset_s(book.folder / f".clock-{job.id}")
    if abs(offset_s) > clock_limit_s:
        return _refuse(book, job, "clock_off", f"{offset_s:+.1f} s from the clock of the shared storage", tell)
    refused, is_interrupted = ("cancelled", "before it began"), False
    with endings_raise():
        try:
            start_by_s = _claim(book, job, tell) + START_S
            began = _begin(host.folder, job, start_by_s)
            refused = str(began.get("refused", "")), str(began.get("detail", ""))
            if not refused[0]:
                tell(f"measuring {job.workload} ({job.device}), job {job.id}")
            _wait(host.folder, job)
        except KeyboardInterrupt:  # Slurm ends the task
            is_interrupted = True
        with endings_wait():
            if is_interrupted:
                answer("stop", host.folder, {"job": job.id})
            seen = _wait(host.folder, job)
            return _refuse(book, job, *refused, tell) if seen is None else _note(book, job, seen, tell)


def note_lost(book: Book, now_s: float) -> None:
    """Note as lost every job of a run that has no ending although nothing of it can run any more.

    Raises
    ------
    RunFailedError
        The book cannot be written.
    """
    events = book.events()
    jobs = book.jobs(events)
    for id_, at_s in started_s(events).items():
        if id_ in jobs and Claim.of(jobs[id_], at_s).until_s < now_s:
            book.append("lost", job=id_, host=jobs[id_].host, code="lost", detail="its task did not come back")


def _check_not_begun(book: Book, job: Job) -> None:
    events = book.events()
    status = job_statuses(book.jobs(events), events)[job.id]
    if status.state not in _BEGINS:
        raise InputError(
            f"job {job.id}: expected one that has not begun, got one that is {status.state}; "
            "a second attempt is a new job: perwatt lab script --resume"
        )


def _offset_s(probe: Path) -> float:
    """Return the clock of this host minus that of the storage on which a file is made for a moment [s]."""
    try:
        before_s = time.time()
        write_file(probe, b"")
        stored_s, after_s = probe.stat().st_mtime, time.time()
        probe.unlink()
    except OSError as error:
        raise not_written(probe, error) from None
    if before_s - 0.01 <= stored_s <= after_s + 0.01:  # the stamps of files are some milliseconds old
        return 0.0
    return (before_s + after_s) / 2 - stored_s


def _claim(book: Book, job: Job, tell: Callable[[str], None]) -> float:
    """Wait until no other measurement may occupy a domain of a job, note that it starts, and return when [s]."""
    told = ""
    while True:
        with journal(book.store):
            now_s = time.time()
            note_lost(book, now_s)
            holder = next(_holders(book.store, job, now_s), None)
            if holder is None:
                _check_not_begun(book, job)
                book.append("starting", job=job.id, host=job.host, at_s=now_s)
                return now_s
        if holder.job_id != told:
            told = holder.job_id
            shared = ", ".join(sorted(holder.domains & set(job.domains)))
            tell(f"waiting for job {told} ({shared}), at most {holder.until_s - now_s:.0f} s")
        time.sleep(min(POLL_S, max(0.1, holder.until_s - now_s)))


def _holders(store: Path, job: Job, now_s: float) -> Iterator[Claim]:
    for other in books(store):
        events = other.events()
        for claim in claims_of(other.jobs(events), events):
            if claim.until_s > now_s and not claim.domains.isdisjoint(job.domains):
                yield claim


def _begin(folder: str, job: Job, start_by_s: float) -> dict[str, Any]:
    if time.time() > start_by_s:
        return {"refused": "late", "detail": ""}
    request = {"job": job.model_dump(mode="json"), "within_s": start_by_s - time.time()}
    return answer("start", folder, request)


def _wait(folder: str, job: Job) -> JobSeen | None:
    """Wait until a job does not run any more, and return what its host says; None if it does not know the job."""
    while True:
        said = answer("state", folder, {"jobs": [job.id]})
        seen = None if "refused" in said else next(iter(validate(States, said, job.host).jobs), None)
        if seen is None or seen.state != "running":
            return seen
        _, keeper = read_started(layout.partial(Path(folder).expanduser(), job.id))
        _wait_for(keeper)


def _wait_for(process: int | None) -> None:
    """Wait for the end of a process without looking at it again and again: each look is load on this host."""
    if process is not None:
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(process)
            try:
                select.select([handle], [], [])
            finally:
                os.close(handle)
            return
    time.sleep(POLL_S)


def _note(book: Book, job: Job, seen: JobSeen, tell: Callable[[str], None]) -> bool:
    code, detail, data = seen.code, seen.detail, {}
    if ending := seen.ending:
        code = ending.reason or ("" if ending.is_measured else "measurement_failed")
        detail, data = ending.detail, {"ending": ending.model_dump(mode="json")}
    book.append("ended", job=job.id, host=job.host, code=code, detail=detail, **data)
    tell(f"job {job.id}: {sentence(code, detail) if code else 'measured'}")
    return not code


def _refuse(book: Book, job: Job, code: str, detail: str, tell: Callable[[str], None]) -> bool:
    book.append("refused", job=job.id, host=job.host, code=code, detail=detail)
    tell(f"job {job.id}: {sentence(code, detail)}")
    return False
