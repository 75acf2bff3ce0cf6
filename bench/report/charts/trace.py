"""The chart of one run's trace: power by meter above, the rate of each call below, windows shaded."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench import diagnostics
from bench.quantity import plain, rate, si
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render
from bench.results.best_meter import POWER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.results.record import Energy, Record, Window

_MOST_POINTS = 480
_STYLES = ("-", "--", "-.", ":")
_NORMAL_THROTTLE = frozenset({"gpu_idle", "applications_clocks_setting", "sw_power_cap", "sync_boost"})


@dataclass(slots=True)
class Series:
    """One line of the chart."""

    name: str
    seconds: list[float] = field(default_factory=list)  # since the start of the first window
    values: list[float] = field(default_factory=list)  # power [W] or rate [unit/s]


def trace_chart(key: str, title: str, record: "Record", samples: Mapping[str, Sequence[Any]]) -> Chart:
    """Draw a record's windows with its samples (columns of `bench.results.samples.Sample`).

    Raises
    ------
    KeyError
        A column is missing.
    """
    zero = record.windows[0].start_s
    powers, calls = _power_series(samples, zero), _call_series(samples, zero)
    throttled = throttling(record)
    summary = _summary(record, powers)
    notes = [*(f"Throttling: {text}." for text in throttled), *_invalid_lines(record)]

    both = bool(powers and calls)

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        rows = [series for series in (powers, calls) if series]
        ratios = (2, 1) if both else None
        panels = figure.subplots(max(1, len(rows)), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        marks: list[Mark] = []
        for axes, series in zip(panels, rows, strict=False):
            _lines(axes, series, "W" if series is powers else f"{record.workload.unit}/s")
            if series is powers:
                _idle(axes, record)
            _windows(axes, record, hatched=series is powers, throttled=bool(throttled), narrow=narrow)
            marks.extend(_window_marks(axes, record, zero))
        panels[-1].set_xlabel("seconds from the first window")
        return marks

    heights = (0.0, 300.0) if both else (0.0, 210.0)
    return render(key, title, summary, draw, notes=notes, heights=heights, small=True)


def _summary(record: "Record", powers: "Sequence[Series]") -> str:
    measured = record.rate
    parts = [f"{len(record.windows)} windows of {statistics.fmean(w.duration_s for w in record.windows):.3g} s"]
    if measured:
        parts.append(rate(measured.value, measured.unit))
    parts.extend(
        f"{plain(metric.value)} W by {metric.meter}" for n, metric in record.metrics.items() if n.startswith(POWER)
    )
    if not powers:
        parts.append("no power")
    parts.append(f"status {record.status}")
    return "; ".join(parts) + "."


def _power_series(samples: Mapping[str, Sequence[Any]], zero: float) -> list[Series]:
    """Return power over time by meter; for a counter of energy, the increase over the time it took."""
    by_meter: dict[str, Series] = {}
    last: dict[str, tuple[float, float]] = {}
    rows = zip(samples["series"], samples["t_s"], samples["value"], samples["unit"], strict=True)
    for name, t_s, value, unit in rows:
        if name == "work" or value is None or not math.isfinite(value):
            continue
        series = by_meter.setdefault(str(name), Series(str(name)))
        if unit == "W":
            series.seconds.append(t_s - zero)
            series.values.append(value)
        elif unit == "J":
            before = last.get(str(name))
            last[str(name)] = (t_s, value)
            if before is not None and t_s > before[0] and value >= before[1]:
                series.seconds.append(t_s - zero)
                series.values.append((value - before[1]) / (t_s - before[0]))
    return [series for series in by_meter.values() if len(series.seconds) > 1]


def _call_series(samples: Mapping[str, Sequence[Any]], zero: float) -> list[Series]:
    series = Series("rate of each call")
    rows = zip(samples["series"], samples["t_s"], samples["t_end_s"], samples["value"], strict=True)
    for name, start, end, value in rows:
        if name == "work" and end > start:
            series.seconds.append((start + end) / 2.0 - zero)
            series.values.append(value / (end - start))
    return [series] if series.seconds else []


def thinned(series: Series, most: int = _MOST_POINTS) -> Series:
    """Return a line of at most `most` points that keeps the lowest and highest value of each stretch."""
    count = len(series.values)
    if count <= most:
        return series
    kept: list[int] = []
    stretch = math.ceil(count / (most // 2))
    for first in range(0, count, stretch):
        inside = range(first, min(first + stretch, count))
        ends = {min(inside, key=series.values.__getitem__), max(inside, key=series.values.__getitem__)}
        kept.extend(sorted(ends))
    return Series(series.name, [series.seconds[i] for i in kept], [series.values[i] for i in kept])


def _lines(axes: "Axes", series: Sequence[Series], unit: str) -> None:
    from matplotlib.ticker import FuncFormatter

    highest = 0.0
    for number, one in enumerate(series):
        drawn = thinned(one)
        highest = max(highest, *drawn.values)
        watts = unit == "W"
        axes.plot(
            drawn.seconds, drawn.values, color=COLOURS["measured" if watts else "rated"],
            linewidth=1.3 if watts else 0.0, marker="" if watts else ".", markersize=4,
            linestyle=_STYLES[number % len(_STYLES)], label=printable(one.name),
        )  # fmt: skip
    axes.set_ylim(0.0, highest * 1.18 or 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: rate(value, unit) if value else "0"))
    if unit == "W":
        axes.legend(loc="lower right", ncols=len(series))


def _idle(axes: "Axes", record: "Record") -> None:
    for idle in record.idle:
        axes.axhline(idle.power_w, color=COLOURS["idle"], linewidth=1.1, linestyle=(0, (3, 3)))
        axes.annotate(
            f"idle {idle.when}: {plain(idle.power_w)} W", (0.0 if idle.when == "before" else 1.0, idle.power_w),
            xycoords=("axes fraction", "data"), xytext=(4 if idle.when == "before" else -4, 2),
            textcoords="offset points", fontsize=9, ha="left" if idle.when == "before" else "right",
        )  # fmt: skip


def _windows(axes: "Axes", record: "Record", *, hatched: bool, throttled: bool, narrow: bool) -> None:
    """Shade each window; hatch it if a meter's energy or the whole run is invalid."""
    zero = record.windows[0].start_s
    for window in record.windows:
        start, end = window.start_s - zero, window.end_s - zero
        bad = record.status != "ok" or (hatched and any(energy.joules is None for energy in window.energy))
        axes.axvspan(start, end, color=COLOURS["bad" if bad else "window"], alpha=0.10, linewidth=0)
        if bad:
            axes.axvspan(start, end, facecolor="none", edgecolor=COLOURS["bad"], hatch="///", linewidth=0, alpha=0.45)
        for edge in (start, end):
            axes.axvline(edge, color=COLOURS["window"], linewidth=0.8)
        if throttled:
            axes.axvspan(start, end, ymin=0.965, color=COLOURS["warn"], linewidth=0)
        if len(record.windows) <= (5 if narrow else 12):
            text = f"{window.index}" + (" invalid" if bad and not narrow else "")
            axes.annotate(
                text, ((start + end) / 2.0, 1.0), xycoords=("data", "axes fraction"),
                xytext=(0, -12 if throttled else -4), textcoords="offset points",
                ha="center", va="top", fontsize=9, color=COLOURS["bad" if bad else "ink"],
            )  # fmt: skip


