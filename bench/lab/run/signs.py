"""What a controller learns of its jobs, and the seam to the hosts that run them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from bench.results.labs.ending import Ending
from bench.results.labs.plan import Job

SignKind = Literal["running", "ended", "dead", "refused", "absent", "silent"]


class SchedulerLostError(Exception):
    """The Dask scheduler does not answer any more; what runs on the hosts goes on."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of a job that was begun.

    It is `running`, it has `ended`, it is `dead` (its processes are gone without an ending), its host has `refused` it
    or has no such job (`absent`), or nobody answers for it (`silent`).
    """

    job_id: str
    kind: SignKind
    ending: Ending | None = None
    code: str = ""
    detail: str = ""
    start_by_s: float = 0.0  # of the request that was refused: an answer may come after the next request


class Hosts(Protocol):
    """The hosts of a run as the controller sees them."""

    @property
    def queue_s(self) -> float:
        """Time for which a host may still wait for its worker, when nothing else is left [s]."""

    @property
    def barred(self) -> Mapping[str, tuple[str, str]]:
        """The reason code and the detail of each host that takes no part in the run."""

    def answering(self) -> Collection[str]:
        """Return the names of the hosts on which a job may be begun now.

        Raises
        ------
        SchedulerLostError
            The scheduler does not answer.
        """

    def begin(self, job: Job, start_by_s: float) -> None:
        """Ask the host of a job to start it unless that time has passed [s], or to watch it if it has it already.

        Raises
        ------
        SchedulerLostError
            The scheduler does not answer.
        """

    def look(self, host: str, job_id: str) -> None:
        """Ask a host for a job, in any way that leads there; the answer is a sign."""

    def sign(self, limit_s: float) -> Sign | None:
        """Return the next sign, or None if there is none within a time [s]."""

    def heard_s(self, host: str) -> float:
        """Return when a host gave its last sign of life by the wall clock [s]; 0 for never."""

    def why_missing(self, host: str) -> str:
        """Return why a host does not answer."""
