"""Joining of recorded logs to a stored run: a new record supersedes the old one, which stays unchanged."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import __version__
from bench.credentials import scrub_arguments
from bench.diagnostics import Effect, effect
from bench.measure.counted import counted_metrics, without_idle, work_interval_of
from bench.measure.energy import (
    MARGIN_S,
    IdleSpan,
    Metered,
    as_used,
    covering,
    cross_check,
    gaps_of,
    join,
    read_idle,
    read_samples,
    read_windows,
)
from bench.measure.joining.replaced_logs import logs_replaced
from bench.measure.plans import get_plan, schedule
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import energy_codes, metrics, steadiness, warnings
from bench.meters.group.sources import check_once, same_source, separate_names
from bench.meters.group.sums import flat
from bench.meters.kinds.trace import Trace
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterKind, MeterOptions, Tier
from bench.meters.registry import make_meters
from bench.results.folder import find_result, read_whole
from bench.results.layout import SAMPLES_FILE
from bench.results.record import MeterUsed, Record, Window
from bench.results.samples import Sample
from bench.results.samples import read_samples as stored_samples
from bench.results.writing import new_id, write_record
from hardware_profiles.errors import InputError

_RECOMPUTED = ("energy_missing", "not_metered", "declared_power", "no_idle", "idle_drift", "unsteady", "plan_smoke")
MOST_SAMPLES = 1_000_000  # of one log that a record keeps
_SLACK_FRAC = 0.999  # [-] of a required time: the step of a log is known to about its last digit


def attach(  # noqa: PLR0913, PLR0917 (the parts of one command)
    name: str,
    specs: Sequence[str],
    options: MeterOptions,
    store: Path,
    argv: Sequence[str],
    on_notice: Callable[[str], None] = lambda _: None,
) -> Record:
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
    on_notice
        Is called with each sentence that a user should read.

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
    kept = samples_of(folder, old)
    meters = _meters(specs, options, old)
    replaced = logs_replaced(old, [meter.info for meter in meters])
    record, samples = joined(old, meters, replaced, argv)
    for notice in (*_notices(meters), *(f"{new} takes the place of {gone}" for gone, new in replaced.items())):
        on_notice(notice)
    write_record(store, record, [*kept, *samples])
    return record


def _meters(specs: Sequence[str], options: MeterOptions, old: Record) -> list[Meter]:
    """Return the logs and sums of logs, placed on the clock of the run."""
    meters = make_meters(specs, options)
    clock = _run_clock(old)
    for spec, log in zip(specs, flat(meters), strict=True):
        if not isinstance(log, Trace):
            expected = "a log, --meter trace:FILE; other meters cannot read the past"
            raise InputError.at("--attach", expected=expected, got=spec)
        log.join(clock)
        if (count := log.samples_of_run()) > MOST_SAMPLES:
            expected = f"at most {MOST_SAMPLES} samples around the run (a coarser log)"
            raise InputError.at(spec, expected=expected, got=count)
    check_once(meters)
    joined = [used for used in old.meters_used if _has_joules(old, used.name)]
    for log in flat(meters):
        for used in joined:
            unhashed = used.name == log.info.name and not used.sha256 and not used.parts  # of an older version
            if unhashed or any(same_source(log.info, part) for part in _parts(info_of(used))):
                raise InputError.at(f"--attach {old.id}", expected="a log that is not attached yet", got=log.info.name)
    separate_names(meters, [used.name for used in joined])
    return meters


def joined(
    old: Record, meters: Sequence[Meter], replaced: dict[str, str], argv: Sequence[str]
) -> tuple[Record, list[Sample]]:
    """Return the record of a stored run with logs joined to it, and the samples of the logs.

    Parameters
    ----------
    old
        The run.
    meters
        The logs, or sums of logs, placed on the clock of the run.
    replaced
        Names of the logs that the run misses, each with the name of the one that takes its place.
    argv
        The command line, for the new record.
    """
    spans = [(window.start_s, window.end_s) for window in old.windows]
    idle = _idle_spans(old)
    gone = {*replaced, *(meter.info.name for meter in meters)}
    kept = [used for used in old.meters_used if used.name not in gone]
    left = [
        window.model_copy(update={"energy": tuple(energy for energy in window.energy if energy.meter not in gone)})
        for window in old.windows
    ]
    read = [
        [reading.judged(_plan_codes(old, window, meter.info)) for reading, window in zip(readings, left, strict=True)]
        for meter, readings in zip(meters, read_windows(meters, spans), strict=True)
    ]
    infos = [*map(info_of, kept), *(meter.info for meter in meters)]
    stored = [[_reading(window, info) for window in left] for info in infos[: len(kept)]]
    by_meter = cross_check(infos, [*stored, *read])
    used = (*kept, *(as_used(meter.info) for meter in meters))
    powers = (*(power for power in old.idle if power.meter not in gone), *read_idle(meters, idle))
    metered = Metered(join(left, by_meter), used, powers, gaps_of(by_meter))
    audit = {**old.audit, "attached": [_audit(meter.info, replaced) for meter in meters]}
    return _record(old, metered, infos, audit, argv), read_samples(meters, spans, idle)


def _record(
    old: Record, metered: Metered, infos: Sequence[MeterInfo], audit: dict[str, object], argv: Sequence[str]
) -> Record:
    plan = get_plan(old.run.plan)
    own = covering(infos, old.device)
    counted = work_interval_of(old)
    if counted is not None:
        figures = counted_metrics(old.workload.unit, metered.windows, own, counted)
    else:
        figures = metrics(old.workload.unit, metered.windows, own)
    steady = steadiness([], metered.windows, own)
    if old.steadiness is not None:
        update = {"rate_halves_frac": old.steadiness.rate_halves_frac,
                  "rate_slope_per_min": old.steadiness.rate_slope_per_min}  # fmt: skip
        steady = steady.model_copy(update=update)
    notes = [
        reason
        for reason in (*old.reasons, *old.warnings)
        if reason.code not in _RECOMPUTED and effect(reason.code) is not Effect.NO_ENERGY
    ]
    fresh = [*warnings(plan, figures, metered, infos, None, steady), *energy_codes(metered, own, figures)]
    fresh = fresh if counted is None else without_idle(fresh)
    known = {(note.code, note.detail) for note in notes}
    notes += [note for note in fresh if (note.code, note.detail) not in known]
    return build_record(
        RecordParts(
            id=new_id(old.workload.name, datetime.now(UTC)),
            run=old.run.model_copy(update={"argv": scrub_arguments(argv), "perwatt_version": __version__}),
            system=old.system,
            device=old.device,
            workload=old.workload,
            metered=metered,
            figures=figures,
            notes=notes,
            steadiness=steady,
            audit=audit,
            assumed_power=old.assumed_power_w,
            supersedes=old.id,
            miner=old.miner,
        )
    )


def _plan_codes(old: Record, window: Window, info: MeterInfo) -> list[str]:
    """Return the codes of what the run lacks for this log: length of window, load around it, a steady wall clock."""
    needed = schedule(get_plan(old.run.plan), [info])
    lead_s, tail_s = _SLACK_FRAC * needed.lead_s, _SLACK_FRAC * needed.tail_s
    codes = []
    if window.duration_s < _SLACK_FRAC * needed.window_s:
        codes.append("window_short")
    first, last = window.index == 0, window.index == len(old.windows) - 1
    if (first and (old.run.lead_s or 0.0) < lead_s) or (last and (old.run.tail_s or 0.0) < tail_s):
        codes.append("lead_short")
    if any(reason.code == "clock_step" for reason in (*old.reasons, *old.warnings)):
        codes.append("clock_step_join")
    return codes


def _run_clock(old: Record) -> RunClock:
    first_s, last_s = span_of(old)
    return RunClock(_shift_s(old), first_s - MARGIN_S, last_s + MARGIN_S)


def span_of(old: Record) -> tuple[float, float]:
    """Return the start and the end of the windows and idle times of a run [s, its monotonic clock]."""
    spans = [(span.start_s, span.end_s) for span in _idle_spans(old)]
    spans += [(window.start_s, window.end_s) for window in old.windows]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _shift_s(old: Record) -> float:
    """Return UTC minus the clock of a run [s]."""
    return old.windows[0].start_utc.timestamp() - old.windows[0].start_s


def _idle_spans(old: Record) -> list[IdleSpan]:
    spans = old.audit.get("idle_spans_utc")
    shift_s = _shift_s(old)
    return [
        IdleSpan("after" if when == "after" else "before", float(start) - shift_s, float(end) - shift_s)
        for when, start, end in (spans if isinstance(spans, list) else [])
    ]


def _has_joules(old: Record, meter: str) -> bool:
    return any(
        energy.meter == meter and energy.joules is not None for window in old.windows for energy in window.energy
    )


def _parts(info: MeterInfo) -> tuple[MeterInfo, ...]:
    return info.parts or (info,)


def info_of(used: MeterUsed) -> MeterInfo:
    """Return a stored description as the description that it came from."""
    fields = {name: getattr(used, name) for name in MeterUsed.model_fields}
    parts = tuple(info_of(part) for part in used.parts)
    return MeterInfo(**{**fields, "kind": MeterKind(used.kind), "tier": Tier(used.tier), "parts": parts})


def _reading(window: Window, info: MeterInfo) -> EnergyReading:
    """Return a stored energy as the reading that it came from; without one in this window, a reading without joules."""
    for energy in window.energy:
        if energy.meter == info.name:
            return EnergyReading(**{**dict(energy), "tier": Tier(energy.tier), "duration_s": window.duration_s})
    return EnergyReading.missing(info, window.duration_s, "window_missing")


def _audit(info: MeterInfo, replaced: dict[str, str]) -> dict[str, object]:
    """Return what the record says of an attached log: its file, its hash, and the log whose place it takes."""
    gone = [old for old, new in replaced.items() if new == info.name]
    return {
        "meter": info.name,
        "source": list(info.domains),
        "sha256": [part.sha256 for part in _parts(info)],
        "in_place_of": gone[0] if gone else None,
    }


def _notices(meters: Sequence[Meter]) -> list[str]:
    return [log.notice for log in flat(meters) if isinstance(log, Trace) and log.notice]


def samples_of(folder: Path, old: Record) -> list[Sample]:
    """Return the samples that a run has stored."""
    if not any(file.name == SAMPLES_FILE for file in old.artifacts):
        return []
    return [Sample(**row) for row in stored_samples(folder).to_pylist()]
