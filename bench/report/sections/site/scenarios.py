"""The scenario part of section 5: P50 and P90, the fan from P99 to P1, and the tornado of the drivers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.quantity import plain, si
from bench.report.blocks import Block, Cell, Table, figure_cell
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sites.scenarios.causes import Tornado
    from sites.scenarios.distributions import Distribution
    from sites.scenarios.outlook import Outlook

_PER_MWH = {
    "net_usd_per_mwh": ("net of the site, per metered MWh", "ink"),
    "mining_usd_per_mwh": ("mining revenue, per MWh (facility)", "mining"),
    "inference_usd_per_mwh": ("inference revenue, per MWh (facility)", "inference"),
}
_YEAR = {"net_usd": "net", "revenue_usd": "revenue", "energy_usd": "energy", "btc": "BTC", "tokens": "tokens"}


def scenario_blocks(outlook: "Outlook") -> list[Block]:
    """Return the fan, the tornado and the table."""
    return [_fan(outlook), _tornado(outlook.tornado), _table(outlook)]


def _some(outlook: "Outlook", names: Iterable[str]) -> "list[tuple[str, Distribution]]":
    return [(name, one) for name in names if (one := outlook.fleet[name]) is not None]


def _fan(outlook: "Outlook") -> Chart:
    shown = _some(outlook, _PER_MWH)
    summary = "; ".join(
        f"{_PER_MWH[name][0]}: P50 {plain(one.p50)}, P90 {plain(one.p90)} USD/MWh" for name, one in shown
    )

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        marks = []
        for axes, (name, one) in zip(panels, shown, strict=True):
            label, colour = _PER_MWH[name]
            for low, high, alpha in ((one.p99, one.p01, 0.25), (one.p90, one.p10, 0.5)):
                axes.barh(0, high - low, left=low, height=0.5, color=COLOURS[colour], alpha=alpha)
            axes.plot([one.p50, one.p50], [-0.32, 0.32], color=COLOURS[colour], linewidth=3)
            axes.set_yticks([])
            axes.set_ylim(-0.5, 0.5)
            axes.set_title(label.partition(",")[0] if narrow else label, loc="left")
            axes.xaxis.set_major_formatter("{x:,.0f}")
            marks.append(Mark(axes, one.p99, -0.4, _describe(label, one), x_to=one.p01, y_to=0.4))
        panels[-1].set_xlabel("USD/MWh")
        return marks

    return render(
        "fan", "P50 and P90 of a megawatt-hour", f"{outlook.run.scenarios:,} scenarios of a year. {summary}.", draw,
        notes=("The line is P50; the dark band spans P90 to P10, the light one P99 to P1 (exceedance).",),
        heights=(90.0 * len(shown) + 40.0, 90.0 * len(shown) + 40.0),
    )  # fmt: skip


def _describe(label: str, one: "Distribution") -> str:
    levels = ", ".join(f"{name} {plain(value)}" for name, value in one.by_label().items())
    return f"{label} · {levels} USD/MWh · mean of the worst 5 %: {plain(one.cvar)}"


def _tornado(drivers: "Tornado") -> Chart:
    from sites.scenarios.causes import TORNADO_METHOD

    causes = drivers.causes
    largest = f"{causes[0].name} causes {causes[0].share_frac:.0%} of it" if causes else "nothing varies"
    summary = f"Spread of the year's net in USD, one input at a time, from its P90 to its P10; {largest}."

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:  # noqa: ARG001 (Draw's signature)
        axes = figure.subplots()
        rows = list(range(len(causes), 0, -1))
        widths = [(cause.p10 - cause.p90) / 1e6 for cause in causes]
        axes.barh(rows, widths, left=[cause.p90 / 1e6 for cause in causes], color=COLOURS["spread"], height=0.6)
        axes.axvline(drivers.base / 1e6, color=COLOURS["ink"], linewidth=1.4)
        axes.set_yticks(rows, [printable(f"{cause.name} ({cause.share_frac:.0%})") for cause in causes])
        axes.set_xlabel("million USD per year")
        axes.grid(visible=False, axis="y")
        return [
            Mark(axes, cause.p90 / 1e6, row - 0.35,
                 f"{cause.name} · {cause.share_frac:.1%} of the variances · P90 {si(cause.p90, 'USD')}, "
                 f"P10 {si(cause.p10, 'USD')}", x_to=cause.p10 / 1e6, y_to=row + 0.35)
            for row, cause in zip(rows, causes, strict=True)
        ]  # fmt: skip

    height = 80.0 + 30.0 * max(1, len(causes))
    note = f"{TORNADO_METHOD[0].upper()}{TORNADO_METHOD[1:]}."
    return render("tornado", "Drivers of the spread in net", summary, draw, notes=(note,), heights=(height, height))


def _table(outlook: "Outlook") -> Table:
    from sites.scenarios.distributions import LEVELS, label_of
    from sites.scenarios.metrics import unit_of

    rows = []
    for name, one in _some(outlook, (*_PER_MWH, *_YEAR)):
        values = (one.mean, *one.by_label().values(), one.cvar)
        shown = _PER_MWH[name][0] if name in _PER_MWH else f"{_YEAR[name]}, per year"
        cells = tuple(figure_cell(_short(value), value) for value in values)
        rows.append((Cell(shown, note=unit_of(name)), *cells))
    columns = ("Figure", "Mean", *map(label_of, LEVELS), "Worst 5 %")
    return Table(
        "scenario-table", f"All sites together over {outlook.run.scenarios:,} scenarios, seed {outlook.run.run.seed}",
        columns, tuple(rows), frozenset(range(1, len(columns))), sortable=True,
        note="Pn is exceeded in n of 100 scenarios, for costs too. The scenarios are a model; "
        "`perwatt yield --scenarios` accepts your own.",
    )  # fmt: skip


def _short(value: float) -> str:
    return plain(value) if abs(value) < 1e6 else si(value, "").strip()
