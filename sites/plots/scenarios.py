"""Plots of scenarios on matplotlib axes (exceedance, fan, tornado and switch map) and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sites.plots import files as plots
from sites.plots.library import use_matplotlib
from sites.plots.palette import LIGHT
from sites.scenarios.distributions import LEVELS, exceeded, label_of
from sites.scenarios.metrics import fleet_metric, unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sites.arrays import Floats
    from sites.scenarios.causes import Tornado
    from sites.scenarios.engine import FleetRun

COLUMN = {name: column for column, name in enumerate(LEVELS)}  # of `fan_levels`


def exceedance(axes: Any, run: FleetRun, colours: Mapping[str, str] = LIGHT, metric: str = "net_usd") -> None:
    """Draw the exceedance curve of a fleet's metric, with P90, P50 and P10 marked."""
    values = np.sort(fleet_metric(run, metric))
    values = values[np.isfinite(values)]
    axes.plot(100.0 * (1.0 - (np.arange(values.size) + 0.5) / values.size), values, color=colours["spread"])
    for level in (0.9, 0.5, 0.1):
        axes.plot(100 * level, exceeded(values, level), "o", color=colours["ink"], markersize=4)
        axes.annotate(
            f"P{100 * level:.0f}", (100 * level, exceeded(values, level)), xytext=(4, 4), textcoords="offset points",
            color=colours["ink"],
        )  # fmt: skip
    axes.set_xlabel("probability of exceedance [%]", color=colours["ink"])
    axes.set_ylabel(f"{metric} [{unit_of(metric)} a year]", color=colours["ink"])
    count = len(run.cases)
    axes.set_title(f"{run.scenarios} scenarios of {count} {'site' if count == 1 else 'sites'}", color=colours["ink"])
    _in_prefixes(axes.yaxis)
    _plain(axes, colours)


def fan(axes: Any, levels_by_year: Floats, colours: Mapping[str, str] = LIGHT, label: str = "net USD a year") -> None:
    """Draw the levels of each year (see `fan_levels`), shape [years, levels], as a fan."""
    years = np.arange(1, levels_by_year.shape[0] + 1)
    for low, high, alpha in (("p99", "p01", 0.15), ("p90", "p10", 0.3)):
        axes.fill_between(
            years, levels_by_year[:, COLUMN[low]], levels_by_year[:, COLUMN[high]], color=colours["spread"],
            alpha=alpha, linewidth=0, label=f"{label_of(low)} to {label_of(high)}",
        )  # fmt: skip
    axes.plot(years, levels_by_year[:, COLUMN["p50"]], color=colours["ink"], marker="o", markersize=3, label="P50")
    axes.axhline(0.0, color=colours["muted"], linewidth=0.8)
    axes.set_xticks(years)
    axes.set_xlabel("year", color=colours["ink"])
    _in_prefixes(axes.yaxis)
    axes.set_ylabel(label, color=colours["ink"])
    axes.legend(frameon=False, labelcolor=colours["ink"])
    _plain(axes, colours)


def fan_levels(values: Floats) -> Floats:
    """Return the values exceeded with the probabilities of LEVELS, [years, levels], from values [years, scenarios]."""
    return np.array([[exceeded(year, level) for level in LEVELS.values()] for year in values])


def tornado(axes: Any, causes: Tornado, colours: Mapping[str, str] = LIGHT) -> None:
    """Draw the range from P90 to P10 that each input causes, the largest share of the spread on top."""
    ranked = causes.causes[::-1]
    for row, cause in enumerate(ranked):
        axes.barh(row, cause.p10 - cause.p90, left=cause.p90, color=colours["spread"], height=0.6)
        axes.annotate(
            f"{cause.share_frac:.0%}", (max(cause.p10, cause.p90), row), xytext=(4, -3), textcoords="offset points",
            color=colours["ink"],
        )  # fmt: skip
    axes.axvline(causes.base, color=colours["ink"], linewidth=0.8)
    axes.set_yticks(range(len(ranked)), [cause.name.replace("_", " ") for cause in ranked])
    axes.set_xlabel(f"{causes.metric} [{unit_of(causes.metric)}], P90 to P10 of single inputs", color=colours["ink"])
    _in_prefixes(axes.xaxis)
    _plain(axes, colours)


def switch_map(  # noqa: PLR0913, PLR0917
    axes: Any,
    shares: Floats,
    btc_usd: Sequence[float],
    prices: Sequence[float],
    colours: Mapping[str, str] = LIGHT,
    unit: str = "USD/Mtok",
) -> None:
    """Draw the best shares of conversion [inference prices, BTC prices] over both prices."""
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list("share", [colours["mining"], colours["paper"], colours["inference"]])
    axes.pcolormesh(btc_usd, prices, shares, cmap=scale, vmin=0.0, vmax=1.0, shading="nearest")
    for i, price in enumerate(prices):
        for j, btc in enumerate(btc_usd):
            contrasting = colours["ink" if 0.25 < shares[i, j] < 0.75 else "paper"]  # the ends of the scale are dark
            axes.text(btc, price, f"{shares[i, j]:.0%}", ha="center", va="center", fontsize=7, color=contrasting)
    axes.set_xlabel("BTC price [USD]", color=colours["ink"])
    axes.set_ylabel(f"inference price [{unit}]", color=colours["ink"])
    axes.set_title("share of the site worth converting", color=colours["ink"])
    _plain(axes, colours)


def _in_prefixes(axis: Any) -> None:
    """Label the axis with SI prefixes (260M) instead of a power of ten at its end."""
    from matplotlib.ticker import EngFormatter

    axis.set_major_formatter(EngFormatter(sep=""))


def _plain(axes: Any, colours: Mapping[str, str]) -> None:
    axes.set_facecolor(colours["paper"])
    axes.tick_params(colors=colours["ink"])
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(colours["muted"])


def save(folder: Path, name: str, draw: Callable[[Any], None]) -> Path:
    """Draw on new axes and write NAME.svg to a folder, completely or not at all."""
    use_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    draw(figure.subplots())
    path = folder / f"{name}.svg"
    plots.save(figure, path)
    return path


def scenario_files(run: FleetRun, causes: Tornado, levels_by_year: Floats, folder: Path) -> list[Path]:
    """Write exceedance.svg, tornado.svg and fan.svg to a folder; `levels_by_year` is as for `fan`."""
    return [
        save(folder, "exceedance", lambda axes: exceedance(axes, run)),
        save(folder, "tornado", lambda axes: tornado(axes, causes)),
        save(folder, "fan", lambda axes: fan(axes, levels_by_year)),
    ]
