"""One connection's side of the protocol: requests in, lines out, without sockets."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.stratum.events import NoticeLog, ShareLog
from bench.stratum.jobs import Job, JobSource, Template
from bench.stratum.limits import Limits
from bench.stratum.messages import Request, answer, plain_text, push, refusal
from bench.stratum.negotiation import configure, difficulty_of_text, number_of
from bench.stratum.verify import ShareClass, Verdict, read_submission
from bench.stratum.work import JobBook

_LONGEST_NAME = 128  # characters of a worker or a user agent that are kept
_LONGEST_WORKER = 256  # characters of a worker that may authorize
_REFUSALS = {
    ShareClass.MALFORMED: (20, "Malformed share"),
    ShareClass.UNAUTHORIZED: (24, "Unauthorized worker"),
    ShareClass.UNKNOWN_JOB: (21, "Job not found"),
    ShareClass.STALE: (21, "Stale share"),
    ShareClass.MASK_VIOLATION: (20, "Version bits outside the mask"),
    ShareClass.NTIME_OUT_OF_RANGE: (20, "Time out of range"),
    ShareClass.LOW_DIFFICULTY: (23, "Low difficulty share"),
    ShareClass.DUPLICATE: (22, "Duplicate share"),
}
_NOT_SUBSCRIBED = (25, "Not subscribed")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A connection, open or ended."""

    number: int  # counted from 1
    peer: str  # address of the client
    peer_port: int
    connected_s: float  # [s, monotonic]
    ended_s: float | None  # [s, monotonic] None while it is connected
    end_reason: str  # empty while it is connected
    user_agent: str
    workers: tuple[str, ...]  # authorized names: more than one if a proxy stands in between
    mask: int  # version bits that may roll; 0 if the miner did not ask
    suggested_difficulty: float | None  # [-] by the miner, as a difficulty or a target; recorded only
    minimum_difficulty: float | None  # [-] likewise
    valid_shares: int
    other_shares: int  # of all other classes
    last_share_s: float | None  # [s, monotonic] of the last valid one


class Desk:
    """The state that all sessions of a server share: the present difficulty and template, and the logs."""

    def __init__(self, source: JobSource, difficulty: float, limits: Limits) -> None:
        self.source, self.difficulty, self.limits = source, difficulty, limits
        self.template: Template = source.template()
        self.shares, self.notices = ShareLog(), NoticeLog()


