"""The page's section of operating curves: the levels of each sweep, and those that may be the best."""

from typing import TYPE_CHECKING

from bench.quantity import plain, quantity, rate
from bench.report.blocks import Block, Cell, Chip, Facts, Missing, Section, Table, figure_cell
from bench.sweep.curve import curve_of, is_swept
from bench.sweep.words import sentences

if TYPE_CHECKING:
    from bench.report.gather import Gathered
    from bench.results.record import Record
    from bench.sweep.curve import Curve, Figure

_CHARTS = 4  # curves that are drawn


def section(gathered: "Gathered") -> Section | None:
    """Return the section, or None for a page without a sweep."""
    runs: dict[str, list[Record]] = {}
    for record in gathered.valid:
        if is_swept(record):
            runs.setdefault(record.run.run_id, []).append(record)
    curves = [curve_of(run) for run in reversed(list(runs.values())) if any(record.rate for record in run)]
    if not curves:
        return None
    blocks: list[Block] = []
    for number, curve in enumerate(curves):
        blocks.extend(_of_curve(number, curve))
    if len(curves) > _CHARTS:
        blocks.append(Missing(f"{len(curves) - _CHARTS} more curves", "the page draws the newest; the tables have all"))
    return Section(
        "curves",
        "Operating curves: each level of a lever",
        "One workload at several levels of power, clocks or modes of one device. The best level is a range: the levels "
        "that the measurement cannot tell from the best.",
        tuple(blocks),
    )


def _of_curve(number: int, curve: "Curve") -> list[Block]:
    first = curve.records[0]
    title = f"{first.device.name}, {first.workload.name}, {curve.lever}, {first.run.started_utc:%Y-%m-%d %H:%M} UTC"
    blocks: list[Block] = []
    if number < _CHARTS and len(curve.points) > 1:
        from bench.report.charts.curve import curve_chart

        blocks.append(curve_chart(f"chart-curve-{number}", title, curve))
    blocks.append(_table(number, title, curve))
    blocks.append(Facts(f"Best levels: {title}", tuple(sentences(curve))))
    return blocks


def _table(number: int, title: str, curve: "Curve") -> Table:
    unit = curve.records[0].workload.unit
    rows = tuple(
        (
            Cell(point.level, chips=(Chip("may be the best", "good"),) if point.alike else ()),
            figure_cell(plain(point.power.value), point.power.value) if point.power else figure_cell("-", None),
            figure_cell(rate(point.rate.value, f"{unit}/s"), point.rate.value),
            Cell(_half(point.rate)),
            figure_cell(quantity(point.energy.value, f"J/{unit}"), point.energy.value)
            if point.energy
            else figure_cell("not metered", None),
            Cell(_half(point.energy) if point.energy else "-"),
            figure_cell(str(len(point.records)), float(len(point.records))),
        )
        for point in curve.points
    )
    columns = ("Level", "Power W", "Rate", "Interval", "Energy per unit", "Interval of the energy", "Visits")
    return Table(f"curve-{number}", title, columns, rows, frozenset({1, 2, 4, 6}), sortable=True)


def _half(figure: "Figure") -> str:
    if figure.interval is None:
        return "one window"
    return f"± {(figure.interval[1] - figure.interval[0]) / 2.0 / figure.value:.2%}"
