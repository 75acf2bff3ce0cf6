"""Power against rate on logarithmic axes: lines of equal efficiency, the catalogue, and over it what was measured."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.quantity import efficiency, plain, rate, si
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.report.device_points import Point

_TITLES = {
    "hash": ("Hashing: power against hash rate", "J/TH", "hash rate", "hash/s"),
    "flop": ("Matrix products: power against rate", "FLOP/J", "dense matrix product", "flop/s"),
}
_TERA = 1e12
_NAMED = 7
_ISO_FLOP_PER_J = tuple(step * 10.0**power for power in range(7, 14) for step in (1.0, 2.0, 5.0))


def power_against_rate(unit: str, points: "Sequence[Point]") -> Chart:
    """Draw devices by rate and power; what has no power is named at the edge that it would stand beyond."""
    title, efficiency, what, in_unit = _TITLES[unit]
    placed = sorted((point for point in points if point.power_w), key=lambda point: point.here)
    bare = list(
        {point.title: point for point in sorted(points, key=_by_rate) if point.here and not point.power_w}.values()
    )
    rated, here = [p for p in placed if not p.here], [p for p in points if p.here]
    summary = (
        f"{len(rated)} points of the catalogue and {len(here)} measured here, {what} across, power upward; lines join "
        f"equal {efficiency}. {_best(unit, rated, 'in the catalogue')} {_best(unit, here, 'measured here')}".strip()
    )
    notes = []
    if bare:
        shown = ", ".join(dict.fromkeys(f"{point.title} at {rate(point.rate, in_unit)}" for point in bare[:4]))
        notes.append(f"Measured but not metered, so without a place on the power axis: {shown}.")
    if any(point.confidence == "unverified" for point in rated):
        notes.append("Hollow points rest on figures whose source could not be found again (unverified).")
    if unit == "flop" and rated:
        notes.append("Rated points are dense peaks (bf16, else fp16 or fp32) over thermal design power.")

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        named = _worth_naming(placed, best=1 if narrow else 3)
        (_hashing if unit == "hash" else _products)(axes, placed, named)
        _ticks(axes, unit, narrow=narrow)
        _at_the_edge(axes, bare[:3], in_unit)
        scale = _TERA if unit == "hash" else 1.0
        return [Mark(axes, point.rate / scale, point.power_w or 0.0, describe(unit, point)) for point in placed]

    return render(f"chart-{unit}", title, summary, draw, notes=notes, heights=(470.0, 420.0))


def _by_rate(point: "Point") -> float:
    return point.rate


def _worth_naming(placed: "Sequence[Point]", best: int) -> "set[str]":
    """Return which points carry their name: those measured here, the most efficient devices, the ends of the range."""
    ranked = sorted(placed, key=lambda point: point.joules_per_unit or math.inf)
    by_slug = {point.slug: point.name for point in reversed(ranked)}
    ends = max(placed, key=_by_rate), min(placed, key=_by_rate)
    here = [point.name for point in placed if point.here][:_NAMED]
    return {*list(by_slug.values())[::-1][:best], *(point.name for point in ends), *here}


def _best(unit: str, points: "Sequence[Point]", where: str) -> str:
    known = [(point.joules_per_unit, point) for point in points if point.joules_per_unit]
    if not known:
        return ""
    joules, point = min(known, key=lambda pair: pair[0])
    return f"Best {where}: {point.title}, {_efficiency(unit, joules)}."


def _efficiency(unit: str, joules: float) -> str:
    return efficiency(joules * _TERA) if unit == "hash" else si(1.0 / joules, "FLOP/J")


def _hashing(axes: "Axes", placed: "Sequence[Point]", named: set[str]) -> None:
    """Draw miners as `perwatt compare --plot` does."""
    from bench.compare import plot as plots_catalogue

    points = [
        plots_catalogue.DevicePoint(
            label=_short(point.title),
            rate_hash_s=point.rate,
            power_w=point.power_w or 0.0,
            basis=("measured" if point.power_basis == "measured" else "assumed") if point.here else "rated",
            confidence=point.confidence,
            rate_interval=point.rate_interval,
            power_interval=point.power_interval,
            named=point.name in named,
        )
        for point in placed
    ]
    plots_catalogue.power_against_rate(axes, points, COLOURS)


def _products(axes: "Axes", placed: "Sequence[Point]", named: set[str]) -> None:
    """Draw devices by dense matrix product and power, with lines of equal FLOP/J."""
    axes.set(xscale="log", yscale="log", xlabel="matrix product", ylabel="power")
    low_x, high_x = min(p.rate for p in placed) / 1.6, max(p.rate for p in placed) * 2.2
    low_y, high_y = min(p.power_w or 1.0 for p in placed) / 1.4, max(p.power_w or 1.0 for p in placed) * 1.6
    axes.set(xlim=(low_x, high_x), ylim=(low_y, high_y))
    for value in _ISO_FLOP_PER_J:
        start, end = max(low_x, low_y * value), min(high_x, high_y * value)
        if start < end:
            axes.plot([start, end], [start / value, end / value], color=COLOURS["grid"], linewidth=0.9, zorder=1)
            axes.annotate(
                si(value, "FLOP/J"), (end, end / value), xytext=(-3, -3), textcoords="offset points", ha="right",
                va="top", fontsize=8, color=COLOURS["muted"], zorder=1,
            )  # fmt: skip
    for point in placed:
        colour = COLOURS["measured" if point.here else "rated"]
        hollow = point.confidence == "unverified" or point.power_basis == "assumed"
        axes.errorbar(
            point.rate, point.power_w or 0.0, xerr=_bars(point.rate, point.rate_interval),
            yerr=_bars(point.power_w or 0.0, point.power_interval), fmt="D" if point.here else "o", markersize=6.5,
            color=colour, markerfacecolor="none" if hollow else colour, capsize=3, zorder=4 if point.here else 3,
        )  # fmt: skip
        if point.name in named:
            axes.annotate(
                _short(point.title), (point.rate, point.power_w or 0.0), xytext=(-7, 6), ha="right",
                textcoords="offset points", fontsize=9, color=COLOURS["ink"], zorder=5,
            )  # fmt: skip


def _short(title: str) -> str:
    text = printable(title)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _bars(value: float, interval: tuple[float, float] | None) -> list[list[float]] | None:
    if interval is None:
        return None
    return [[max(0.0, min(value - interval[0], value * 0.999))], [max(0.0, interval[1] - value)]]


def _ticks(axes: "Axes", unit: str, *, narrow: bool) -> None:
    """Label decades, or 1-2-5 where the range holds few of them, with units instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    scale, in_unit = (_TERA if unit == "hash" else 1.0), _TITLES[unit][3]
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        span = math.log10(high / low)
        fits = 4 if narrow and axis is axes.xaxis else 7
        subs = (1.0, 2.0, 5.0) if span * 3 <= fits else (1.0, 3.0) if span * 2 <= fits else (1.0,)
        axis.set_major_locator(LogLocator(base=10.0, subs=subs, numticks=fits + 1))
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: rate(value * scale, in_unit)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value, "W")))
    axes.set(xlabel="", ylabel="")