class Session:
    """The state of one connection, from `mining.configure` to its shares.

    Parameters
    ----------
    desk
        The part that all sessions share.
    number
        Number of the connection.
    extranonce1
        The connection's own part of the coinbase.
    peer
        Address and port of the client.
    now_s
        The present [s, monotonic].
    """

    def __init__(self, desk: Desk, number: int, extranonce1: bytes, peer: tuple[str, int], now_s: float) -> None:
        self.number, self.extranonce1, self.peer, self.connected_s = number, extranonce1, peer, now_s
        self.ended_s: float | None = None
        self.end_reason = ""
        self.mask = 0
        self.book = JobBook()
        self._desk = desk
        self._user_agent: str | None = None  # None until the miner has subscribed
        self._workers: dict[str, str] = {}  # printable forms of authorized names
        self._working = False  # whether a first job was sent
        self._suggested: float | None = None
        self._minimum: float | None = None
        self._valid, self._other = 0, 0
        self._last_share_s: float | None = None
        self._noted: set[str] = set()
        self._methods: dict[str, Callable[[Request, float], Iterable[bytes]]] = {
            "mining.configure": self._configure,
            "mining.subscribe": self._subscribe,
            "mining.authorize": self._authorize,
            "mining.submit": self._submit,
            "mining.suggest_difficulty": self._suggest,
            "mining.suggest_target": self._suggest_target,
            "mining.extranonce.subscribe": lambda request, _: [answer(request.id, result=True)],
            "mining.ping": lambda request, _: [answer(request.id, "pong")],
            "mining.get_transactions": lambda request, _: [refusal(request.id, 20, "Transactions are not available")],
        }

    @property
    def working(self) -> bool:
        """Whether the miner has subscribed, is authorized, and has a job."""
        return self._working

    def info(self) -> SessionInfo:
        """Return a description of the connection."""
        return SessionInfo(
            number=self.number,
            peer=self.peer[0],
            peer_port=self.peer[1],
            connected_s=self.connected_s,
            ended_s=self.ended_s,
            end_reason=self.end_reason,
            user_agent=self._user_agent or "",
            workers=tuple(self._workers.values()),
            mask=self.mask,
            suggested_difficulty=self._suggested,
            minimum_difficulty=self._minimum,
            valid_shares=self._valid,
            other_shares=self._other,
            last_share_s=self._last_share_s,
        )

    def note(self, reason: str, detail: str = "") -> None:
        """Add a notice of this connection, once for each reason."""
        if reason not in self._noted:
            self._noted.add(reason)
            self._desk.notices.add(reason, self.peer[0], detail)

    def handle(self, request: Request, now_s: float) -> Iterable[bytes]:
        """Return the lines that follow a request: its answer first, then what the server sends unasked."""
        method = self._methods.get(request.method)
        if method is not None:
            return method(request, now_s)
        self.note("unsupported method", plain_text(request.method, _LONGEST_NAME))
        return [refusal(request.id, 20, "Unsupported method")]

    def renew(self, *, clean: bool = False) -> list[bytes]:
        """Return the line of a new job of the present template; no line before the miner works."""
        return [self._job_line(clean=clean)] if self._working else []

    def renew_difficulty(self) -> list[bytes]:
        """Return the lines of the present difficulty and of a job that has it; no lines before the miner works."""
        return [self._difficulty_line(), self._job_line(clean=False)] if self._working else []

    def _configure(self, request: Request, _now_s: float) -> Iterable[bytes]:
        outcome = configure(request.params)
        if outcome is None:
            self.note("malformed request", request.method)
            return [refusal(request.id, 20, "Malformed parameters")]
        lines = [answer(request.id, outcome.result)]
        self._minimum = outcome.minimum_difficulty if outcome.minimum_difficulty is not None else self._minimum
        if outcome.mask is not None and outcome.mask != self.mask:
            self.mask = outcome.mask
            lines += [self._mask_line(), self._job_line(clean=False)] if self._working else []
        return lines

    def _subscribe(self, request: Request, _now_s: float) -> Iterable[bytes]:
        params = request.params
        agent = params[0] if isinstance(params, list) and params and isinstance(params[0], str) else ""
        self._user_agent = plain_text(agent, _LONGEST_NAME)
        subscriptions = [["mining.notify", self.extranonce1.hex()]]
        result = [subscriptions, self.extranonce1.hex(), self._desk.source.extranonce2_bytes]
        return [answer(request.id, result), *self._begin()]

    def _authorize(self, request: Request, _now_s: float) -> Iterable[bytes]:
        params = request.params
        worker = params[0] if isinstance(params, list) and params else None  # the password is not even looked at
        if not isinstance(worker, str) or not 0 < len(worker) <= _LONGEST_WORKER:
            self.note("malformed request", request.method)
            return [refusal(request.id, 24, "Unauthorized worker")]
        if worker not in self._workers and len(self._workers) >= self._desk.limits.workers:
            self.note("too many workers")
            return [refusal(request.id, 24, "Too many workers")]
        self._workers.setdefault(worker, plain_text(worker, _LONGEST_NAME))
        return [answer(request.id, result=True), *self._begin()]

    def _suggest(self, request: Request, _now_s: float) -> Iterable[bytes]:
        params = request.params
        suggested = number_of(params[0]) if isinstance(params, list) and params else None
        self._suggested = self._suggested if suggested is None else suggested
        return [answer(request.id, result=True)]

    def _suggest_target(self, request: Request, _now_s: float) -> Iterable[bytes]:
        params = request.params
        suggested = difficulty_of_text(params[0]) if isinstance(params, list) and params else None
        self._suggested = self._suggested if suggested is None else suggested
        return [answer(request.id, result=True)]

    def _begin(self) -> list[bytes]:
        """Return the mask, the difficulty and the first job, once a miner has subscribed and is authorized."""
        if self._working or self._user_agent is None or not self._workers:
            return []
        self._working = True
        mask = [self._mask_line()] if self.mask else []
        return [*mask, self._difficulty_line(), self._job_line(clean=True)]

    def _submit(self, request: Request, now_s: float) -> Iterable[bytes]:
        verdict, job, worker = self._judge(request.params)
        age_s = now_s - job.issued_s if job else math.nan
        self._desk.shares.append(now_s, verdict, age_s, self.number, self._workers.get(worker, ""))
        if verdict.share_class is ShareClass.VALID:
            self._valid += 1
            self._last_share_s = now_s
            lines = [answer(request.id, result=True)]
            return [*lines, self._job_line(clean=False)] if self.book.crowded else lines
        self._other += 1
        self.note(f"share: {verdict.share_class}")
        code, text = _REFUSALS[verdict.share_class]
        if verdict.share_class is ShareClass.UNAUTHORIZED and self._user_agent is None:
            code, text = _NOT_SUBSCRIBED
        return [refusal(request.id, code, text)]

    def _judge(self, params: object) -> tuple[Verdict, Job | None, str]:
        share = read_submission(params, self._desk.source.extranonce2_bytes)
        if share is None:
            return Verdict(ShareClass.MALFORMED), None, ""
        if self._user_agent is None or share.worker not in self._workers:
            return Verdict(ShareClass.UNAUTHORIZED), None, ""
        job = self.book.job(share.job_id)
        return self.book.judge(share, self.extranonce1, self.mask), job, share.worker

    def _mask_line(self) -> bytes:
        return push("mining.set_version_mask", [f"{self.mask:08x}"])

    def _difficulty_line(self) -> bytes:
        difficulty = self._desk.difficulty
        return push("mining.set_difficulty", [int(difficulty) if difficulty == int(difficulty) else difficulty])

    def _job_line(self, *, clean: bool) -> bytes:
        desk = self._desk
        job = desk.source.job(desk.template, desk.difficulty, next(iter(self._workers)), clean=clean)
        self.book.add(job)
        return push("mining.notify", job.notify_parameters())
