"""The logs of the shared meters of a run, brought here after the measurements that they belong to."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.lab.collect.hosts import collect_host
from bench.lab.inventory.lab import Host, Lab
from bench.lab.meters.evidence import AFTER, logs_around
from bench.lab.meters.session import SharedMeters
from bench.lab.reach.protocol import Reach
from bench.results.labs.book import Book
from bench.results.labs.coverage import job_statuses

if TYPE_CHECKING:
    from bench.results.labs.plan import Job

SEAL_LIMIT_S = 20.0  # [s] that a log may take to end and to be sealed
POLL_S = 0.5


def collect_logs(book: Book, lab: Lab, way_to: Callable[[Lab, Host], Reach]) -> None:
    """End the logs of jobs that have ended, and collect them; what a host refuses is a line of the ledger.

    A controller that was killed has not ended its logs. The clocks are then looked at now: the later, the less is known
    of them during the run.

    Parameters
    ----------
    book
        The run.
    lab
        The lab.
    way_to
        Gives the way to a host.

    Raises
    ------
    InputError
        The ledger is faulty.
    RunFailedError
        The ledger cannot be written.
    """
    events = book.events()
    jobs = book.jobs(events)
    statuses = job_statuses(jobs, events)
    stopped = {event.data.get("log") for event in events if event.kind == "clock" and event.data.get("when") == AFTER}
    missing: dict[str, list[Job]] = {}
    for status in statuses.values():
        if status.job.is_log or not status.collected:
            continue
        logs = [log for log in logs_around(jobs, status.job.id) if not statuses[log.id].collected]
        if any(log.id not in stopped for log in logs):
            SharedMeters(lab, book, way_to).after(status.job)
        for log in logs:
            missing.setdefault(log.host, []).append(log)
    for host, logs in missing.items():
        if host in lab.hosts:
            _collect(book, way_to(lab, lab.hosts[host]), {log.id for log in logs})


def _collect(book: Book, reach: Reach, ids: set[str]) -> None:
    """Collect the logs of one host; those that are just ended need a moment."""
    until_s = time.monotonic() + SEAL_LIMIT_S
    while collect_host(book, reach, ids).running and time.monotonic() < until_s:
        time.sleep(POLL_S)
