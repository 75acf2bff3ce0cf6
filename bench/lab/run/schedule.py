"""Which measurements of a lab may start: at most one in each power domain, by positive evidence only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

START_S = 60.0
"""How long after its line in the ledger a measurement may start [s]; its host refuses a later start."""

MARGIN_S = 75.0
"""Time that a host may take to begin a job and to end its processes, and by which the clocks may differ [s]."""


class Occupant(Protocol):
    """What the schedule reads of a job."""

    @property
    def id(self) -> str:
        """The job's id."""

    @property
    def host(self) -> str:
        """Name of the host that runs it."""

    @property
    def domains(self) -> Collection[str]:
        """All that it occupies: the host itself, power domains, a meter or a miner."""

    @property
    def deadline_s(self) -> float:
        """Time after its start at which its host ends it [s]."""


Job = TypeVar("Job", bound=Occupant)


@dataclass(frozen=True, slots=True)
class Claim:
    """The domains of a job that may be running: no evidence says that it has ended or never started."""

    job_id: str
    host: str
    domains: frozenset[str]
    start_by_s: float  # [s] its host refuses a later start
    begun_s: float  # [s] when it runs or never will
    due_s: float  # [s] when it has reached its deadline
    until_s: float  # [s] when nothing of it can run any more

    @classmethod
    def of(cls, job: Occupant, starting_s: float) -> "Claim":
        """Return the claim of a job whose `starting` line was written at this time [s]."""
        start_by_s = starting_s + START_S
        due_s, until_s = start_by_s + job.deadline_s, starting_s + longest_s(job)
        return cls(job.id, job.host, frozenset(job.domains), start_by_s, start_by_s + MARGIN_S, due_s, until_s)


def longest_s(job: Occupant) -> float:
    """Return the time from the `starting` line after which nothing of a job can run any more [s]."""
    return START_S + job.deadline_s + MARGIN_S


def startable(waiting: Sequence[Job], claims: Iterable[Claim], answering: Collection[str], now_s: float) -> list[Job]:
    """Return the jobs that may start now, in their order, such that no two jobs share a domain.

    Parameters
    ----------
    waiting
        The jobs that have not started, in the order of the plan.
    claims
        All jobs that may be running, of this run and of others.
    answering
        Names of the hosts that answer.
    now_s
        The controller's clock [s].
    """
    occupied = {domain for claim in claims if claim.until_s > now_s for domain in claim.domains}
    chosen = []
    for job in waiting:
        if job.host in answering and occupied.isdisjoint(job.domains):
            chosen.append(job)
            occupied.update(job.domains)
    return chosen
