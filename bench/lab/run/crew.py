"""The hosts of a run over Dask: a task pinned to each host starts its job and watches it."""

import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from bench.lab.errors import HostError
from bench.lab.inventory.lab import Host
from bench.lab.messages import JobSeen, States
from bench.lab.reach.dask import DaskReach, pinned
from bench.lab.reach.protocol import Reach
from bench.lab.run.on_host import measure
from bench.lab.run.signs import SchedulerLostError, Sign
from bench.lab.run.workers import Workers
from bench.results.labs.plan import Job

WORKERS_S = 2.0  # [s] for which the list of workers is taken as known
LOST_S = 15.0  # [s] without an answer after which the scheduler counts as lost
LOOK_LIMIT_S = 20.0
LOOKS_AT_ONCE = 16


class Crew:
    """The hosts of a run, with a Dask worker each; see `Hosts`.

    Parameters
    ----------
    workers
        The Dask workers.
    hosts
        The hosts of the run by name.
    reach_of
        The way to a host without Dask, for jobs whose worker has died.
    barred, queue_s
        See `Hosts`.
    """

    def __init__(
        self,
        workers: Workers,
        hosts: Mapping[str, Host],
        reach_of: Callable[[Host], Reach],
        barred: Mapping[str, tuple[str, str]],
        queue_s: float,
    ) -> None:
        self.barred, self.queue_s = barred, queue_s
        self._workers, self._hosts, self._reach_of = workers, hosts, reach_of
        self._signs: queue.Queue[Sign] = queue.Queue()
        self._watches: dict[str, Any] = {}  # job id -> future: Dask forgets a task whose future is dropped
        self._addresses: dict[str, str] = {}
        self._asked_s, self._answered_s = -WORKERS_S, time.monotonic()
        self._pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")

    def answering(self) -> set[str]:
        """Return the names of the hosts with a worker; see `Hosts.answering`."""
        now_s = time.monotonic()
        if now_s - self._asked_s >= WORKERS_S:
            self._asked_s = now_s
            try:
                self._addresses = self._workers.addresses()
                self._answered_s = time.monotonic()
            except OSError:
                self._addresses = {}
                if time.monotonic() - self._answered_s > LOST_S:
                    raise SchedulerLostError from None
        return self._addresses.keys() - self.barred.keys()

    def begin(self, job: Job, start_by_s: float) -> None:
        """Submit the task that starts and watches a job; see `Hosts.begin`."""
        address = self._addresses.get(job.host)
        if address is None:
            self._signs.put(Sign(job.id, "silent"))
            return
        folder = self._hosts[job.host].folder
        try:
            future = self._workers.client.submit(
                measure, folder, job.model_dump(mode="json"), start_by_s, key=f"{job.id}-{time.time_ns()}",
                **pinned(address),
            )  # fmt: skip
        except Exception:  # noqa: BLE001 - Dask raises any kind of error for a lost connection
            self._signs.put(Sign(job.id, "silent"))
            return
        self._watches[job.id] = future
        future.add_done_callback(lambda done: self._signs.put(_outcome(job.id, done, start_by_s)))

    def look(self, host: str, job_id: str) -> None:
        """Ask a host for a job, over its worker or without Dask; see `Hosts.look`."""
        self._pool.submit(lambda: self._signs.put(self._look(host, job_id)))

    def _look(self, host: str, job_id: str) -> Sign:
        for reach in self._ways(host):
            with suppress(HostError, ValidationError):
                answer = reach.ask("state", {"jobs": [job_id]}, limit_s=LOOK_LIMIT_S)
                seen = States.model_validate(answer).jobs
                return Sign(job_id, "absent") if not seen else sign_of(job_id, seen[0])
        return Sign(job_id, "silent")

    def _ways(self, host: str) -> list[Reach]:
        if host not in self._hosts:  # of another run, by another lab file
            return []
        ways: list[Reach] = []
        if address := self._addresses.get(host):
            ways.append(DaskReach(host, self._hosts[host].folder, self._workers.client, address))
        return [*ways, self._reach_of(self._hosts[host])]

    def way(self, host: str) -> Reach:
        """Return the way to a host: over its worker, where there is one."""
        return self._ways(host)[0]

    def has_ended(self, host: str, job_id: str) -> bool:
        """Return whether a host says that it has a job, and that the job does not run any more."""
        return self._look(host, job_id).kind in {"ended", "dead"}

    def sign(self, limit_s: float) -> Sign | None:
        """Return the next sign, or None; see `Hosts.sign`."""
        try:
            sign = self._signs.get(timeout=limit_s) if limit_s else self._signs.get_nowait()
        except queue.Empty:
            return None
        if sign.kind != "running":
            self._watches.pop(sign.job_id, None)
        return sign

    def heard_s(self, host: str) -> float:
        """Return when a host gave its last sign of life; see `Hosts.heard_s`."""
        return self._workers.heard_s(host)

    def why_missing(self, host: str) -> str:
        """Return why a host has no worker; see `Hosts.why_missing`."""
        return self._workers.missing.get(host, "its Dask worker has left the scheduler")

    def close(self) -> None:
        """Stop asking; what runs on the hosts goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def sign_of(job_id: str, seen: JobSeen) -> Sign:
    """Return what a host says of a job as a sign."""
    return Sign(job_id, seen.state, seen.ending, seen.code, seen.detail)


def _outcome(job_id: str, done: Any, start_by_s: float) -> Sign:
    """Return the sign of a watch that is over; its worker may have died, or the scheduler."""
    try:
        said = done.result() if done.status == "finished" else None
    except Exception:  # noqa: BLE001 - Dask raises any kind of error
        said = None
    if said is None:
        return Sign(job_id, "silent")
    if "refused" in said:
        return Sign(job_id, "refused", None, str(said["refused"]), str(said.get("detail", "")), start_by_s)
    if said["state"] == "absent":
        return Sign(job_id, "absent")
    return sign_of(job_id, JobSeen.model_validate(said))