def _window_marks(axes: "Axes", record: "Record", zero: float) -> list[Mark]:
    return [
        Mark(axes, window.start_s - zero, 0.0, _describe(record, window), x_to=window.end_s - zero)
        for window in record.windows
    ]


def _describe(record: "Record", window: "Window") -> str:
    parts = [
        f"window {window.index}",
        f"{window.duration_s:.3f} s from {window.start_utc:%H:%M:%S} UTC",
        rate(window.rate_per_s, f"{record.workload.unit}/s"),
        *(_energy(energy, window) for energy in window.energy),
    ]
    if record.status != "ok":
        parts.append(f"{record.status}: {', '.join(reason.code for reason in record.reasons)}")
    return " · ".join(parts)


def _energy(energy: "Energy", window: "Window") -> str:
    if energy.joules is None:
        return f"{energy.meter}: no energy ({', '.join(energy.reasons) or 'the run is invalid'})"
    return (
        f"{energy.meter}: {si(energy.joules, 'J')}, {plain(energy.joules / window.duration_s)} W "
        f"({energy.boundary}, tier {energy.tier}, {energy.samples} samples)"
    )


def throttling(record: "Record") -> list[str]:
    """Return the throttling events during the windows, as the audit of the run stored them."""
    causes = []
    events = record.audit.get("cpu_throttle_events")
    if isinstance(events, int | float) and events > 0:
        causes.append(f"the CPU counted {events:g} thermal events during the windows")
    gpu = record.audit.get("gpu")
    fractions = gpu.get("throttle_reasons_frac") if isinstance(gpu, dict) else None
    if isinstance(fractions, dict):
        for name, share in fractions.items():
            if name not in _NORMAL_THROTTLE and isinstance(share, int | float) and share > 0:
                causes.append(f"{name} in {share:.0%} of the windows' samples")
    return causes


def _invalid_lines(record: "Record") -> list[str]:
    """Return the reasons of hatched windows, each once with its cure."""
    codes = [reason.code for reason in record.reasons] if record.status != "ok" else []
    for window in record.windows:
        for energy in window.energy:
            codes.extend(energy.reasons if energy.joules is None else ())
    return [f"Hatched: {diagnostics.sentence(code)}." for code in diagnostics.unique(codes)]
