"""The shared meters of a lab run: their logs run before a measurement starts and after it has ended.

Each look at the clocks is a line of the ledger, so that a controller which is killed in between loses nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bench.lab.check.hosts import look_at_clock
from bench.lab.errors import HostError
from bench.lab.inventory.lab import CrossMeter, Host, Lab
from bench.lab.look.messages import Load
from bench.lab.messages import Hello
from bench.lab.meters.evidence import AFTER, BEFORE, Side, log_title, logs_around
from bench.lab.reach.protocol import Channel, Reach
from bench.results.labs.book import Book
from bench.results.labs.plan import Job, JobParts
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate

MARGIN_S = 600.0  # [s] for which a log goes on after the deadline of its measurement, if nobody stops it
ASK_LIMIT_S = 15.0  # [s] of one answer
START_LIMIT_S = 70.0  # [s] of the start of a log
BUSY_LIMIT_S, POLL_S = 20.0, 0.5  # [s] for which the log of the job before may still be about to end


class SharedMeters:
    """The meters that one host reads for others, around each measurement behind them.

    Parameters
    ----------
    lab
        The lab.
    book
        The run.
    way_to
        Gives the way to a host.
    """

    def __init__(self, lab: Lab, book: Book, way_to: Callable[[Lab, Host], Reach]) -> None:
        self._lab, self._book, self._way_to = lab, book, way_to

    def before(self, job: Job) -> None:
        """Start the logs of the meters that cover a job, and look at the clocks; a fault is a line of the ledger."""
        meters = list(covering(self._lab, job))
        if not meters:
            return
        earlier = Counter(log.device for log in self._book.jobs().values() if log.workload == log_title(job.id))
        for meter in meters:
            with self._noting(job, meter), self._reach(job.host).open() as measuring:
                with self._reach(meter.read_by).open() as reading:
                    log = self._start(job, meter, reading, earlier[f"meter:{meter.name}"] + 1)
                    side = Side(measuring=look_at_clock(measuring), reading=look_at_clock(reading))
                self._note(job, meter, log, BEFORE, side)

    def after(self, job: Job) -> None:
        """Look at the clocks once more and end the logs, after a job has ended or is lost."""
        if not any(covering(self._lab, job)):
            return
        for log in logs_around(self._book.jobs(), job.id):
            meter = self._lab.meters[log.device.removeprefix("meter:")]
            with self._noting(job, meter), self._reach(meter.read_by).open() as reading:
                with self._noting(job, meter), self._reach(job.host).open() as measuring:
                    side = Side(measuring=look_at_clock(measuring), reading=look_at_clock(reading))
                    self._note(job, meter, log, AFTER, side)
                reading.ask("stop", {"job": log.id}, limit_s=ASK_LIMIT_S)

    @contextmanager
    def _noting(self, job: Job, meter: CrossMeter) -> Iterator[None]:
        """Write the fault of a host to the ledger: it costs the joules of one job and ends nothing."""
        try:
            yield
        except HostError as error:
            self._book.append(
                "note", job=job.id, host=error.host, code=error.code, detail=error.detail, meter=meter.name
            )
        except InputError as fault:
            self._book.append("note", job=job.id, code="wrong_answer", detail=fault.faults[0], meter=meter.name)

    def _start(self, job: Job, meter: CrossMeter, reading: Channel, attempt: int) -> Job:
        hello = validate(Hello, reading.ask("hello", limit_s=ASK_LIMIT_S), f"answer of {meter.read_by}")
        log = log_job(job, meter, hello.host_id, attempt)
        self._book.add(log)
        _begin(reading, log)
        return log

    def _note(self, job: Job, meter: CrossMeter, log: Job, when: str, side: Side) -> None:
        """Write the clocks of both hosts, and the load of the other machines behind the meter, to the ledger."""
        others = [name for name in meter.covers if name != measured_name(job)]
        with ThreadPoolExecutor(max(1, len(others))) as pool:
            loads = dict(zip(others, pool.map(self._load, others), strict=True))
        self._book.append(
            "clock", job=job.id, host=job.host, when=when, meter=meter.name, log=log.id,
            **side.model_dump(mode="json"), others=loads,
        )  # fmt: skip

    def _load(self, name: str) -> dict[str, Any] | str:
        """Return the load of another machine behind a meter, or why it is not known."""
        if name not in self._lab.hosts:
            return "a miner, whose work nobody stops"
        try:
            answer = self._reach(name).ask("load", limit_s=ASK_LIMIT_S)
            return validate(Load, answer, f"answer of {name}").model_dump(mode="json")
        except HostError as error:
            return f"{error.code}: {error.detail}"
        except InputError as fault:
            return str(fault)

    def _reach(self, name: str) -> Reach:
        return self._way_to(self._lab, self._lab.hosts[name])


def _begin(reading: Channel, log: Job) -> None:
    """Start a log; the one before, of the same meter, may need a moment to end."""
    until_s = time.monotonic() + BUSY_LIMIT_S
    while True:
        try:
            reading.ask("start", {"job": log.model_dump(mode="json")}, limit_s=START_LIMIT_S)
        except HostError as error:
            if error.code != "busy" or time.monotonic() > until_s:
                raise
            time.sleep(POLL_S)
        else:
            return


def measured_name(job: Job) -> str:
    """Return the name under which lab.toml lists what a job measures: the miner, else the host."""
    return job.device.removeprefix("asic:") if job.device.startswith("asic:") else job.host


def covering(lab: Lab, job: Job) -> Iterator[CrossMeter]:
    """Yield the shared meters behind which a job measures."""
    yield from (meter for meter in lab.meters.values() if measured_name(job) in meter.covers)


def log_job(job: Job, meter: CrossMeter, host_id: str, attempt: int) -> Job:
    """Return the job that logs a meter around another job."""
    parts = JobParts(
        run_id=job.run_id,
        host=meter.read_by,
        host_id=host_id,
        device=f"meter:{meter.name}",
        workload=log_title(job.id),
        argv=(meter.spec,),
        plan=job.plan,
        domains=(),
        perwatt_version=job.perwatt_version,
        attempt=attempt,
        deadline_s=job.deadline_s + MARGIN_S,
    )
    return Job.of(parts)
