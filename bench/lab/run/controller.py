"""The loop of a lab run: it starts what may start, notes what has ended in the book, and collects it.

It may be killed at any moment. The book has a line before anything happens, so that `resume` goes on from the book and
from what the hosts say.
"""

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from bench.lab.errors import HostError
from bench.lab.run.locks import OtherRuns, SharedClaims, journal, started_s
from bench.lab.run.schedule import Claim, startable
from bench.lab.run.signs import Hosts, Sign
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from bench.results.labs.plan import Job
from bench.results.labs.reasons import sentence

POLL_S = 1.0
LOOK_S = 10.0  # [s] between two questions to a host that nobody watches
GRACE_S = 60.0  # [s] for a host that does not answer, or measures for others, when nothing else is left
BEFORE_AT_ONCE = 32  # jobs that are accompanied at once
BUSY_S = 30.0  # [s] before a host that measures for others is asked again
MAX_STARTS = 3  # how often a job may be begun in vain: its host had no word of it in time


class Follower(Protocol):
    """What accompanies the jobs of a run."""

    def before(self, job: Job) -> None:
        """Act after the `starting` line of a job and before its host hears of it."""

    def after(self, job: Job) -> None:
        """Act when a job has ended or is lost."""

    def collect(self, job: Job) -> None:
        """Bring an ended job here and note it in the book.

        Raises
        ------
        HostError
            It stays on its host.
        """

    def tell(self, job: Job, word: str, reason: str) -> None:
        """Show what has become of a job."""


@dataclass(slots=True)
class _Open:
    """A job that may be running."""

    job: Job
    claim: Claim
    begins: int = 1  # requests to its host, of this controller and perhaps a former one
    watched: bool = False
    begun_s: float = 0.0  # of the latest request
    looked_s: float = 0.0
    seen_s: float = 0.0  # when its host was heard last; 0 for never


