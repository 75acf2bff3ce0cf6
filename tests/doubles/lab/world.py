"""A lab that exists only in a test: hosts with leases, keepers and workers, in a time that the test moves on."""

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from bench.lab.run.signs import SchedulerLostError, Sign
from bench.results.labs.book import Book
from bench.results.labs.ending import Ending, Stamp
from bench.results.labs.plan import Job, JobParts, LabPlan

LATENCIES_S = (0.0, 0.5, 2.0, 20.0, 29.0, 300.0)  # the last is later than a host may start a job


class Killed(BaseException):
    """The controller is killed."""


@dataclass
class KeptJob:
    """A job on its host."""

    job: Job
    start_s: float
    end_s: float | None = None
    state: str = "running"  # running, ended or dead


@dataclass
class SimHost:
    """A host: its keeper goes on without worker, network and controller, and a cut of power ends it."""

    world: "World"
    name: str
    powered: bool = True
    worker: bool = True
    cable: bool = True
    boots: int = 0
    jobs: dict[str, KeptJob] = field(default_factory=dict)

    def start(self, job: Job, start_by_s: float) -> str:
        """Start a job as a host does, and return `running`, or why not."""
        if job.id in self.jobs:
            return self.jobs[job.id].state
        if self.world.now_s > start_by_s:
            return "late"
        if any(kept.state == "running" for kept in self.jobs.values()):
            return "busy"
        self.jobs[job.id] = kept = KeptJob(job, self.world.now_s)
        self.world.stamps.append(kept)
        takes_s = min(self.world.random.choice((5.0, 30.0, 80.0, 1000.0)), job.deadline_s)
        boots = self.boots
        self.world.after(takes_s, lambda: self._end(kept, "ended") if self.boots == boots else None)
        return "running"

    def _end(self, kept: KeptJob, state: str) -> None:
        if kept.state == "running":
            kept.end_s, kept.state = self.world.now_s, state

    def cut_power(self) -> None:
        """Lose power: what runs ends now."""
        for kept in self.jobs.values():
            self._end(kept, "dead")
        self.powered, self.worker = False, False
        self.boots += 1

    def heal(self) -> None:
        """Answer again, with a worker."""
        self.powered = self.worker = self.cable = True


class World:
    """The hosts, the scheduler and the time."""

    def __init__(self, random: Random, names: list[str]) -> None:
        self.random, self.now_s, self.scheduler = random, 1_800_000_000.0, True
        self.hosts = {name: SimHost(self, name) for name in names}
        self.stamps: list[KeptJob] = []
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def time(self) -> float:
        """Return the wall clock of every controller."""
        return self.now_s

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._events, (self.now_s + seconds, next(self._order), call))

    def move(self, until_s: float) -> bool:
        """Let the next thing happen that is due by a moment; return whether there was one, else it is that moment."""
        if self._events and self._events[0][0] <= until_s:
            self.now_s, _, call = heapq.heappop(self._events)
            call()
            return True
        self.now_s = max(self.now_s, until_s)
        return False

    def trouble(self) -> None:
        """Let something fail, or come back."""
        host = self.random.choice(list(self.hosts.values()))
        kind = self.random.choice(("worker", "worker", "cable", "power", "heal", "heal", "scheduler"))
        if kind == "worker":
            host.worker = False
        elif kind == "cable":
            host.cable = False
        elif kind == "power":
            host.cut_power()
        elif kind == "scheduler":
            self.scheduler = False
        else:
            host.heal()

    def heal(self) -> None:
        """Let everything answer again."""
        self.scheduler = True
        for host in self.hosts.values():
            host.heal()


