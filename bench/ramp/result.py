"""The result of a run: repetitions read from its samples, and the record that stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__
from bench.machine.identity import host_info
from bench.measure.energy import Metered, accuracy_frac, as_used
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.runner import Job
from bench.meters.protocol import MeterInfo, Reading
from bench.ramp.course import Course, Terms
from bench.ramp.moments import Bracket
from bench.ramp.repetition import RampError, Repetition, Source, read
from bench.ramp.rule import VERSION, Meter
from bench.ramp.samples import Plateau, Samples
from bench.ramp.summary import Figure, figures
from bench.results.evidence.ramp import RampEvidence, RampRepetition
from bench.results.record import Device, Metric, Reason, Record, RunInfo, WorkloadInfo
from bench.results.samples import Sample
from bench.results.writing import new_id, write_record

WORKLOAD = "ramp"
FEWEST_REPEATS = 2  # an interval needs two


@dataclass(frozen=True, slots=True)
class Run:
    """What a record needs besides the course."""

    job: Job
    device: Device
    lever: str
    terms: Terms
    info: MeterInfo
    lag_s: float  # [s] of the meter
    rate_averaging_s: float  # [s]
    started: datetime
    on_loopback: bool = False  # whether the device answers at an address of this machine, as a simulation does

    @property
    def meter(self) -> Meter:
        """How late the wall meter is."""
        return Meter(max(self.info.period_s, self.info.poll_s), self.info.averaging_s, self.lag_s)


def store(run: Run, course: Course, readings: Sequence[Reading]) -> Record:
    """Write the record of a run, and return it; one whose ramps cannot be read is stored as invalid.

    Raises
    ------
    RunFailedError
        The record could not be written.
    """
    power = Source(Samples.of((reading.t_s, reading.value) for reading in readings), run.meter)
    late = Meter(0.0, run.rate_averaging_s, course.slowest_look_s / 2.0)
    rate = Source(Samples.of(course.rates), late)
    usual, notes = _usual(run, course)
    repetitions, fault = _read(run, course, power, rate, usual)
    known: dict[str, Figure] = {}
    if fault is None and course.full is not None:
        known = figures(repetitions, course.full, usual, accuracy_frac(run.info))
    simulated = run.on_loopback or "simulated" in course.first.reasons
    if simulated:
        notes.append(Reason(code="ramp_simulated"))
    record = build_record(
        RecordParts(
            id=new_id(WORKLOAD, run.started),
            run=_run_info(run),
            system=run.job.system,
            device=run.device,
            workload=_workload(run, course),
            metered=Metered((), (as_used(run.info),)),
            figures={name: _metric(figure, run.info) for name, figure in known.items() if figure.value > 0.0},
            notes=notes,
            faults=() if fault is None else (Reason(code=fault.code, detail=fault.detail),),
            ramp=RampEvidence(
                lever=run.lever,
                level_as_found=course.level_as_found,
                rule_version=VERSION,
                rule=run.terms.rule.words(),
                meter_late_s=run.meter.late_s,
                meter_averaging_s=run.meter.averaging_s,
                rate_averaging_s=run.rate_averaging_s,
                answers=tuple(course.answers),
                repetitions=tuple(map(_stored, repetitions)),
                simulated=simulated,
            ),
        )
    )
    write_record(run.job.store, record, _samples(run, course, readings))
    return record


def _usual(run: Run, course: Course) -> tuple[Plateau | None, list[Reason]]:
    """Return the full rate, or None with its reason."""
    usual = course.usual
    if usual is None or usual.mean <= 0.0:
        return None, [Reason(code="ramp_rate_unknown")]
    rule = run.terms.rule
    if rule.margin_sd * usual.sd > rule.rate_frac * usual.mean / 2.0:
        return None, [Reason(code="ramp_rate_noisy", detail=f"± {usual.sd / usual.mean:.1%} from look to look")]
    return usual, []


def _read(
    run: Run, course: Course, power: Source, rate: Source, usual: Plateau | None
) -> tuple[list[Repetition], RampError | None]:
    repetitions: list[Repetition] = []
    if course.full is not None:
        for switch in course.switches:
            try:
                with_rate = None if usual is None else (rate, usual)
                repetitions.append(read(switch, power, course.full, with_rate, run.terms.rule))
            except RampError as error:
                return repetitions, error
    if course.fault is not None:
        return repetitions, course.fault
    if len(repetitions) < FEWEST_REPEATS:
        return repetitions, RampError("ramp_too_few_samples", f"{len(repetitions)} repetitions")
    return repetitions, None


def _stored(one: Repetition) -> RampRepetition:
    return RampRepetition(
        off_s=one.off_h * 3600.0,
        off_time_s=_bounds(one.off_time_s),
        on_time_s=_bounds(one.on_time_s),
        full_power_time_s=_bounds(one.full_power_time_s),
        full_rate_time_s=_or_none(one.full_rate_time_s),
        rate_lag_s=_or_none(one.rate_lag_s),
        lost_output_s=_or_none(one.lost_output_s),
        off_energy_j=_bounds(one.off_energy_j),
        start_energy_j=_or_none(one.start_energy_j),
        peak_w=one.peak_w,
    )


def _bounds(bracket: Bracket) -> tuple[float, float]:
    return bracket.low, bracket.high


def _or_none(bracket: Bracket | None) -> tuple[float, float] | None:
    return None if bracket is None else _bounds(bracket)


def _metric(figure: Figure, info: MeterInfo) -> Metric:
    u_frac = figure.u_meter / figure.value if figure.unit != "s" else 0.0
    return Metric(
        value=figure.value,
        unit=figure.unit,
        basis="measured",
        n=figure.n,
        u_meter_frac=u_frac,
        interval_95=figure.interval,
        boundary=info.boundary,
        tier=info.tier.value,
        meter=info.name,
    )


def _run_info(run: Run) -> RunInfo:
    return RunInfo(
        run_id=run.job.run_id,
        plan=run.job.plan.name,
        argv=run.job.argv,
        started_utc=run.started,
        ended_utc=datetime.now(UTC),
        perwatt_version=__version__,
        commit=run.job.commit[0],
        commit_dirty=run.job.commit[1],
        host=host_info(),
    )


def _workload(run: Run, course: Course) -> WorkloadInfo:
    spans = [switch.on_s - switch.off_s for switch in course.switches]
    return WorkloadInfo(
        name=WORKLOAD,
        version=VERSION,
        unit="start",
        variant=run.lever,
        parameters={
            "repeats": run.terms.repeats,
            "least_off_s": run.terms.off_s,
            "shortest_off_s": round(min(spans), 1) if spans else None,
            "longest_off_s": round(max(spans), 1) if spans else None,
            "plateau_s": run.terms.rule.plateau_s,
        },
        verification=(),
    )


def _samples(run: Run, course: Course, readings: Sequence[Reading]) -> list[Sample]:
    if not readings:
        return []
    to_utc_s = readings[-1].utc_s - readings[-1].t_s
    power = [
        Sample(run.info.name, -1, one.t_s, one.t_s, one.utc_s, one.value, "W")
        for one in readings
        if one.value is not None
    ]
    rates = [
        Sample("rate", -1, t_s, t_s, t_s + to_utc_s, value, "1/s") for t_s, value in course.rates if value is not None
    ]
    return power + rates


def ramp_records(store_: Path) -> list[Record]:
    """Return the stored ramps of a results folder, oldest first.

    Raises
    ------
    InputError
        The folder is not readable.
    """
    from bench.results.folder import read_record
    from bench.results.layout import result_names

    return [read_record(store_ / name) for name in result_names(store_) if f"-{WORKLOAD}-" in name]
