"""The runner: it verifies workloads, measures idle power, takes windows in turn, verifies again and stores records."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__
from bench.credentials import scrub_arguments
from bench.errors import RunFailedError
from bench.machine import environment
from bench.machine.identity import host_info
from bench.machine.locks import Held, device_domain, hold
from bench.machine.variables import superseded
from bench.measure.counted import counted_metrics, without_idle, without_rate
from bench.measure.energy import IdleSpan, Metered, check_covered, covering, read_all
from bench.measure.entrant import REMOTE, Entrant, enter
from bench.measure.plans import Plan, Schedule, schedule
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import (
    assumed_power,
    bound_metrics,
    coverage_codes,
    duration_codes,
    energy_codes,
    metrics,
    other_metrics,
    steadiness,
    warnings,
)
from bench.measure.windows import Progress, Stage
from bench.meters.protocol import Meter
from bench.results.record import Device, Metric, Reason, Record, RunInfo, Steadiness, WorkloadInfo
from bench.results.token_tags import check_workload
from bench.results.writing import new_id, write_record
from bench.workloads.protocol import CountedWork, Evidence, OtherWork, UncertainWork, WithEvidence, Workload

__all__ = ["Job", "Progress", "Stage", "measure", "measure_together"]


@dataclass(frozen=True, slots=True)
class Job:
    """The data that all records of one command share."""

    run_id: str
    argv: tuple[str, ...]
    plan: Plan
    store: Path
    system: dict[str, object]  # the machine, captured once
    commit: tuple[str | None, bool | None]  # git commit of the code, and whether files differ from it

    @classmethod
    def start(cls, plan: Plan, store: Path, argv: Sequence[str]) -> "Job":
        """Return a new job, for which the system is captured once."""
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{random.getrandbits(24):06x}"
        return cls(run_id, scrub_arguments(argv), plan, store, environment.capture(), environment.commit())


def measure(
    workload: Workload,
    job: Job,
    meters: Sequence[Meter] = (),
    *,
    device: Device,
    on_progress: Progress = lambda *_: None,
) -> Record:
    """Measure one workload, write its record and return it; the workload is always closed.

    A workload that raises or gives a wrong answer has a record with status `failed` and no figures; a run that breaks a
    rule of its plan has one with status `invalid`. The record is written before this function returns.

    Raises
    ------
    InputError
        All meters read other devices.
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
    """Measure workloads with alternating windows, A B A B, so that drift affects all alike; one record each.

    Raises
    ------
    InputError
        All meters read other devices.
    RunFailedError
        A record could not be written.
    """
    times = schedule(job.plan, [meter.info for meter in meters])
    domains = [domain for meter in meters for domain in meter.info.domains]
    entrants = [enter(workload, device, on_progress) for workload in workloads]
    try:
        check_covered([meter.info for meter in meters], device)
        with hold([*domains, _domain(device)]) as held:
            busy = [domain for domain in domains if domain in held.busy]
            if busy:
                for entrant in entrants:
                    entrant.reasons.append(Reason(code="domain_busy", detail=", ".join(busy)))
            idle = _run(entrants, times, meters, on_progress) if not busy else []
            energies = [read_all(meters, entrant.taker.timed, idle, entrant.workload.unit) for entrant in entrants]
            on_progress("write", 0.0)
            records = []
            unwritten = []
            for entrant, metered in zip(entrants, energies, strict=True):
                record = _record(entrant, metered, job, times, meters, device, held)
                entrant.close()
                try:
                    write_record(job.store, record, metered.samples)
                except RunFailedError as error:  # the others have been measured too
                    unwritten.append(str(error))
                records.append(record)
            if unwritten:
                raise RunFailedError("; ".join(unwritten))
            return records
    finally:
        for entrant in entrants:
            entrant.close()