class SimHosts:
    """The hosts as one controller sees them; a dead controller hears nothing, but its requests still arrive."""

    queue_s = 0.0
    barred: Mapping[str, tuple[str, str]] = {}

    def __init__(self, world: World) -> None:
        self._world, self._signs = world, list[Sign]()

    def answering(self) -> set[str]:
        if not self._world.scheduler:
            raise SchedulerLostError
        return {host.name for host in self._world.hosts.values() if host.powered and host.worker and host.cable}

    def begin(self, job: Job, start_by_s: float) -> None:
        if not self._world.scheduler:
            raise SchedulerLostError
        host = self._world.hosts[job.host]
        latency_s = self._world.random.choice(LATENCIES_S)

        def arrive() -> None:
            if not (host.powered and host.worker and host.cable and self._world.scheduler):
                self._world.after(latency_s, lambda: self._signs.append(Sign(job.id, "silent")))
                return
            state = host.start(job, start_by_s)
            if state in {"late", "busy"}:
                self._signs.append(Sign(job.id, "refused", code=state, start_by_s=start_by_s))
            else:
                self._watch(host, job, host.boots)

        self._world.after(latency_s, arrive)

    def _watch(self, host: SimHost, job: Job, boots: int) -> None:
        if not (host.worker and host.cable and host.boots == boots):
            self._signs.append(Sign(job.id, "silent"))
        elif host.jobs[job.id].state == "running":
            self._world.after(1.0, lambda: self._watch(host, job, boots))
        else:
            self._signs.append(self._sign(host, job.id))

    def look(self, host: str, job_id: str) -> None:
        there = self._world.hosts[host]

        def arrive() -> None:
            answers = there.powered and there.cable
            self._signs.append(self._sign(there, job_id) if answers else Sign(job_id, "silent"))

        self._world.after(self._world.random.choice(LATENCIES_S[:4]), arrive)

    def _sign(self, host: SimHost, job_id: str) -> Sign:
        kept = host.jobs.get(job_id)
        if kept is None:
            return Sign(job_id, "absent")
        if kept.state == "ended":
            return Sign(job_id, "ended", ending_of(kept))
        return Sign(job_id, kept.state, code="reboot" if kept.state == "dead" else "")

    def sign(self, limit_s: float) -> Sign | None:
        until_s = self._world.now_s + limit_s
        while not self._signs and self._world.move(until_s):
            pass
        return self._signs.pop(0) if self._signs else None

    def heard_s(self, _host: str) -> float:
        return 0.0

    def why_missing(self, _host: str) -> str:
        return "its worker is gone"


class SimFollower:
    """Collects at once where the host answers, and counts."""

    def __init__(self, world: World, book: Book, collected: dict[str, int]) -> None:
        self._world, self._book, self._collected = world, book, collected
        self.told: list[tuple[str, str]] = []

    def before(self, job: Job) -> None:
        """Nothing accompanies a job here."""

    after = before

    def collect(self, job: Job) -> None:
        from bench.lab.errors import HostError

        host = self._world.hosts[job.host]
        if not (host.powered and host.cable):
            raise HostError(job.host, "unreachable")
        self._collected[job.id] = self._collected.get(job.id, 0) + 1
        reason = ending_of(host.jobs[job.id]).reason
        results = [] if reason else [f"result-{job.id}"]
        self._book.append("collected", job=job.id, host=job.host, code=reason, results=results)

    def tell(self, job: Job, word: str, _reason: str) -> None:
        self.told.append((job.id, word))


class MortalBook(Book):
    """A book whose controller is killed before, at or after one of its lines."""

    lines_left = 10**9
    moment = "after"  # before, torn or after

    def append(self, kind, **parts):
        self.lines_left -= 1
        if self.lines_left:
            return super().append(kind, **parts)
        if self.moment == "after":
            super().append(kind, **parts)
        elif self.moment == "torn":
            with self.ledger.path.open("ab") as file:
                file.write(b'{"utc":"2026-')
        raise Killed


def ending_of(kept: KeptJob) -> Ending:
    """Return the ending that a keeper writes; a job that its host stopped at its deadline was not measured."""
    stamps = [Stamp(utc_s=at_s, monotonic_s=at_s, boot_id="boot") for at_s in (kept.start_s, kept.end_s)]
    late = kept.end_s - kept.start_s >= kept.job.deadline_s
    return Ending(job=kept.job.id, host=kept.job.host, host_id="0123abcd", perwatt_version="1", started=stamps[0],
                  ended=stamps[1], exit_status=None if late else 0, reason="deadline" if late else "")  # fmt: skip


def job(run_id: str, host: str, domains: Iterable[str], name: str, deadline_s: float = 100.0) -> Job:
    """Return a first attempt at measuring something on a host."""
    return Job.of(
        JobParts(run_id=run_id, host=host, host_id="0123abcd", device="cpu", workload=name, argv=(name,), plan="quick",
                 domains=(f"host:{host}", *domains), perwatt_version="1", deadline_s=deadline_s)
    )  # fmt: skip


def plan(run_id: str, jobs: list[Job], created_s: float = 1.8e9) -> LabPlan:
    """Return the plan of a run."""
    return LabPlan(run_id=run_id, lab="lab", created_utc=created_s, perwatt_version="1", jobs=tuple(jobs))


def overlapping(stamps: list[KeptJob]) -> list[tuple[str, str]]:
    """Return the pairs of jobs that ran at once in one domain, by their stamps."""
    return [
        (first.job.id, second.job.id)
        for first, second in itertools.combinations(sorted(stamps, key=lambda kept: kept.start_s), 2)
        if not set(first.job.domains).isdisjoint(second.job.domains)
        and second.start_s < (first.end_s if first.end_s is not None else float("inf"))
    ]
