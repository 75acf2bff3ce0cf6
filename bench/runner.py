"""One workload, measured: verify, warm up, take windows, verify again, summarise. Prints nothing."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench import __version__, environment
from bench.clock import ClockAudit
from bench.meters.protocol import EnergyReading, Meter, MeterKind
from bench.plan import Plan, Schedule, schedule
from bench.records import Device, Energy, Reason, Record, RunInfo, Window, WorkloadInfo
from bench.results import Sample, new_id, write_record
from bench.summary import assumed_power, metrics, warnings
from bench.workloads.protocol import Check, VerificationError, Workload

BATCH_S = 0.05
"""Length of one call of `run` that calibration aims at [s]: long against the loop, short against a window."""

Stage = Literal["prepare", "verify", "calibrate", "lead", "window", "check", "write"]
Progress = Callable[[Stage, float], None]


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
class _Measured:
    """What the timed part of a run gathers."""

    windows: list[Window] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    inside_s: float = 0.0
    """Time spent in the workload itself, over all windows [s]."""

    @property
    def overhead_frac(self) -> float | None:
        """Share of the windows' time that was not the workload's [-]."""
        total = sum(window.duration_s for window in self.windows)
        return max(0.0, 1.0 - self.inside_s / total) if total else None


def measure(
    workload: Workload,
    job: Job,
    meters: Sequence[Meter] = (),
    *,
    device: Device,
    on_progress: Progress = lambda *_: None,
) -> Record:
    """Measure one workload, write its record and return it; the workload is closed in any case.

    A workload that raises or answers wrongly gives a record with status `failed` and no figures. The record is written
    before this returns.

    Raises
    ------
    RunFailedError
        The record could not be written.
    """
    started = datetime.now(UTC)
    times = schedule(job.plan, [meter.info for meter in meters])
    measured = _Measured()
    checks: list[Check] = []
    reasons: list[Reason] = []
    try:
        on_progress("prepare", 0.0)
        workload.prepare()
        on_progress("verify", 0.0)
        checks += workload.verify()
        _take_windows(workload, times, meters, measured, on_progress)
        on_progress("check", 0.0)
        checks += workload.check_output()
    except VerificationError as error:
        reasons.append(Reason(code="wrong_answer", detail=str(error)))
    except Exception as error:  # noqa: BLE001 (whatever a kernel raises is a failed record, not a lost one)
        reasons.append(Reason(code="run_failed", detail=f"{type(error).__name__}: {error}"))
    finally:
        parameters = dict(workload.parameters())
        workload.close()
    on_progress("write", 0.0)
    overhead_frac = measured.overhead_frac
    figures = {} if reasons else metrics(workload.unit, measured.windows, meters)
    record = Record(
        id=new_id(workload.name, started),
        status="failed" if reasons else "ok",
        reasons=tuple(reasons),
        warnings=() if reasons else warnings(job.plan, figures, measured.windows, meters, overhead_frac),
        run=RunInfo(
            run_id=job.run_id,
            plan=job.plan.name,
            argv=job.argv,
            started_utc=started,
            ended_utc=datetime.now(UTC),
            perwatt_version=__version__,
            commit=job.commit[0],
            commit_dirty=job.commit[1],
            harness_overhead_frac=overhead_frac,
        ),
        system=job.system,
        device=device,
        workload=WorkloadInfo.model_validate(
            {
                "name": workload.name,
                "version": workload.version,
                "unit": workload.unit,
                "variant": workload.variant,
                "parameters": parameters,
                "verification": tuple(f"{check.name}: {check.detail}" for check in checks),
            }
        ),
        meters=tuple(meter.info.name for meter in meters if meter.info.kind is not MeterKind.DECLARED),
        assumed_power_w=assumed_power(meters),
        windows=tuple(measured.windows),
        metrics=figures,
    )
    write_record(job.store, record, measured.samples)
    return record


def _take_windows(
    workload: Workload, times: Schedule, meters: Sequence[Meter], measured: _Measured, on_progress: Progress
) -> None:
    n, batch_s = _calibrate(workload, on_progress)
    dither = random.Random(0)  # noqa: S311 (keeps calls out of step with a sensor; not a secret)
    _load(workload, n, max(times.lead_s, 2 * batch_s), dither)
    clock = ClockAudit()
    spans: list[tuple[float, float]] = []
    for index in range(times.windows):
        clock.calibrate()
        start_utc, start = datetime.now(UTC), time.monotonic()
        work = cpu_time = 0.0
        batches, has_cpu_time, end = 0, True, start
        while end - start < times.window_s or batches == 0:
            before = time.monotonic()
            batch = workload.run(_dithered(n, dither))
            end = time.monotonic()
            measured.inside_s += end - before
            work, batches = work + batch.work, batches + 1
            has_cpu_time = has_cpu_time and batch.cpu_time_s is not None
            cpu_time += batch.cpu_time_s or 0.0
            measured.samples.append(
                Sample(
                    "work",
                    index,
                    before,
                    end,
                    start_utc.timestamp() + before - start,
                    batch.work,
                    workload.unit,
                )
            )
            on_progress("window", (index + min(1.0, (end - start) / times.window_s)) / times.windows)
        clock_hz = clock.calibrate()
        spans.append((start, end))
        measured.windows.append(
            Window(
                index=index, start_utc=start_utc, start_s=start, end_s=end, work=work, batches=batches,
                cpu_time_s=cpu_time if has_cpu_time else None, clock_hz=clock_hz,
            )
        )  # fmt: skip
    if times.tail_s:
        _load(workload, n, times.tail_s, dither)
    _read_meters(meters, spans, measured)


def _calibrate(workload: Workload, on_progress: Progress) -> tuple[int, float]:
    """Return how much to ask of one call so that it takes about BATCH_S, and how long it then takes [s]."""
    n = 1
    while True:
        on_progress("calibrate", 0.0)
        before = time.monotonic()
        workload.run(n)
        taken = time.monotonic() - before
        if taken >= BATCH_S / 4 or n >= 1 << 40:
            break
        n *= 2 if taken > BATCH_S / 64 else 8
    return max(1, round(n * BATCH_S / taken)), BATCH_S


def _dithered(n: int, dither: random.Random) -> int:
    return max(1, round(n * dither.uniform(0.8, 1.2)))


def _load(workload: Workload, n: int, seconds: float, dither: random.Random) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        workload.run(_dithered(n, dither))


def _read_meters(meters: Sequence[Meter], spans: Sequence[tuple[float, float]], measured: _Measured) -> None:
    for meter in meters:
        if meter.info.kind is MeterKind.DECLARED:
            continue
        for index, (start, end) in enumerate(spans):
            reading = meter.energy(start, end)
            window = measured.windows[index]
            measured.windows[index] = window.model_copy(update={"energy": (*window.energy, _energy(reading))})
        unit = "J" if meter.info.kind is MeterKind.COUNTER else "W"
        for raw in meter.readings():
            if raw.value is None:
                continue
            inside = next((i for i, (start, end) in enumerate(spans) if start <= raw.t_s <= end), -1)
            measured.samples.append(Sample(meter.info.name, inside, raw.t_s, raw.t_s, raw.utc_s, raw.value, unit))


def _energy(reading: EnergyReading) -> Energy:
    return Energy.model_validate(
        {
            "meter": reading.meter,
            "boundary": reading.boundary,
            "tier": reading.tier.value,
            "joules": reading.joules,
            "accuracy_frac": reading.accuracy_frac,
            "accuracy_source": reading.accuracy_source,
            "samples": reading.samples,
            "largest_gap_s": reading.largest_gap_s,
            "reasons": (*reading.reasons, *reading.warnings),
        }
    )
