"""The figures of a run, computed from its windows: rates, energy and cycles per unit of work, and warnings on them."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench import limits
from bench.diagnostics import unique
from bench.measure import stats
from bench.measure.energy import Metered, accuracy_frac
from bench.measure.plans import Plan
from bench.measure.steadiness import Call, duration_agrees, is_unsteady, power_halves, rate_halves, rate_slope
from bench.measure.windows import TimedWork
from bench.meters.protocol import Meter, MeterInfo, MeterKind
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.record import AssumedPower, Metric, Reason, Steadiness, Window
from bench.results.window_figures import metered_windows
from bench.workloads.protocol import BoundedWorkload, BoundUnknownError, Workload
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BOUNDARIES


def metrics(
    unit: str, windows: Sequence[Window], meters: Sequence[MeterInfo], u_work_frac: float = 0.0
) -> dict[str, Metric]:
    """Return the figures of a run by name.

    They are `rate` and, where they were measured, `cycles_per_<unit>`, `clock`, `energy_per_<unit>_<boundary>` and
    `power_<boundary>`; a second meter of the same boundary adds its name. A meter that missed a window gives no energy
    figure at all.
    """
    figures = {"rate": _metric([window.rate_per_s for window in windows], f"{unit}/s", u_work_frac)}
    cycles = [
        window.cpu_time_s * window.clock_hz / window.work
        for window in windows
        if window.cpu_time_s is not None and window.clock_hz is not None
    ]
    if cycles and len(cycles) == len(windows):
        figures[f"cycles_per_{unit}"] = _metric(cycles, f"cycle/{unit}")
        figures["clock"] = _metric([window.clock_hz for window in windows if window.clock_hz], "Hz")
    reading = [info for info in meters if info.kind is not MeterKind.DECLARED]
    for info in sorted(reading, key=lambda info: info.tier):
        for name, metric in _energy_metrics(unit, windows, info, u_work_frac).items():
            figures[own_name(name, info) if name in figures else name] = metric
    return figures


def own_name(name: str, info: MeterInfo) -> str:
    """Return the name of a metric with that of its meter, for the second meter of a boundary."""
    return f"{name}_{re.sub(r'[^a-z0-9]+', '_', info.name.lower()).strip('_')}"


def other_metrics(
    other_work: Mapping[str, Sequence[float]], windows: Sequence[Window], meters: Sequence[MeterInfo]
) -> dict[str, Metric]:
    """Return `<unit>_rate` and `joules_per_<unit>_<boundary>` of what was counted besides the workload's unit.

    Parameters
    ----------
    other_work
        What was counted by its unit, one figure a window; a unit with an empty window has no figures.
    windows, meters
        As in `metrics`.
    """
    figures = {}
    for unit, counts in other_work.items():
        if not counts or min(counts) <= 0.0:
            continue
        counted = [w.model_copy(update={"work": work}) for w, work in zip(windows, counts, strict=True)]
        for name, metric in metrics(unit, counted, meters).items():
            if name == "rate":
                figures[f"{unit}_rate"] = metric
            elif name.startswith(ENERGY_PER_UNIT):
                figures[f"joules_per_{name.removeprefix(ENERGY_PER_UNIT)}"] = metric
    return figures


def _energy_metrics(unit: str, windows: Sequence[Window], info: MeterInfo, u_work_frac: float) -> dict[str, Metric]:
    metered = metered_windows(windows, info.name)
    if metered is None:
        return {}
    origin = {
        "boundary": info.boundary,
        "tier": info.tier.value,
        "meter": info.name,
        "u_meter_frac": stats.standard_from_limits(accuracy_frac(info)),
        "u_edges_frac": stats.standard_from_limits(metered.edges_frac),
    }
    return {
        f"{ENERGY_PER_UNIT}{unit}_{info.boundary}": _metric(
            metered.energy_j_per_unit, f"J/{unit}", u_work_frac, origin
        ),
        f"{POWER}{info.boundary}": _metric(metered.power_w, "W", 0.0, origin),
    }


def _metric(
    values: Sequence[float], unit: str, u_work_frac: float = 0.0, meter: Mapping[str, Any] | None = None
) -> Metric:
    meter = meter or {}
    u_meter_frac = math.hypot(meter.get("u_meter_frac", 0.0), meter.get("u_edges_frac", 0.0))
    estimate = stats.estimate(values, u_meter_frac, u_work_frac)
    return Metric.model_validate(
        {
            "value": estimate.value,
            "unit": unit,
            "basis": "measured",
            "n": estimate.n,
            "relative_sd_frac": estimate.relative_sd_frac,
            "u_work_frac": u_work_frac or None,
            "interval_95": estimate.interval,
            **meter,
        }
    )


def assumed_power(meters: Sequence[Meter]) -> AssumedPower | None:
    """Return the declared power, or None if none was declared."""
    for meter in meters:
        if meter.info.kind is MeterKind.DECLARED:
            reading = meter.energy(0.0, 1.0)
            if reading.assumed_power_w is not None:
                return AssumedPower(
                    power_w=reading.assumed_power_w, boundary=meter.info.boundary, source=meter.info.scope
                )
    return None


def steadiness(calls: Sequence[Sequence[Call]], windows: Sequence[Window], meters: Sequence[MeterInfo]) -> Steadiness:
    """Return split halves and slopes of the rate, and of the power by each of these meters, over the windows."""
    names = {info.name for info in meters}
    halves: dict[str, list[tuple[float, float]]] = {}
    points: dict[str, list[tuple[float, float]]] = {}
    for window in windows:
        for energy in window.energy:
            if energy.half_energies_j is not None and energy.meter in names:
                first, second = energy.half_energies_j
                halves.setdefault(energy.meter, []).append((first, second))
                for share, joules in ((0.25, first), (0.75, second)):
                    at_s = window.start_s + share * window.duration_s
                    points.setdefault(energy.meter, []).append((at_s, joules / (window.duration_s / 2.0)))
    slopes = {name: stats.slope_interval(*zip(*series, strict=True)) for name, series in points.items()}
    powers = {name: power_halves(pairs) for name, pairs in halves.items()}
    return Steadiness(
        rate_halves_frac=rate_halves(calls),
        power_halves_frac={name: value for name, value in powers.items() if value is not None},
        rate_slope_per_min=rate_slope(calls),
        power_slope_per_min={name: slope for name, slope in slopes.items() if slope is not None},
    )


def warnings(  # noqa: PLR0913, PLR0917 (the results of a run, one by one)
    plan: Plan,
    figures: dict[str, Metric],
    metered: Metered,
    meters: Sequence[MeterInfo],
    overhead_frac: float | None,
    steady: Steadiness | None,
) -> list[Reason]:
    """Return the reason codes that a reader of the figures should know."""
    reasons: list[Reason] = []
    kinds = {info.kind for info in meters}
    metering = bool(kinds - {MeterKind.DECLARED})
    if not metering:
        reasons.append(Reason(code="declared_power" if kinds else "not_metered"))
    if not plan.comparable:
        reasons.append(Reason(code="plan_smoke"))
    spread = figures["rate"].relative_sd_frac if "rate" in figures else None
    if spread is not None and spread > limits.SPREAD_NOTED_FRAC:
        code = "unstable" if spread > limits.SPREAD_UNSTABLE_FRAC else "spread_warn"
        n = len(metered.windows)
        reasons.append(Reason(code=code, detail=f"relative standard deviation {spread:.1%} over {n} windows"))
    if overhead_frac is not None and overhead_frac > limits.RUNNER_OVERHEAD_FRAC:
        reasons.append(Reason(code="runner_overhead", detail=f"{overhead_frac:.2%} of the windows"))
    unsteady = _unsteady(steady) + _clock_drift(metered.windows)
    if unsteady:
        reasons.append(Reason(code="unsteady", detail="; ".join(unsteady)))
    return reasons + _idle_codes(metered, metering=metering)


def duration_codes(timed: TimedWork) -> list[Reason]:
    """Return a code for each window whose length by the clock that runs during sleep differs (method rule 4)."""
    reasons = []
    for index, ((start, end), elapsed_s) in enumerate(zip(timed.spans, timed.elapsed_s, strict=False)):
        if not duration_agrees(elapsed_s, start, end):
            detail = f"window {index}: {end - start:.1f} s counted, {elapsed_s:.1f} s passed"
            reasons.append(Reason(code="duration_mismatch", detail=detail))
    return reasons


def coverage_codes(meters: Sequence[MeterInfo], covering: Sequence[MeterInfo]) -> list[Reason]:
    """Return a code for each meter that is not among those that read the device under test."""
    others = [info for info in meters if info not in covering]
    return [Reason(code="device_not_covered", detail=f"{info.name}: {info.scope}") for info in others]


def energy_codes(metered: Metered, meters: Sequence[MeterInfo], figures: dict[str, Metric]) -> list[Reason]:
    """Return the codes of the windows' energies, once per meter with its windows, and those of the meters' ratios.

    Only the meters that read the device under test must have given their energy, and only their ratios count.
    """
    windows_by_code: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for window in metered.windows:
        for energy in window.energy:
            for code in unique((*energy.reasons, *energy.warnings)):
                windows_by_code.setdefault((code, energy.meter), []).append((window.index, energy.detail))
    reasons = []
    for (code, meter), windows in windows_by_code.items():
        detail = f"{meter}, window {', '.join(str(index) for index, _ in windows)}"
        of_meter = windows[0][1]
        reasons.append(Reason(code=code, detail=f"{detail}: {of_meter}" if of_meter else detail))
    used = {metric.meter for metric in figures.values()}
    pending = {meter for code, meter in windows_by_code if code == "log_pending"}
    missing = [m.name for m in meters if m.kind is not MeterKind.DECLARED and m.name not in used | pending]
    if missing and metered.windows:
        reasons.append(Reason(code="energy_missing", detail=", ".join(missing)))
    accuracies = {used.name: accuracy_frac(used) for used in metered.used}
    own = {info.name for info in meters}
    for gap in metered.gaps:
        if not {gap.inner, gap.outer} <= own:
            continue
        limit = 1.0 + accuracies[gap.inner] + accuracies[gap.outer]
        if BOUNDARIES.index(gap.inner_boundary) < BOUNDARIES.index(gap.outer_boundary) and gap.inner_over_outer > limit:
            detail = f"{gap.inner} ({gap.inner_boundary}) {gap.inner_over_outer:.3f} of {gap.outer}"
            reasons.append(Reason(code="inside_exceeds_outside", detail=detail))
    return reasons


def _unsteady(steady: Steadiness | None) -> list[str]:
    if steady is None:
        return []
    worst = max(steady.power_halves_frac.values(), key=abs, default=None)
    return is_unsteady(
        steady.rate_halves_frac, worst, [steady.rate_slope_per_min, *steady.power_slope_per_min.values()]
    )


def _clock_drift(windows: Sequence[Window]) -> list[str]:
    clocks = [window.clock_hz for window in windows if window.clock_hz]
    if not clocks or min(clocks) >= (1.0 - limits.CORE_CLOCK_DROP_FRAC) * statistics.median(clocks):
        return []
    return [f"core clock from {min(clocks) / 1e9:.2f} to {max(clocks) / 1e9:.2f} GHz"]


def _idle_codes(metered: Metered, *, metering: bool) -> list[Reason]:
    if metering and not metered.idle:
        return [Reason(code="no_idle")]
    reasons = []
    for before in (idle for idle in metered.idle if idle.when == "before"):
        after = next((idle for idle in metered.idle if idle.when == "after" and idle.meter == before.meter), None)
        if after is not None and abs(after.power_w - before.power_w) > limits.IDLE_DRIFT_FRAC * before.power_w:
            detail = f"{before.meter}: {before.power_w:.1f} W before, {after.power_w:.1f} W after"
            reasons.append(Reason(code="idle_drift", detail=detail))
    return reasons


def bound_metrics(workload: Workload, figures: Mapping[str, Metric]) -> tuple[dict[str, Metric], list[Reason]]:
    """Return `bound` and `fraction_of_bound` of a workload that states its bound, and why it could not state it.

    A bound in cycles is compared with the cycles of the run, which a changing clock and other programs leave alone.
    """
    rate = figures.get("rate")
    if rate is None or not isinstance(workload, BoundedWorkload):
        return {}, []
    try:
        bound = workload.bound()
    except (InputError, BoundUnknownError) as error:  # a faulty profile or probe must not cost the record
        return {}, [Reason(code="bound_unknown", detail=str(error))]
    if bound is None:
        return {}, []
    cycles = figures.get(f"cycles_per_{workload.unit}")
    if cycles is None or bound.cycles_per_unit is None:
        fraction, words = rate.value / bound.rate_per_s, "measured rate over bound"
    else:
        fraction, words = bound.cycles_per_unit / cycles.value, "cycles of the bound over measured cycles"
    scale = fraction / rate.value
    interval = rate.interval_95
    fraction_interval = (interval[0] * scale, interval[1] * scale) if interval else None
    return {
        "bound": Metric(
            value=bound.rate_per_s,
            unit=rate.unit,
            basis=bound.basis,
            n=1,
            bound_by=bound.bound_by or None,
            note=bound.why,
        ),
        "fraction_of_bound": Metric(
            value=fraction,
            unit="1",
            basis="modelled",
            n=rate.n,
            interval_95=fraction_interval,
            note=f"{words}; {bound.why}",
        ),
    }, []