def _at_the_edge(axes: "Axes", bare: "Sequence[Point]", in_unit: str) -> None:
    for line, point in enumerate(bare):
        axes.annotate(
            f"◂ {_short(point.title)}: {rate(point.rate, in_unit)}, not metered", (0.0, 0.0),
            xycoords="axes fraction", xytext=(6, 8 + 14 * line), textcoords="offset points", fontsize=9,
            color=COLOURS["measured"], zorder=6,
        )  # fmt: skip


def describe(unit: str, point: "Point") -> str:
    """Return what a point says when it is pointed at: figures, basis, interval, sources."""
    joules = point.joules_per_unit
    shown = rate(point.rate, _TITLES[unit][3])
    parts = [
        f"{point.title} ({point.note})" if point.note and point.note != point.title else point.title,
        f"{shown} {point.dtype}".strip()
        + f", {point.basis}"
        + (f" {point.interval_text}" if point.interval_text else ""),
        f"{plain(point.power_w)} W {point.boundary}, {point.power_basis}" if point.power_w else "not metered",
        *([_efficiency(unit, joules)] if joules else []),
        *([f"confidence {point.confidence}"] if point.confidence else []),
        "sources: " + ("; ".join(link.text for link in point.sources) or "none"),
    ]
    return " · ".join(parts)
