"""Workloads, measured: verify, idle, load, windows in turn, verify again, summarise, store. Prints nothing."""

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__
from bench.diagnostics import invalidates
from bench.machine import environment
from bench.machine.locks import Held, device_domain, hold
from bench.measure.audit import Audit, CpuAudit
from bench.measure.metering import IdleSpan, Metered, read_all
from bench.measure.plan import Plan, Schedule, schedule
from bench.measure.summary import assumed_power, bound_metrics, energy_codes, metrics, steadiness, warnings
from bench.measure.windows import BadWorkError, Progress, Stage, WindowTaker
from bench.meters.protocol import Meter, MeterKind
from bench.results.folder import new_id, write_record
from bench.results.record import Device, Reason, Record, RunInfo, WorkloadInfo
from bench.results.token_tags import check_workload, token_tag_words
from bench.workloads.protocol import Check, VerificationError, Workload

__all__ = ["Job", "Progress", "Stage", "measure", "measure_together"]


@dataclass(frozen=True, slots=True)
class Job:
    """What the records of one command share."""

    run_id: str
    argv: tuple[str, ...]
    plan: Plan
    store: Path
    system: dict[str, object]
    commit: tuple[str | None, bool | None]

    @classmethod
    def start(cls, plan: Plan, store: Path, argv: Sequence[str]) -> "Job":
        """Capture the system once for all workloads of a command."""
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{random.getrandbits(24):06x}"
        return cls(run_id, tuple(argv), plan, store, environment.capture(), environment.commit())