class Controller:
    """The controller of one run.

    Parameters
    ----------
    book
        The run.
    hosts
        Its hosts.
    follower
        What accompanies its jobs.
    again
        Whether jobs are begun that a former controller refused.
    shared
        The claims of other controllers of the same scheduler.
    """

    def __init__(
        self,
        book: Book,
        hosts: Hosts,
        follower: Follower,
        *,
        again: bool = False,
        shared: SharedClaims | None = None,
    ) -> None:
        self._book, self._hosts, self._follower, self._shared = book, hosts, follower, shared
        self._others = OtherRuns(book)
        events = book.events()
        jobs = book.jobs(events)
        self._open = {id_: _Open(jobs[id_], Claim.of(jobs[id_], at_s)) for id_, at_s in started_s(events).items()}
        rows = coverage(book).rows
        startable_states = {"planned", "refused"} if again else {"planned"}
        self._waiting = [row.job for row in rows if row.state in startable_states]
        self._ended = [(row.job, "") for row in rows if row.state == "ended"]
        self._over: set[str] = set()  # jobs of other runs that have ended, by word of their hosts
        self._looked_s: dict[str, float] = {}
        self._starts: dict[str, int] = {}
        self._asked_again_s: dict[str, float] = {}  # host -> when one that measures for others is asked again
        self._progress_s = time.time()

    @property
    def running(self) -> int:
        """Number of jobs that may be running."""
        return len(self._open)

    def run(self) -> None:
        """Go on until every job has ended or has a reason.

        Raises
        ------
        SchedulerLostError
            The scheduler does not answer any more.
        RunFailedError
            The book cannot be written.
        """
        while self.step():
            pass

    def step(self) -> bool:
        """Collect, start and note what is due; return whether anything is left.

        Raises
        ------
        SchedulerLostError, RunFailedError
            See `run`.
        """
        self._collect_ended()
        for job in [job for job in self._waiting if job.host in self._hosts.barred]:
            self._refuse(job, *self._hosts.barred[job.host])
        answering = self._hosts.answering()
        self._start(answering)
        self._watch(answering)
        sign = self._hosts.sign(POLL_S if self._open or self._waiting else 0.0)
        while sign is not None:
            self._note(sign)
            sign = self._hosts.sign(0.0)
        self._give_up()
        return bool(self._open or self._waiting or self._ended)

    def _collect_ended(self) -> None:
        """Collect before the next start: the transfer is load on the host."""
        while self._ended:
            job, reason = self._ended.pop(0)
            try:
                self._follower.collect(job)
            except HostError as error:
                self._follower.tell(job, "not collected", str(error))
            else:
                self._follower.tell(job, "failed" if reason else "measured", reason)

    def _start(self, answering: Collection[str]) -> None:
        now_s = time.time()
        ready = {host for host in answering if self._asked_again_s.get(host, 0.0) <= now_s}
        if not any(job.host in ready for job in self._waiting):
            return
        with journal(self._book.store):
            claims = [one.claim for one in self._open.values()] + self._claims_of_others()
            chosen = [job for job in startable(self._waiting, claims, ready, now_s) if self._take(job)]
            for job in chosen:
                self._book.append("starting", job=job.id, host=job.host, at_s=now_s)
                self._open[job.id] = _Open(job, Claim.of(job, now_s))
                self._waiting.remove(job)
        if chosen:
            self._progress_s = now_s
            with ThreadPoolExecutor(BEFORE_AT_ONCE) as pool:  # one after the other would pass the limit of a start
                list(pool.map(self._follower.before, chosen))
        for job in chosen:
            one = self._open[job.id]
            one.watched, one.begun_s = True, now_s
            self._hosts.begin(job, one.claim.start_by_s)

    def _take(self, job: Job) -> bool:
        return self._shared is None or self._shared.take(job) is None

    def _watch(self, answering: Collection[str]) -> None:
        """Watch the jobs that nobody watches, where a worker is there; ask for the others now and then."""
        now_s = time.time()
        for one in self._open.values():
            if now_s > one.claim.due_s:
                one.watched = False  # it should have ended: the host is asked rather than waited for
            elif not one.watched and one.job.host in answering and now_s - one.begun_s >= LOOK_S:
                one.begins += 1
                one.watched, one.begun_s = True, now_s
                self._hosts.begin(one.job, one.claim.start_by_s)
            if not one.watched and now_s - one.looked_s >= LOOK_S:
                one.looked_s = now_s
                self._hosts.look(one.job.host, one.job.id)

    def _claims_of_others(self) -> list[Claim]:
        """Return the claims of other runs whose jobs may be running, and ask for those that were not asked lately."""
        now_s = time.time()
        claims = [one for one in self._others.claims() if one.until_s > now_s and one.job_id not in self._over]
        for claim in claims:
            if now_s - self._looked_s.get(claim.job_id, 0.0) >= LOOK_S:
                self._looked_s[claim.job_id] = now_s
                self._hosts.look(claim.host, claim.job_id)
        return claims

    def _note_other(self, sign: Sign) -> None:
        """Note that a job of another run has ended, although the book of that run does not say so."""
        if sign.kind in {"ended", "dead"}:
            self._over.add(sign.job_id)

    def _note(self, sign: Sign) -> None:
        one = self._open.get(sign.job_id)
        if one is None:
            self._note_other(sign)
            return
        if sign.kind == "silent":
            one.watched = False
            return
        one.seen_s = time.time()
        if sign.kind == "absent":
            if time.time() > one.claim.begun_s:
                self._not_started(one, "never_started", sign.detail)
        elif sign.kind == "refused" and sign.start_by_s == one.claim.start_by_s:
            if sign.code == "late" or one.begins == 1:
                self._not_started(one, sign.code, sign.detail)
            else:
                one.watched = False  # an earlier request may still arrive in time
        elif sign.kind in {"ended", "dead"}:
            self._end(one, sign)

    def _end(self, one: _Open, sign: Sign) -> None:
        ending = sign.ending
        code, detail = sign.code, sign.detail
        if ending is not None:
            code = ending.reason or ("" if ending.is_measured else "measurement_failed")
            detail = ending.detail
        data = {} if ending is None else {"ending": ending.model_dump(mode="json")}
        self._book.append("ended", job=one.job.id, host=one.job.host, code=code, detail=detail, **data)
        self._close(one)
        if ending is None:
            self._follower.tell(one.job, "failed", _reason(code, detail))
        else:
            self._ended.append((one.job, _reason(code, detail)))

    def _not_started(self, one: _Open, code: str, detail: str) -> None:
        """Note that a host has not started a job and will not; it may be begun again where that can help."""
        job = one.job
        self._book.append("refused", job=job.id, host=job.host, code=code, detail=detail)
        progress_s = self._progress_s
        self._close(one)
        self._progress_s = progress_s  # a refusal is none
        self._starts[job.id] = self._starts.get(job.id, 0) + 1
        if code == "busy":
            self._asked_again_s[job.host] = time.time() + BUSY_S
        if code in {"busy", "late", "never_started"} and (code == "busy" or self._starts[job.id] < MAX_STARTS):
            self._waiting.append(job)
        else:
            self._follower.tell(job, "refused", _reason(code, detail))

    def _close(self, one: _Open) -> None:
        """Forget a job that does not run any more."""
        del self._open[one.job.id]
        self._progress_s = time.time()
        self._follower.after(one.job)
        if self._shared is not None:
            self._shared.free(one.job.id)

    def _give_up(self) -> None:
        """Note as lost what its host must have ended long ago, and refuse what waits for a host in vain."""
        now_s = time.time()
        for one in list(self._open.values()):
            if now_s > one.claim.until_s:
                heard_s = max(one.seen_s, self._hosts.heard_s(one.job.host))
                detail = f"last heard of at {_utc(heard_s)}" if heard_s else "not heard of since its start"
                self._book.append("lost", job=one.job.id, host=one.job.host, code="lost", detail=detail)
                self._close(one)
                self._follower.tell(one.job, "lost", _reason("lost", detail))
        if self._open or not self._waiting or now_s - self._progress_s < max(GRACE_S, self._hosts.queue_s):
            return
        held = {domain for claim in self._claims_of_others() for domain in claim.domains}
        for job in list(self._waiting):
            if not held.isdisjoint(job.domains):
                continue
            if job.host in self._hosts.answering():
                self._refuse(job, "busy", "")
            else:
                self._refuse(job, "unreachable", self._hosts.why_missing(job.host))

    def _refuse(self, job: Job, code: str, detail: str) -> None:
        self._waiting.remove(job)
        self._book.append("refused", job=job.id, host=job.host, code=code, detail=detail)
        self._follower.tell(job, "refused", _reason(code, detail))


def _reason(code: str, detail: str) -> str:
    return sentence(code, detail) if code else ""


def _utc(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
