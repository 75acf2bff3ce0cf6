"""The jobs of one connection: those that take shares, and the names of those that no longer do."""

from collections import deque

from bench.stratum.jobs import Job
from bench.stratum.verify import ShareClass, Submission, Verdict, verify

KEPT_JOBS = 16  # the newest of a connection that take shares
_RETIRED_NAMES = 256  # of retired jobs that are still known; an older name is an unknown job
_CROWDED = 20_000  # valid shares of one job after which the connection needs a new one; bounds the memory of duplicates


class JobBook:
    """The jobs of one connection."""

    __slots__ = ("_live", "_retired")

    def __init__(self) -> None:
        self._live: dict[str, Job] = {}  # in the order of their issue
        self._retired: deque[str] = deque(maxlen=_RETIRED_NAMES)

    def add(self, job: Job) -> None:
        """Add the newest job; a clean one retires all others, and the oldest goes if there are too many."""
        kept = 0 if job.clean else KEPT_JOBS - 1
        for name in list(self._live)[: max(len(self._live) - kept, 0)]:
            self._retire(name)
        self._live[job.job_id] = job

    @property
    def newest(self) -> Job | None:
        """The job that was added last."""
        return next(reversed(self._live.values()), None)

    @property
    def crowded(self) -> bool:
        """Whether the newest job has so many shares that the connection needs another."""
        newest = self.newest
        return newest is not None and len(newest.seen) >= _CROWDED

    def job(self, name: str) -> Job | None:
        """Return a job that takes shares."""
        return self._live.get(name)

    def judge(self, share: Submission, extranonce1: bytes, mask: int) -> Verdict:
        """Return the verdict on a share of this connection."""
        job = self._live.get(share.job_id)
        if job is None:
            return Verdict(ShareClass.STALE if share.job_id in self._retired else ShareClass.UNKNOWN_JOB)
        verdict = verify(job, share, extranonce1, mask)
        if len(job.seen) >= 2 * _CROWDED:
            self._retire(job.job_id)
        return verdict

    def _retire(self, name: str) -> None:
        del self._live[name]
        self._retired.append(name)
