"""How much of a lab run was measured: each planned measurement with its state and the reason for it.

It stands above every figure of a fleet, so that the survivors are not taken for the fleet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from bench.results.labs.book import Book, books
from bench.results.labs.ledger import Event
from bench.results.labs.plan import Job
from bench.results.labs.reasons import sentence

State = Literal["measured", "running", "ended", "planned", "refused", "failed", "lost"]
STATES: tuple[State, ...] = ("measured", "running", "ended", "planned", "refused", "failed", "lost")
_AFTER: dict[str, tuple[State, str]] = {  # the state after an event, and its code where the event has none
    "starting": ("running", ""),
    "started": ("running", ""),
    "seen": ("running", ""),
    "ended": ("ended", "not_collected"),
    "uncollected": ("ended", "not_collected"),
    "refused": ("refused", ""),
    "lost": ("lost", "lost"),
    "cancelled": ("failed", "cancelled"),
}


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job with its state."""

    job: Job
    state: State = "planned"
    code: str = ""  # reason, from bench/results/labs/reasons.py
    detail: str = ""
    results: tuple[str, ...] = ()  # ids of the results that were collected
    collected: bool = False  # whether its job folder is on the controller
    last: datetime | None = None  # last event of the job, by the controller's clock

    @property
    def reason(self) -> str:
        """The reason in words, or an empty text."""
        return sentence(self.code, self.detail) if self.code else self.detail


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of one run."""

    run_id: str
    lab: str
    rows: tuple[JobStatus, ...]  # one a planned measurement: its latest attempt

    @property
    def counts(self) -> dict[State, int]:
        """Number of measurements in each state that occurs, in the order of STATES."""
        states = [row.state for row in self.rows]
        return {state: states.count(state) for state in STATES if state in states}

    @property
    def is_whole(self) -> bool:
        """Whether every planned measurement was measured and collected."""
        return all(row.state == "measured" for row in self.rows)

    def line(self) -> str:
        """Return the coverage on one line: `24 planned: 20 measured, 3 lost, 1 refused`."""
        words = {"planned": "not started", "ended": "not collected"}
        parts = ", ".join(f"{count} {words.get(state, state)}" for state, count in self.counts.items())
        return f"{len(self.rows)} planned: {parts or 'none'}"


def coverage(book: Book) -> Coverage:
    """Return the coverage of a run.

    Raises
    ------
    InputError
        The ledger is faulty.
    """
    events = book.events()
    statuses = job_statuses(book.jobs(events), events)
    measurements = [status for status in statuses.values() if not status.job.is_log]
    return Coverage(book.plan.run_id, book.plan.lab, tuple(_latest_attempts(measurements)))


def job_statuses(jobs: Mapping[str, Job], events: Iterable[Event]) -> dict[str, JobStatus]:
    """Return the status of every job, each attempt by itself; events of unknown jobs are passed over."""
    statuses = {id_: JobStatus(job) for id_, job in jobs.items()}
    for event in events:
        if event.job in statuses:
            statuses[event.job] = _after(statuses[event.job], event)
    return statuses


def _after(status: JobStatus, event: Event) -> JobStatus:
    """Return the status of a job after an event; what was collected stays collected."""
    status = replace(status, last=event.utc)
    if event.kind == "collected":
        results = tuple(str(one) for one in event.data.get("results", ()))
        state: State = "failed" if event.code else "measured"
        return replace(status, state=state, code=event.code, detail=event.detail, results=results, collected=True)
    if status.collected or event.kind not in _AFTER:
        return status
    state, code = _AFTER[event.kind]
    if event.kind == "ended" and event.code:
        state = "failed"
    return replace(status, state=state, code=event.code or code, detail=event.detail)


def _latest_attempts(statuses: Iterable[JobStatus]) -> list[JobStatus]:
    """Return the statuses without those of superseded jobs, unless an earlier attempt is the one that was measured."""
    by_id = {status.job.id: status for status in statuses}
    superseded = {status.job.supersedes for status in by_id.values()}
    return [_measured_attempt(status, by_id) for id_, status in by_id.items() if id_ not in superseded]


def _measured_attempt(status: JobStatus, by_id: Mapping[str, JobStatus]) -> JobStatus:
    earlier: JobStatus | None = status
    while earlier is not None and earlier.state != "measured":
        earlier = by_id.get(earlier.job.supersedes or "")
    return earlier or status


def coverages(store: Path, results: Sequence[str] | None = None) -> list[Coverage]:
    """Return the coverage of every lab run of a results folder, or of those that the results of these ids come from.

    Raises
    ------
    InputError
        A plan or a ledger is faulty.
    """
    every = [coverage(book) for book in books(store)]
    if results is None:
        return every
    asked = set(results)
    return [one for one in every if any(asked & set(row.results) for row in one.rows)]
