"""Section 3 of the page: the kernels, each with its fraction of the bound, and the rooflines of their devices."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.quantity import plain, rate
from bench.report.blocks import Block, Cell, Missing, Section, Table, figure_cell
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render
from bench.report.sections.serving import WORKLOAD
from bench.report.selection import latest
from bench.report.text import metric_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.report.gather import Gathered
    from bench.results.record import Metric, Record

_BARS = 24


def section(gathered: "Gathered") -> Section:
    """Return the section of kernels."""
    from bench.report.charts.roofline import rooflines

    newest = latest([record for record in gathered.valid if record.workload.name != WORKLOAD])
    blocks: list[Block] = []
    if not newest:
        blocks.append(Missing("Kernels", "no valid result on this page"))
    else:
        bounded = [(record, bound) for record in newest if (bound := bound_frac(record)) is not None]
        if bounded:
            blocks.append(_bound_chart(bounded))
        else:
            blocks.append(
                Missing(
                    "Fraction of the bound",
                    "no result on this page has a bound; `perwatt run sha256d_scan_cpu --all-variants` computes one",
                )
            )
        blocks.extend(rooflines(newest, gathered.catalogue))
        blocks.append(_table(newest))
    return Section(
        "kernels",
        "Kernels: how close to the bound",
        "One valid result of each workload and variant; a metered result is preferred, then the newest. Each variant "
        "reproduced known answers on its device before and after timing.",
        tuple(blocks),
    )


def bound_frac(record: "Record") -> "Metric | None":
    """Return the fraction of the bound of a record, the smallest where it has several."""
    fractions = [metric for name, metric in record.metrics.items() if name.startswith(("fraction_of", "bound_frac"))]
    return min(fractions, key=lambda metric: metric.value, default=None)


def _bound_chart(bounded: "list[tuple[Record, Metric]]") -> Chart:
    shown = sorted(bounded, key=lambda pair: -pair[1].value)[:_BARS]
    left_out = len(bounded) - len(shown)
    best = shown[0]
    summary = (
        f"Measured rate over the rate that a count of instructions or bytes allows. Closest: {_name(best[0])}, "
        f"{best[1].value:.1%}."
    )

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        rows = list(range(len(shown), 0, -1))
        axes.barh(rows, [metric.value * 100 for _, metric in shown], color=COLOURS["measured"], height=0.62)
        axes.axvline(100, color=COLOURS["ink"], linewidth=1.2)
        names = [printable(_name(record, short=narrow)) for record, _ in shown]
        axes.set_yticks(rows, names)
        axes.set(xlim=(0, max(105.0, *(metric.value * 104 for _, metric in shown))))
        axes.set_xlabel("per cent of the bound")
        axes.grid(visible=False, axis="y")
        for row, (_, metric) in zip(rows, shown, strict=True):
            axes.annotate(
                f"{metric.value:.0%}", (metric.value * 100, row), xytext=(-4, 0), textcoords="offset points",
                ha="right", va="center", color=COLOURS["paper"], fontsize=10,
            )  # fmt: skip
        return [
            Mark(axes, 0.0, row - 0.4, _describe(record, metric), x_to=metric.value * 100, y_to=row + 0.4)
            for row, (record, metric) in zip(rows, shown, strict=True)
        ]

    height = 70.0 + 26.0 * len(shown)
    notes = (f"{left_out} more are in the table below.",) if left_out else ()
    return render("chart-bound", "Fraction of the bound", summary, draw, notes=notes, heights=(height, height))


def _describe(record: "Record", metric: "Metric") -> str:
    shown = rate(record.rate.value, record.rate.unit) if record.rate else "no rate"
    note = f" · {metric.note}" if metric.note else ""
    return f"{_name(record)} · {metric.value:.1%} of the bound ({metric.basis}) · {shown}{note} · result {record.id}"


def _name(record: "Record", *, short: bool = False) -> str:
    work = record.workload
    return work.variant or work.name if short else f"{work.name} {work.variant}".strip()


def _table(records: "Sequence[Record]") -> Table:
    rows = []
    for record in records:
        cycles = record.metrics.get(f"cycles_per_{record.workload.unit}")
        bound = bound_frac(record)
        measured = record.rate
        rows.append((
            Cell(_name(record), note=record.device.name),
            figure_cell(rate(measured.value, measured.unit) if measured else "-", measured.value if measured else None),
            Cell(metric_interval(measured) if measured else "-"),
            figure_cell(plain(cycles.value) if cycles else "-", cycles.value if cycles else None),
            figure_cell(f"{bound.value:.1%}" if bound else "-", bound.value if bound else None),
            figure_cell(f"{_threads(record) or 0:g}" if _threads(record) else "-", _threads(record)),
            Cell(record.run.plan),
            figure_cell(_checks(record), float(len(record.workload.verification))),
        ))  # fmt: skip
    columns = (
        "Workload and variant",
        "Rate",
        "Interval",
        "Cycles per unit",
        "Fraction of bound",
        "Threads",
        "Plan",
        "Verified",
    )
    return Table("kernel-table", "Measured kernels", columns, tuple(rows), frozenset({1, 3, 4, 5, 7}), sortable=True)


def _checks(record: "Record") -> str:
    number = len(record.workload.verification)
    return f"{number} check{'' if number == 1 else 's'}"


def _threads(record: "Record") -> float | None:
    threads = record.workload.parameters.get("threads")
    return float(threads) if isinstance(threads, int | float) else None
