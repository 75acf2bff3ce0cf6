"""The chart of a fleet: one figure of each unit with its interval, the mean, and the range of nine units of ten."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.fleet.study import Study
from bench.fleet.table import figure_name, range_text, title_of, unit_name
from bench.quantity import quantity
from bench.report.charts.svg import COLOURS, Chart, Mark, render
from bench.report.text import plus_minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_MOST_NAMES = 3


def units_chart(key: str, study: Study) -> Chart:
    """Draw the units of one model from the lowest figure to the highest; outliers are named."""
    unit, between = study.kind.unit, study.spread
    middle = between.mean if between is not None else study.units[0].value
    factor, label = _scale(middle, unit)
    named = ", ".join(unit_name(one) for one in study.outliers[:_MOST_NAMES])
    summary = f"{len(study.units)} units, mean {quantity(middle, unit)}"
    if between is not None:
        summary += f", spread {between.sd_frac:.2%}; nine of ten units lie in {range_text(study)}"
    summary += f"; outliers: {named or 'none' if study.deviations is not None else 'not tested'}."

    def draw(figure: "Canvas", narrow: bool) -> Iterable[Mark]:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        if between is not None:
            quantiles = between.quantiles()
            low, high = quantiles[0.05][0] * factor, quantiles[0.95][0] * factor
            axes.axhspan(low, high, color=COLOURS["spread"], alpha=0.12, linewidth=0, zorder=1)
            axes.axhline(middle * factor, color=COLOURS["spread"], linewidth=1.2, zorder=2)
        for at, one in enumerate(study.units):
            below, above = one.interval or (one.value, one.value)
            colour = COLOURS["bad" if one in study.outliers else "measured"]
            axes.errorbar(
                at + 1, one.value * factor, yerr=[[(one.value - below) * factor], [(above - one.value) * factor]],
                fmt="D", markersize=4.5 if narrow else 5.5, color=colour, capsize=2, zorder=3,
            )  # fmt: skip
            if one in study.outliers[:_MOST_NAMES]:
                axes.annotate(
                    unit_name(one), (at + 1, one.value * factor), xytext=(7, 5), textcoords="offset points",
                    fontsize=9, color=COLOURS["bad"],
                )  # fmt: skip
        axes.set(xlabel="units, by the figure", ylabel=f"{study.kind.group} [{label}]")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(0.05, 0.12)
        return [Mark(axes, at + 1, one.value * factor, describe(study, at)) for at, one in enumerate(study.units)]

    return render(key, f"{title_of(study.model)}: {figure_name(study.kind)}", summary, draw, heights=(340.0, 320.0))


def describe(study: Study, at: int) -> str:
    """Return the text of one unit."""
    one = study.units[at]
    parts = [f"{', '.join(one.hosts)}: {unit_name(one)}", quantity(one.value, study.kind.unit)]
    parts.append(plus_minus(one.value, one.interval))
    if study.deviations is not None:
        deviation = study.deviations[at]
        parts.append(f"{deviation.frac:+.2%} from expected{', an outlier' if deviation.is_outlier else ''}")
    return " · ".join(parts)


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return the factor and the unit by which the axis is labelled as the field does."""
    number, _, label = quantity(value, unit).partition(" ")
    return 10.0 ** round(math.log10(float(number.replace(",", "")) / value)), label