def _run(
    entrants: Sequence[Entrant], times: Schedule, meters: Sequence[Meter], on_progress: Progress
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
    if times.idle_before_s and any(entrant.sound for entrant in entrants):
        idle.append(_idle("before", times.idle_before_s, times.tail_s, meters, on_progress))
    for entrant in entrants:
        entrant.start_load(on_progress)
    _take_windows(entrants, times, meters)
    for entrant in entrants:
        entrant.end_load()
    if times.idle_after_s and any(entrant.sound for entrant in entrants):
        idle.append(_idle("after", times.idle_after_s, times.lead_s, meters, on_progress))
    for entrant in entrants:
        if entrant.sound:
            with entrant.guarded():
                on_progress("check", 0.0)
                entrant.checks += entrant.workload.check_output()
    on_progress("meters", 0.0)
    return idle


def _take_windows(entrants: Sequence[Entrant], times: Schedule, meters: Sequence[Meter]) -> None:
    """Take the windows in rounds; a single workload keeps its load on between them."""
    together = len(entrants) > 1
    for entrant in entrants:
        entrant.audit.start()
    for round_ in range(times.windows):
        for entrant in entrants:
            if not entrant.sound:
                continue
            with entrant.guarded():
                if together or round_ == 0:
                    entrant.taker.load(max(times.lead_s, 0.1))
                entrant.taker.take(times.window_s, times.windows, meters)
                entrant.audit.window(*entrant.taker.timed.spans[-1])
                if times.tail_s and (together or round_ == times.windows - 1):
                    entrant.taker.load(times.tail_s)
    for entrant in entrants:
        entrant.audited = entrant.audit.finish()


def _idle(when: str, seconds: float, settle_s: float, meters: Sequence[Meter], on_progress: Progress) -> IdleSpan:
    """Let the device idle until the meters' averages have settled, then measure for `seconds`."""
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
    entrant: Entrant,
    metered: Metered,
    job: Job,
    times: Schedule,
    meters: Sequence[Meter],
    device: Device,
    held: Held,
) -> Record:
    timed, workload, faults = entrant.taker.timed, entrant.workload, entrant.reasons
    infos = [meter.info for meter in meters]
    audit, audit_reasons = entrant.audited
    figures: dict[str, Metric] = {}
    steady: Steadiness | None = None
    notes: list[Reason] = []
    evidence = Evidence()
    own = covering(infos, device)
    if not faults and isinstance(workload, WithEvidence):
        with entrant.guarded():  # an error of the judgement must not cost the record
            evidence = workload.evidence(timed.spans)
    if not faults:
        steady = steadiness(timed.calls, metered.windows, own)
        if isinstance(workload, CountedWork):
            figures = counted_metrics(workload.unit, metered.windows, own, workload.work_interval(timed.spans))
            steady = without_rate(steady)
        else:
            u_work_frac = workload.u_work_frac if isinstance(workload, UncertainWork) else 0.0
            figures = metrics(workload.unit, metered.windows, own, u_work_frac)
        if isinstance(workload, OtherWork):
            figures |= other_metrics(workload.other_work(timed.spans), metered.windows, own)
        notes = [*warnings(job.plan, figures, metered, infos, timed.overhead_frac, steady), *audit_reasons]
        notes += [*duration_codes(timed), *coverage_codes(infos, own), *energy_codes(metered, own, figures)]
        notes = [*(without_idle(notes) if isinstance(workload, CountedWork) else notes), *evidence.reasons]
        if held.requested_by_others() or _domain(device) in held.busy:
            notes.append(Reason(code="another_run"))
        if held.unlocked:
            notes.append(Reason(code="not_locked", detail="; ".join(dict.fromkeys(held.unlocked.values()))))
        if len(metered.windows) < times.windows:
            notes.append(Reason(code="window_missing", detail=f"{len(metered.windows)} of {times.windows}"))
    bound, unknown = bound_metrics(workload, figures)
    return build_record(
        RecordParts(
            id=new_id(workload.name, entrant.started),
            run=_run_info(entrant, job, times),
            system=job.system,
            device=device,
            workload=_workload_info(entrant),
            metered=metered,
            figures={**figures, **bound, **evidence.metrics},
            notes=[*notes, *unknown],
            faults=faults,
            failed=bool(faults) and faults[0].code != "domain_busy",
            steadiness=steady,
            audit={**audit, **metered.audit_entry()},
            assumed_power=assumed_power(meters),
            supersedes=superseded(),
            miner=evidence.miner,
            endpoint=evidence.endpoint,
        )
    )


def _domain(device: Device) -> str:
    return device_domain(device.kind, str(device.settings.get("unit") or "") if device.kind in REMOTE else "")


def _run_info(entrant: Entrant, job: Job, times: Schedule) -> RunInfo:
    return RunInfo(
        run_id=job.run_id,
        plan=job.plan.name,
        argv=job.argv,
        started_utc=entrant.started,
        ended_utc=datetime.now(UTC),
        perwatt_version=__version__,
        commit=job.commit[0],
        commit_dirty=job.commit[1],
        harness_overhead_frac=entrant.taker.timed.overhead_frac,
        window_s=times.window_s,
        window_why=times.why,
        lead_s=times.lead_s,
        tail_s=times.tail_s,
        host=host_info(),
    )


def _workload_info(entrant: Entrant) -> WorkloadInfo:
    workload = entrant.workload
    return WorkloadInfo.model_validate(
        {
            "name": workload.name,
            "version": workload.version,
            "unit": workload.unit,
            "variant": workload.variant,
            "parameters": entrant.parameters(),
            "verification": tuple(f"{check.name}: {check.detail}" for check in entrant.checks),
        }
    )
