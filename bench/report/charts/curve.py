"""The chart of an operating curve: joules per unit of work against power, a point for each level."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.quantity import plain, quantity, rate
from bench.report.charts.svg import COLOURS, Chart, Mark, render
from bench.sweep.plot import draw, spot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.sweep.curve import Curve, CurvePoint


def curve_chart(key: str, title: str, curve: "Curve") -> Chart:
    """Draw the levels of one sweep; those that may be the best are filled."""

    def drawing(figure: "Figure", _narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        draw(axes, curve, COLOURS)
        spots = [(point, *spot(curve, point)) for point in curve.points]
        return [Mark(axes, x, shown.value, _words(curve, point)) for point, x, shown in spots]

    summary = f"{len(curve.points)} levels of {curve.lever}; may be the best: {', '.join(curve.range)}."
    return render(key, title, summary, drawing, notes=["Filled levels may be the best; bars are 95 % intervals."])


def _words(curve: "Curve", point: "CurvePoint") -> str:
    unit = curve.records[0].workload.unit
    parts = [point.level, rate(point.rate.value, f"{unit}/s")]
    if point.power is not None:
        parts.append(f"{plain(point.power.value)} W")
    if point.energy is not None:
        parts.append(quantity(point.energy.value, f"J/{unit}"))
    return " · ".join(parts)
