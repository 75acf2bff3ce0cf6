"""The chart of the site filled with one device type at a time: the net of a year and its spread."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.quantity import plain, si
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sites.scenarios.one_device import Alone

_TICKS = (5, *(step * 10**decade for decade in range(1, 5) for step in (1, 2, 5)))


def alone_blocks(devices: "tuple[Alone, ...]") -> list[Chart]:
    """Return the chart, or none if nothing was computed or no device is worth running."""
    shown = [one for one in devices if one.spread.p10 > 0]
    if not shown:
        return []
    best = max(shown, key=lambda one: one.net_usd)
    idle = [one.name for one in devices if one not in shown]

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        marks = []
        rows = list(range(len(shown), 0, -1))
        for row, one in zip(rows, shown, strict=True):
            colour = COLOURS["inference" if one.tokens_per_day else "mining"]
            low, middle, high = one.spread.p90 / 1e6, one.spread.p50 / 1e6, one.spread.p10 / 1e6
            axes.barh(row, high - low, left=low, height=0.5, color=colour, alpha=0.5)
            axes.plot([middle, middle], [row - 0.3, row + 0.3], color=colour, linewidth=3)
            marks.append(Mark(axes, low, row - 0.4, _words(one), x_to=high, y_to=row + 0.4))
        axes.set_xscale("symlog", linthresh=10.0, linscale=0.7)
        left, right = axes.get_xlim()
        ticks = [sign * tick for tick in _TICKS for sign in (-1, 1) if left <= sign * tick <= right]
        axes.set_xticks([0, *ticks], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_xlim(min(left, 0.0), right)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        names = [f"{one.name[:17]}…" if narrow and len(one.name) > 18 else one.name for one in shown]
        axes.set_yticks(rows, [printable(name) for name in names])
        axes.set_xlabel("million USD per year" if narrow else "million USD per year, logarithmic above 10")
        axes.grid(visible=False, axis="y")
        return marks

    height = 90.0 + 34.0 * len(shown)
    return [
        render(
            "alone", "The same site filled with one device type, before capital cost",
            f"Revenue less energy cost of a year: bars from P90 to P10, the line at P50. Highest: {best.name}, "
            f"{si(best.net_usd, 'USD')} without uncertainty.", draw,
            notes=tuple(f"Not drawn: {name}, which earns less than its power costs in every hour." for name in idle),
            heights=(height, height),
        )
    ]  # fmt: skip


def _words(one: "Alone") -> str:
    made = f"{plain(one.tokens_per_day / 1e9)} G tokens" if one.tokens_per_day else f"{plain(one.btc_per_day)} BTC"
    return (
        f"{one.name} · {made} a day · rate {one.basis} · P90 {si(one.spread.p90, 'USD')}, "
        f"P50 {si(one.spread.p50, 'USD')}, P10 {si(one.spread.p10, 'USD')}"
    )