@dataclass(slots=True)
class _Entrant:
    """One workload on its way through a run."""

    workload: Workload
    taker: WindowTaker
    audit: Audit
    started: datetime
    checks: list[Check] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    closed: bool = False
    audited: tuple[dict[str, object], list[Reason]] = field(default_factory=lambda: ({}, []))

    def close(self) -> None:
        """Close the workload, once; a device that is lost cannot be closed, and must not cost the record."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(Exception):
                self.workload.close()

    def parameters(self) -> dict[str, object]:
        """Return the workload's parameters; of one whose device is lost, why it gives none."""
        try:
            return dict(self.workload.parameters())
        except Exception as error:  # noqa: BLE001 (as above)
            return {"not_given": f"{type(error).__name__}: {error}"}

    @property
    def stands(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return not self.reasons

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn whatever the workload raises into a reason: it is a failed record, not a lost one."""
        try:
            yield
        except VerificationError as error:
            self.reasons.append(Reason(code="wrong_answer", detail=str(error)))
        except BadWorkError as error:
            self.reasons.append(Reason(code=error.code, detail=str(error)))
        except Exception as error:  # noqa: BLE001 (see above)
            self.reasons.append(Reason(code="run_failed", detail=f"{type(error).__name__}: {error}"))


def measure(
    workload: Workload,
    job: Job,
    meters: Sequence[Meter] = (),
    *,
    device: Device,
    on_progress: Progress = lambda *_: None,
) -> Record:
    """Measure one workload, write its record and return it; the workload is closed in any case.

    A workload that raises or answers wrongly gives a record with status `failed` and no figures; a run that its
    plan does not let stand gives one with status `invalid`. The record is written before this returns.

    Raises
    ------
    RunFailedError
        The record could not be written.
    """
    return measure_together([workload], job, meters, device=device, on_progress=on_progress)[0]


def measure_together(
    workloads: Sequence[Workload],
    job: Job,
    meters: Sequence[Meter] = (),
    *,
    device: Device,
    on_progress: Progress = lambda *_: None,
) -> list[Record]:
    """Measure workloads with their windows in turn, A B A B, so that drift falls on all alike; one record each.

    Raises
    ------
    RunFailedError
        A record could not be written.
    """
    times = schedule(job.plan, [meter.info for meter in meters])
    domains = [domain for meter in meters for domain in meter.info.domains]
    entrants = [_entrant(workload, device, on_progress) for workload in workloads]
    try:
        with hold([*domains, device_domain(device.kind)]) as held:
            busy = [domain for domain in domains if domain in held.busy]
            if busy:
                for entrant in entrants:
                    entrant.reasons.append(Reason(code="domain_busy", detail=", ".join(busy)))
            idle = _run(entrants, times, meters, on_progress) if not busy else []
            metered = [read_all(meters, one.taker.taken, idle, one.workload.unit) for one in entrants]
            on_progress("write", 0.0)
            records = []
            for entrant, reading in zip(entrants, metered, strict=True):
                record = _record(entrant, reading, job, times, meters, device, held)
                entrant.close()
                write_record(job.store, record, reading.samples)
                records.append(record)
            return records
    finally:
        for entrant in entrants:
            entrant.close()


def _entrant(workload: Workload, device: Device, on_progress: Progress) -> _Entrant:
    audit: Audit
    if device.kind == "gpu":
        from bench.measure.audit_gpu import GpuAudit

        audit = GpuAudit(int(device.settings.get("index") or 0))
    else:
        audit = CpuAudit()
    return _Entrant(workload, WindowTaker(workload, on_progress), audit, datetime.now(UTC))


def _run(
    entrants: Sequence[_Entrant], times: Schedule, meters: Sequence[Meter], on_progress: Progress
) -> list[IdleSpan]:
    idle: list[IdleSpan] = []
    for entrant in entrants:
        with entrant.guarded():
            on_progress("prepare", 0.0)
            entrant.workload.prepare()
            if entrant.workload.unit == "token":
                check_workload(entrant.workload.name, entrant.workload.parameters())
            on_progress("verify", 0.0)
            entrant.checks += entrant.workload.verify()
    if times.idle_before_s and any(entrant.stands for entrant in entrants):
        idle.append(_idle("before", times.idle_before_s, times.tail_s, meters, on_progress))
    for entrant in entrants:
        if entrant.stands:
            with entrant.guarded():
                entrant.taker.calibrate()
    _take_windows(entrants, times, meters)
    if times.idle_after_s and any(entrant.stands for entrant in entrants):
        idle.append(_idle("after", times.idle_after_s, times.lead_s, meters, on_progress))
    for entrant in entrants:
        if entrant.stands:
            with entrant.guarded():
                on_progress("check", 0.0)
                entrant.checks += entrant.workload.check_output()
    on_progress("meters", 0.0)
    return idle


def _take_windows(entrants: Sequence[_Entrant], times: Schedule, meters: Sequence[Meter]) -> None:
    """Take the windows round by round; a workload alone keeps its load on between them."""
    together = len(entrants) > 1
    for entrant in entrants:
        entrant.audit.start()
    for round_ in range(times.windows):
        for entrant in entrants:
            if not entrant.stands:
                continue
            with entrant.guarded():
                if together or round_ == 0:
                    entrant.taker.load(max(times.lead_s, 0.1))
                entrant.taker.take(times.window_s, times.windows, meters)
                entrant.audit.window(*entrant.taker.taken.spans[-1])
                if times.tail_s and (together or round_ == times.windows - 1):
                    entrant.taker.load(times.tail_s)
    for entrant in entrants:
        entrant.audited = entrant.audit.finish()


def _idle(when: str, seconds: float, settle_s: float, meters: Sequence[Meter], on_progress: Progress) -> IdleSpan:
    """Let the device rest until its averages have, then for `seconds` more."""
    on_progress("idle", 0.0)
    time.sleep(settle_s)
    for meter in meters:
        meter.mark()
    start = time.monotonic()
    end = start + seconds
    while (now := time.monotonic()) < end:
        time.sleep(min(0.2, end - now))
        on_progress("idle", min(1.0, (time.monotonic() - start) / seconds))
    span = IdleSpan("after" if when == "after" else "before", start, time.monotonic())
    for meter in meters:
        meter.mark()
    return span


def _record(  # noqa: PLR0913, PLR0917 (the parts of one record)
    entrant: _Entrant,
    reading: Metered,
    job: Job,
    times: Schedule,
    meters: Sequence[Meter],
    device: Device,
    held: Held,
) -> Record:
    taken, workload, plan = entrant.taker.taken, entrant.workload, job.plan
    overhead_frac = taken.overhead_frac
    infos = [meter.info for meter in meters]
    u_work = float(getattr(workload, "u_work_frac", 0.0))
    audited, found = entrant.audited
    failed = bool(entrant.reasons) and entrant.reasons[0].code != "domain_busy"
    figures = {} if entrant.reasons else metrics(workload.unit, reading.windows, infos, u_work)
    steady = steadiness(taken.calls, reading.windows) if not entrant.reasons else None
    notes: list[Reason] = []
    if not entrant.reasons:
        notes = [*warnings(plan, figures, reading, infos, overhead_frac, steady), *found]
        notes += energy_codes(reading, infos, figures)
        if held.asked_for_by_others() or device_domain(device.kind) in held.busy:
            notes.append(Reason(code="another_run"))
        if len(reading.windows) < times.windows:
            notes.append(Reason(code="window_missing", detail=f"{len(reading.windows)} of {times.windows}"))
    assumed = assumed_power(meters)
    against = [*entrant.reasons, *(note for note in notes if invalidates([note.code], plan.name))]
    info = WorkloadInfo.model_validate(
        {
            "name": workload.name,
            "version": workload.version,
            "unit": workload.unit,
            "variant": workload.variant,
            "parameters": entrant.parameters(),
            "verification": tuple(f"{check.name}: {check.detail}" for check in entrant.checks),
        }
    )
    return Record(
        id=new_id(workload.name, entrant.started),
        status="failed" if failed else "invalid" if against else "ok",
        reasons=tuple(against),
        warnings=tuple(note for note in notes if note not in against),
        run=RunInfo(
            run_id=job.run_id,
            plan=plan.name,
            argv=job.argv,
            started_utc=entrant.started,
            ended_utc=datetime.now(UTC),
            perwatt_version=__version__,
            commit=job.commit[0],
            commit_dirty=job.commit[1],
            harness_overhead_frac=overhead_frac,
            window_s=times.window_s,
            window_why=times.why,
            lead_s=times.lead_s,
            tail_s=times.tail_s,
        ),
        system=job.system,
        device=device,
        workload=info,
        meters=tuple(one.name for one in infos if one.kind is not MeterKind.DECLARED),
        meters_used=reading.used,
        meters_gaps=() if against else reading.gaps,
        steadiness=steady,
        audit={**audited, **reading.idle_spans()},
        assumed_power_w=assumed,
        idle=reading.idle,
        windows=reading.without_joules if against else reading.windows,
        metrics={} if against else {**figures, **bound_metrics(workload, figures.get("rate"))},
        token_tags=token_tag_words(info, {} if against else figures, assumed),
    )
