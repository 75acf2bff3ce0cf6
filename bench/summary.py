"""From windows to figures: rates, energy per unit of work, cycles per unit, and what a reader should know of them."""

import statistics
from collections.abc import Sequence

from bench import stats
from bench.meters.protocol import UNSTATED_ACCURACY_FRAC, Meter, MeterKind
from bench.plan import Plan
from bench.records import AssumedPower, Metric, Reason, Window

GOOD_SD_FRAC, WARN_SD_FRAC = 0.01, 0.02
OVERHEAD_LIMIT_FRAC = 0.005


def metrics(unit: str, windows: Sequence[Window], meters: Sequence[Meter]) -> dict[str, Metric]:
    """Return the figures of a run by name.

    `rate`, and where they could be had `cycles_per_<unit>`, `clock`, `energy_per_<unit>_<boundary>` and
    `power_<boundary>`. A meter that missed a window gives no energy figure at all: a missing window never passes.
    """
    found = {"rate": _metric([window.rate_per_s for window in windows], f"{unit}/s")}
    cycles = [
        window.cpu_time_s * window.clock_hz / window.work
        for window in windows
        if window.cpu_time_s is not None and window.clock_hz is not None
    ]
    if cycles and len(cycles) == len(windows):
        found[f"cycles_per_{unit}"] = _metric(cycles, f"cycle/{unit}")
        found["clock"] = _metric([window.clock_hz for window in windows if window.clock_hz], "Hz")
    for meter in meters:
        found.update(_energy_metrics(unit, windows, meter))
    return found


def _energy_metrics(unit: str, windows: Sequence[Window], meter: Meter) -> dict[str, Metric]:
    info = meter.info
    if info.kind is MeterKind.DECLARED:
        return {}
    joules: list[float] = []
    for window in windows:
        energy = next((energy for energy in window.energy if energy.meter == info.name), None)
        if energy is None or energy.joules is None:
            return {}
        joules.append(energy.joules)
    accuracy = info.accuracy_frac if info.accuracy_frac is not None else UNSTATED_ACCURACY_FRAC[info.tier]
    u_meter = stats.standard_from_limits(accuracy)
    per_unit = [energy / window.work for energy, window in zip(joules, windows, strict=True)]
    power = [energy / window.duration_s for energy, window in zip(joules, windows, strict=True)]
    where = {"boundary": info.boundary, "tier": info.tier.value, "meter": info.name}
    return {
        f"energy_per_{unit}_{info.boundary}": _metric(per_unit, f"J/{unit}", u_meter, where),
        f"power_{info.boundary}": _metric(power, "W", u_meter, where),
    }


def _metric(
    values: Sequence[float], unit: str, u_meter_frac: float = 0.0, where: dict[str, str] | None = None
) -> Metric:
    found = stats.estimate(values, u_meter_frac)
    return Metric.model_validate(
        {
            "value": found.value,
            "unit": unit,
            "basis": "measured",
            "n": found.n,
            "relative_sd_frac": found.relative_sd_frac,
            "u_meter_frac": u_meter_frac if where else None,
            "interval_95": found.interval,
            **(where or {}),
        }
    )


def assumed_power(meters: Sequence[Meter]) -> AssumedPower | None:
    """Return the declared power, if somebody declared one."""
    for meter in meters:
        if meter.info.kind is MeterKind.DECLARED:
            reading = meter.energy(0.0, 1.0)
            if reading.assumed_power_w is not None:
                return AssumedPower(
                    power_w=reading.assumed_power_w, boundary=meter.info.boundary, source=meter.info.scope
                )
    return None


def warnings(
    plan: Plan,
    figures: dict[str, Metric],
    windows: Sequence[Window],
    meters: Sequence[Meter],
    overhead_frac: float | None,
) -> tuple[Reason, ...]:
    """Return what a reader should know of the figures, as codes of bench/diagnostics.py."""
    found: list[Reason] = []
    kinds = {meter.info.kind for meter in meters}
    if not kinds - {MeterKind.DECLARED}:
        found.append(Reason(code="declared_power" if kinds else "not_metered"))
    if not plan.comparable:
        found.append(Reason(code="plan_smoke"))
    spread = figures["rate"].relative_sd_frac
    if spread is not None and spread > GOOD_SD_FRAC:
        code = "unstable" if spread > WARN_SD_FRAC else "spread_warn"
        found.append(Reason(code=code, detail=f"relative standard deviation {spread:.1%} over {len(windows)} windows"))
    if overhead_frac is not None and overhead_frac > OVERHEAD_LIMIT_FRAC:
        found.append(Reason(code="runner_overhead", detail=f"{overhead_frac:.2%} of the windows"))
    clocks = [window.clock_hz for window in windows if window.clock_hz]
    if clocks and min(clocks) < 0.97 * statistics.median(clocks):
        found.append(
            Reason(
                code="unsteady",
                detail=f"core clock from {min(clocks) / 1e9:.2f} to {max(clocks) / 1e9:.2f} GHz",
            )
        )
    for window in windows:
        for energy in window.energy:
            found += [Reason(code=code, detail=f"{energy.meter}, window {window.index}") for code in energy.reasons]
    return tuple(found)
