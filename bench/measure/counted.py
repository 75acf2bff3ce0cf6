"""Figures of a device that works by itself and whose work random events count: ASIC miners and their shares (rule 8).

The number of events gives the interval, over all windows together. Student's t over the windows would count the chance
of the events a second time.
"""

import math
from collections.abc import Sequence

from bench.measure import stats
from bench.measure.energy import accuracy_frac
from bench.measure.summary import own_name
from bench.meters.protocol import MeterInfo, MeterKind
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.record import Metric, Reason, Record, Steadiness, Window
from bench.results.window_figures import metered_windows

NORMAL_95 = 1.959963984540054  # standard deviations in half of a 95 % interval


def counted_metrics(
    unit: str, windows: Sequence[Window], meters: Sequence[MeterInfo], work_interval: tuple[float, float]
) -> dict[str, Metric]:
    """Return the figures of a run by name, as `bench.measure.summary.metrics` does.

    Parameters
    ----------
    unit
        Unit of the work.
    windows
        The windows with their energies.
    meters
        The meters that read the device.
    work_interval
        95 % interval of the work of all windows over the work that was counted [-].
    """
    work, time_s = math.fsum(w.work for w in windows), math.fsum(w.duration_s for w in windows)
    low, high = work_interval
    u_work_frac = (high - low) / (2.0 * NORMAL_95)
    rate = work / time_s
    figures = {
        "rate": Metric(
            value=rate, unit=f"{unit}/s", basis="measured", n=len(windows), u_work_frac=u_work_frac,
            interval_95=(rate * low, rate * high), note="Poisson, all windows together",
        )
    }  # fmt: skip
    for info in sorted((info for info in meters if info.kind is not MeterKind.DECLARED), key=lambda info: info.tier):
        for name, metric in _energy(unit, windows, info, work_interval).items():
            figures[own_name(name, info) if name in figures else name] = metric
    return figures


def _energy(
    unit: str, windows: Sequence[Window], info: MeterInfo, work_interval: tuple[float, float]
) -> dict[str, Metric]:
    metered = metered_windows(windows, info.name)
    if metered is None:
        return {}
    work, time_s = math.fsum(w.work for w in windows), math.fsum(w.duration_s for w in windows)
    joules = math.fsum(power_w * w.duration_s for power_w, w in zip(metered.power_w, windows, strict=True))
    u_meter = stats.standard_from_limits(accuracy_frac(info))
    per_unit = joules / work
    below, above = 1.0 - 1.0 / work_interval[1], 1.0 / work_interval[0] - 1.0 if work_interval[0] > 0.0 else math.inf
    u_edges = stats.standard_from_limits(metered.edges_frac)
    meter_95 = NORMAL_95 * math.hypot(u_meter, u_edges)
    interval = (
        (max(0.0, per_unit * (1.0 - math.hypot(below, meter_95))), per_unit * (1.0 + math.hypot(above, meter_95)))
        if math.isfinite(above)
        else None
    )
    estimate = stats.estimate(metered.power_w, math.hypot(u_meter, u_edges))
    power_w = joules / time_s
    spread = estimate.interval
    half_w = meter_95 * power_w if spread is None else (spread[1] - spread[0]) / 2.0
    common = {
        "basis": "measured", "n": len(windows), "u_meter_frac": u_meter, "u_edges_frac": u_edges,
        "boundary": info.boundary,
        "tier": info.tier.value, "meter": info.name,
    }  # fmt: skip
    return {
        f"{ENERGY_PER_UNIT}{unit}_{info.boundary}": Metric.model_validate({
            **common, "value": per_unit, "unit": f"J/{unit}", "interval_95": interval,
            "u_work_frac": (work_interval[1] - work_interval[0]) / (2.0 * NORMAL_95),
        }),
        f"{POWER}{info.boundary}": Metric.model_validate({
            **common, "value": power_w, "unit": "W", "relative_sd_frac": estimate.relative_sd_frac,
            "interval_95": (power_w - half_w, power_w + half_w),
        }),
    }  # fmt: skip


def work_interval_of(record: Record) -> tuple[float, float] | None:
    """Return the 95 % interval of the work of a stored run over the work counted [-]; None if no events counted it."""
    rate = record.rate
    if record.miner is None or rate is None or rate.interval_95 is None:
        return None
    return rate.interval_95[0] / rate.value, rate.interval_95[1] / rate.value


def without_idle(notes: Sequence[Reason]) -> list[Reason]:
    """Return the codes without that of a missing idle power: the device always works, and says so by its own code."""
    return [note for note in notes if note.code != "no_idle"]


def without_rate(steady: Steadiness) -> Steadiness:
    """Return the steadiness of the power alone: the chance of the events hides that of the rate."""
    return steady.model_copy(update={"rate_halves_frac": None, "rate_slope_per_min": None})
