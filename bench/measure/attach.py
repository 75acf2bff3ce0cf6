"""Joining of a recorded log to a stored run: a new record supersedes the old one, which stays unchanged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__
from bench.diagnostics import Effect, effect
from bench.measure.energy import Metered, as_energy, as_used, gaps_of
from bench.measure.plans import get_plan, schedule
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import energy_codes, metrics, steadiness, warnings
from bench.meters.kinds.trace import Trace
from bench.meters.protocol import EnergyReading, MeterInfo, MeterKind, MeterOptions, Tier
from bench.results.folder import Sample, find_result, new_id, read_samples, read_whole, write_record
from bench.results.record import IdlePower, MeterUsed, Record, Window
from hardware_profiles.errors import InputError

_RECOMPUTED = ("energy_missing", "not_metered", "declared_power", "no_idle", "idle_drift", "unsteady", "plan_smoke")


def attach(name: str, specs: Sequence[str], options: MeterOptions, store: Path, argv: Sequence[str]) -> Record:
    """Write and return the record of a stored run with one or more logs joined to it.

    Parameters
    ----------
    name
        Id of the stored run.
    specs
        Specs of the logs, `trace:FILE`.
    options
        Options of all meters.
    store
        The results folder.
    argv
        The command line, for the new record.

    Raises
    ------
    InputError
        The result or a log does not exist, a spec is not a log, the run failed, or a log is already joined.
    RunFailedError
        The record could not be written.
    """
    folder = find_result(store, name)
    old = read_whole(folder)
    if old.status == "failed" or not old.windows:
        raise InputError.at(f"--attach {old.id}", "status", expected="a run with windows", got=old.status)
    windows = list(old.windows)
    traces = [_trace(spec, options, old) for spec in specs]
    idle = list(old.idle)
    samples = _stored_samples(folder)
    for trace in traces:
        needed = schedule(get_plan(old.run.plan), [trace.info])
        for index, window in enumerate(windows):
            start = window.start_utc.timestamp()
            reading = trace.energy_utc(start, start + window.duration_s)
            reading = reading.judged(_plan_codes(old, window, needed.window_s, needed.lead_s, needed.tail_s))
            windows[index] = window.model_copy(update={"energy": (*window.energy, as_energy(reading))})
        idle += _idle(trace, old)
        samples += _trace_samples(trace, windows)
    record = _record(old, windows, idle, traces, argv)
    write_record(store, record, samples)
    return record


def _trace(spec: str, options: MeterOptions, old: Record) -> Trace:
    from bench.meters.registry import make_meter

    meter = make_meter(spec, options)
    if not isinstance(meter, Trace):
        raise InputError.at(
            "--attach", expected="a log, --meter trace:FILE; other meters cannot read the past", got=spec
        )
    joined = {e.meter for window in old.windows for e in window.energy if e.joules is not None}
    if meter.info.name in joined:
        raise InputError.at(f"--attach {old.id}", expected="a log that is not attached yet", got=meter.info.name)
    meter.read_now()
    return meter


def _plan_codes(old: Record, window: Window, window_s: float, lead_s: float, tail_s: float) -> list[str]:
    """Return the codes of what the run lacks for this log: length of window, load around it, a steady wall clock."""
    codes = []
    if window.duration_s < 0.999 * window_s:
        codes.append("window_short")
    first, last = window.index == 0, window.index == len(old.windows) - 1
    if (first and (old.run.lead_s or 0.0) < lead_s) or (last and (old.run.tail_s or 0.0) < tail_s):
        codes.append("lead_short")
    if any(reason.code == "clock_step" for reason in (*old.reasons, *old.warnings)):
        codes.append("clock_step_join")
    return codes


def _idle(trace: Trace, old: Record) -> list[IdlePower]:
    powers = []
    spans = old.audit.get("idle_spans_utc")
    for when, start, end in spans if isinstance(spans, list) else []:
        energy = trace.energy_utc(float(start), float(end))
        if energy.mean_power_w is not None:
            powers.append(
                IdlePower(meter=trace.info.name, when=when, power_w=energy.mean_power_w, duration_s=energy.duration_s)
            )
    return powers


def _record(
    old: Record, windows: Sequence[Window], idle: Sequence[IdlePower], traces: Sequence[Trace], argv: Sequence[str]
) -> Record:
    plan = get_plan(old.run.plan)
    new = {trace.info.name for trace in traces}
    # A log that did not cover the run at first and does now appears in the record once.
    kept = tuple(window.model_copy(update={"energy": _last_of_each(window)}) for window in windows)
    used = (*(meter for meter in old.meters_used if meter.name not in new), *(as_used(t.info) for t in traces))
    infos = [_info(meter) for meter in used]
    by_meter = [[_reading(window, info) for window in kept] for info in infos]
    metered = Metered(kept, used, tuple(idle), gaps_of(by_meter))
    figures = metrics(old.workload.unit, kept, infos)
    steady = steadiness([], kept)
    if old.steadiness is not None:
        update = {"rate_halves_frac": old.steadiness.rate_halves_frac,
                  "rate_slope_per_min": old.steadiness.rate_slope_per_min}  # fmt: skip
        steady = steady.model_copy(update=update)
    notes = [
        reason
        for reason in (*old.reasons, *old.warnings)
        if reason.code not in _RECOMPUTED and effect(reason.code) is not Effect.NO_ENERGY
    ]
    fresh = [*warnings(plan, figures, metered, infos, None, steady), *energy_codes(metered, infos, figures)]
    known = {(note.code, note.detail) for note in notes}
    notes += [note for note in fresh if (note.code, note.detail) not in known]
    return build_record(
        RecordParts(
            id=new_id(old.workload.name, datetime.now(UTC)),
            run=old.run.model_copy(update={"argv": tuple(argv), "perwatt_version": __version__}),
            system=old.system,
            device=old.device,
            workload=old.workload,
            metered=metered,
            figures=figures,
            notes=notes,
            steadiness=steady,
            audit={**old.audit, "attached": [trace.info.scope for trace in traces]},
            assumed_power=old.assumed_power_w,
            supersedes=old.id,
        )
    )


def _last_of_each(window: Window) -> tuple[object, ...]:
    return tuple({energy.meter: energy for energy in window.energy}.values())


def _info(used: MeterUsed) -> MeterInfo:
    return MeterInfo(
        used.name, MeterKind(used.kind), used.boundary, Tier(used.tier), used.accuracy_frac, used.accuracy_source,
        used.period_s, used.averaging_s, domains=used.domains, scope=used.scope,
    )  # fmt: skip


def _reading(window: Window, info: MeterInfo) -> EnergyReading:
    """Return a stored energy as the reading that it came from; without one in this window, a reading without joules."""
    for energy in window.energy:
        if energy.meter == info.name:
            return EnergyReading(
                info.name, energy.joules, energy.boundary, Tier(energy.tier), energy.accuracy_frac,
                energy.accuracy_source, window.duration_s,
            )  # fmt: skip
    return EnergyReading.missing(info, window.duration_s, "window_missing")


def _stored_samples(folder: Path) -> list[Sample]:
    try:
        table = read_samples(folder)
    except InputError:
        return []
    return [Sample(**row) for row in table.to_pylist()]


def _trace_samples(trace: Trace, windows: Sequence[Window]) -> list[Sample]:
    """Return the log's samples from a little before the first window to a little after the last."""
    shift_s = windows[0].start_utc.timestamp() - windows[0].start_s
    spans = [(window.start_s, window.end_s) for window in windows]
    samples = []
    for utc_s, watts in trace.samples_utc():
        t_s = utc_s - shift_s
        if watts is not None and spans[0][0] - 60.0 <= t_s <= spans[-1][1] + 60.0:
            window = next((i for i, (start, end) in enumerate(spans) if start <= t_s <= end), -1)
            samples.append(Sample(trace.info.name, window, t_s, t_s, utc_s, watts, "W"))
    return samples
