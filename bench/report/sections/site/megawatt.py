"""The chart of one megawatt of the site with each device type: the net of a year after capital, and its spread."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.quantity import plain, si
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sites.perspective.one_device import Megawatt

_LINEAR_M_USD = 0.2  # the axis is linear up to here and logarithmic beyond, so that miners and GPUs are both legible
_TICKS_M_USD = (0.1, *(step * 10**decade for decade in range(4) for step in (0.2, 0.5, 1.0)))


def megawatt_blocks(devices: "tuple[Megawatt, ...]") -> list[Chart]:
    """Return the chart, or none if nothing was computed or no price is known."""
    priced = [device for device in devices if device.net_after_capital_usd is not None]
    if not priced:
        return []
    best = max(priced, key=lambda device: device.spread.p50)

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        marks = []
        rows = list(range(len(priced), 0, -1))
        for row, device in zip(rows, priced, strict=True):
            colour = COLOURS[device.product]
            low, middle, high = device.spread.p90 / 1e6, device.spread.p50 / 1e6, device.spread.p10 / 1e6
            axes.barh(row, high - low, left=low, height=0.5, color=colour, alpha=0.5)
            axes.plot([middle, middle], [row - 0.3, row + 0.3], color=colour, linewidth=3)
            marks.append(Mark(axes, low, row - 0.4, _words(device), x_to=high, y_to=row + 0.4))
        axes.axvline(0.0, color=COLOURS["muted"], linewidth=1)
        axes.set_xscale("symlog", linthresh=_LINEAR_M_USD, linscale=0.7)
        left, right = axes.get_xlim()
        ticks = [sign * tick for tick in _TICKS_M_USD for sign in (-1, 1) if left <= sign * tick <= right]
        axes.set_xticks([0, *(ticks[::2] if narrow else ticks)], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_xlim(min(left, 0.0), max(right, 0.0))
        axes.xaxis.set_major_formatter("{x:g}")
        names = [f"{device.name[:17]}…" if narrow and len(device.name) > 18 else device.name for device in priced]
        axes.set_yticks(rows, [printable(name) for name in names])
        unit = "million USD per MW and year"
        axes.set_xlabel(unit if narrow else f"{unit}, logarithmic beyond {_LINEAR_M_USD:g}")
        axes.grid(visible=False, axis="y")
        return marks

    height = 90.0 + 34.0 * len(priced)
    return [
        render(
            "megawatt", "One megawatt of the site with each device type, after capital cost",
            "Revenue less the cost of power and capital in a year: bars from P90 to P10, the line at P50. Highest P50: "
            f"{best.name}, {si(best.spread.p50, 'USD')}.", draw,
            notes=tuple(f"Not drawn: {device.name}, whose price is unknown; before capital it earns "
                        f"{si(device.net_usd, 'USD')} per MW." for device in devices if device not in priced),
            heights=(height, height),
        )
    ]  # fmt: skip


def _words(device: "Megawatt") -> str:
    output = (
        f"{plain(device.tokens_per_day / 1e9)} G tokens"
        if device.product == "inference"
        else f"{plain(device.btc_per_day)} BTC"
    )
    return (
        f"{device.name} · {output} a day · rate {device.basis} · P90 {si(device.spread.p90, 'USD')}, "
        f"P50 {si(device.spread.p50, 'USD')}, P10 {si(device.spread.p10, 'USD')}"
    )
