"""The joining of a run's records with the logs of the shared meters, after both were collected."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.lab.clocks.alignment import Alignment, ClockRefusedError, align
from bench.lab.host.layout import METER_FILE
from bench.lab.inventory.lab import CrossMeter, Lab
from bench.lab.meters.description import boundary_of, codes_of, meter_name, scope_of
from bench.lab.meters.evidence import Evidence, evidence_of, logs_around
from bench.lab.meters.session import measured_name
from bench.measure.joining.attach import info_of, span_of
from bench.measure.joining.recorded import RecordedLog, read_recorded
from bench.measure.joining.remote import attach_remote
from bench.meters.kinds.remote_log import RemoteLog
from bench.meters.kinds.trace_samples import RunClock
from bench.results.folder import read_whole
from bench.results.labs.book import Book
from bench.results.labs.coverage import JobStatus, job_statuses
from bench.results.labs.ledger import Event
from bench.results.labs.plan import Job
from bench.results.record import Record
from hardware_profiles.errors import InputError


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of one record and one shared meter."""

    job: Job
    meter: str
    result: str  # id of the record that was joined
    record: Record | None = None  # the new one, with joules or with the reasons why not; None if the log is missing
    code: str = ""  # why there is none
    detail: str = ""


def join_all(book: Book, lab: Lab, argv: Sequence[str]) -> list[Joined]:
    """Join every collected record of a run with the logs of the meters that cover it, and return what happened.

    What is joined already is left alone. A log that is not here yet may come with a later collection.

    Parameters
    ----------
    book
        The run.
    lab
        The lab, as it was when the run began.
    argv
        The command line, for the new records.

    Raises
    ------
    InputError
        The ledger is faulty.
    RunFailedError
        A record, or the ledger, cannot be written.
    """
    events = book.events()
    jobs = book.jobs(events)
    statuses = job_statuses(jobs, events)
    done = []
    for status in statuses.values():
        if status.job.is_log or not status.collected:
            continue
        newest = {result: result for result in status.results}
        for log in logs_around(jobs, status.job.id):
            meter = lab.meters[log.device.removeprefix("meter:")]
            for result in status.results:
                known = _joined_before(events, result, meter.name)
                if known is not None:
                    newest[result] = known
                    continue
                one = _join(book, _Parts(status.job, log, meter, statuses[log.id], newest[result]), jobs, events, argv)
                newest[result] = one.record.id if one.record is not None else newest[result]
                done.append(one)
                if one.record is not None:
                    book.append("note", job=status.job.id, joined=one.record.id, result=result, meter=meter.name)
    return done


@dataclass(frozen=True, slots=True)
class _Parts:
    """A record and the log that belongs to it."""

    job: Job
    log: Job
    meter: CrossMeter
    log_status: JobStatus
    result: str  # id of the newest record of the measurement


def _join(book: Book, parts: _Parts, jobs: dict[str, Job], events: list[Event], argv: Sequence[str]) -> Joined:
    job, meter = parts.job, parts.meter
    missing = Joined(job, meter.name, parts.result, code="meter_host_lost")
    if not parts.log_status.collected:
        return _replaced(missing, parts.log_status.reason or "its log is not collected")
    path = book.jobs_folder / parts.log.id / METER_FILE
    try:
        described = read_recorded(path)
        old = read_whole(book.store / parts.result)
    except InputError as fault:
        return _replaced(missing, parts.log_status.detail or fault.faults[0])
    if old.status == "failed" or not old.windows:
        return Joined(job, meter.name, parts.result, code="measurement_failed", detail="the record has no windows")
    names = {other.id for other in jobs.values() if not other.is_log and measured_name(other) in meter.covers}
    evidence = evidence_of(events, parts.log, names - {job.id})
    clock = _clock(described, evidence, span_of(old))
    codes = codes_of(meter, others_were_idle=not evidence.busy)
    log = RemoteLog(
        path,
        info_of(described.meter),
        name=meter_name(meter),
        boundary=boundary_of(meter, described.meter),
        scope=scope_of(meter, measured_name(job)),
        codes=codes if clock.refused is None else (clock.refused.code, *codes),
        detail="; ".join(filter(None, (str(clock.refused or ""), evidence.busy))),
    )
    audit = _audit(parts, clock, evidence)
    record = attach_remote(book.store / parts.result, log, clock.run, audit, store=book.store, argv=argv)
    return Joined(job, meter.name, parts.result, record)


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the clock of a log lies to that of a run."""

    run: RunClock
    alignment: Alignment | None = None  # None if it was refused
    refused: ClockRefusedError | None = None


def _clock(described: RecordedLog, evidence: Evidence, span: tuple[float, float]) -> _Clock:
    try:
        alignment = _aligned(described, evidence, span)
    except ClockRefusedError as refused:
        return _Clock(RunClock(described.shift_s, *span), refused=refused)
    shift_s = described.shift_s + alignment.shift_s
    return _Clock(RunClock(shift_s, *span, alignment.bound_s, alignment.rate_frac), alignment)


def _aligned(described: RecordedLog, evidence: Evidence, span: tuple[float, float]) -> Alignment:
    """Return the alignment of the two hosts' clocks over the span of a run.

    Raises
    ------
    ClockRefusedError
        There is none.
    """
    if evidence.before is None or evidence.after is None:
        when = "before" if evidence.before is None else "after"
        raise ClockRefusedError("clock_uncertain", f"the clocks were not looked at {when} the run")
    if described.boot_id != evidence.before.reading.boot_id:
        raise ClockRefusedError("clock_drifted", "the reading host was booted between its log and the look at it")
    return align(evidence.before.look, evidence.after.look, *span)


def _audit(parts: _Parts, clock: _Clock, evidence: Evidence) -> dict[str, object]:
    """Return what the record says of a shared meter: who read it, how well the clocks are known, who else is behind."""
    return {
        "meter": parts.meter.name,
        "read_by": parts.meter.read_by,
        "covers": list(parts.meter.covers),
        "log_job": parts.log.id,
        "clocks": None if clock.alignment is None else clock.alignment.model_dump(),
        "not_idle": evidence.busy or None,
    }


def _joined_before(events: Sequence[Event], result: str, meter: str) -> str | None:
    """Return the record that a result was joined to by a meter, or None."""
    return next(
        (str(event.data["joined"]) for event in events
         if event.kind == "note" and event.data.get("result") == result and event.data.get("meter") == meter
         and "joined" in event.data),
        None,
    )  # fmt: skip


def _replaced(joined: Joined, detail: str) -> Joined:
    return Joined(joined.job, joined.meter, joined.result, None, joined.code, detail)
