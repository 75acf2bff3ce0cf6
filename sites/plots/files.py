"""The plot files (SVG, PNG or PDF) of site years and of the backtest, written completely or not at all."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_profiles.errors import InputError
from sites.backtest.backtest import BOUND_FRAC
from sites.dispatch.waterfall import waterfalls
from sites.files import slugs, write_file
from sites.plots import year as year_plots
from sites.plots.library import use_matplotlib
from sites.plots.palette import COMPANIES, LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sites.backtest.backtest import Outcome
    from sites.dispatch.year import SiteYear

METADATA: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}


def save(figure: Figure, path: Path) -> None:
    """Write a figure completely or not at all; the same figure gives the same bytes.

    Raises
    ------
    InputError
        The path does not end in .svg, .png or .pdf.
    """
    use_matplotlib()
    import matplotlib as mpl

    if path.suffix not in METADATA:
        raise InputError.at(path, expected=f"a name that ends in {', '.join(METADATA)}", got=path.suffix)
    for axes in figure.axes:
        _disable_math(axes)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "perwatt"}), warnings.catch_warnings():
        # Letters that the bundled font lacks are drawn as boxes; the tables have the full names.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format=path.suffix[1:], dpi=150, metadata=METADATA[path.suffix])
    write_file(path, buffer.getvalue())


def _disable_math(axes: Axes) -> None:
    """Draw dollar signs as text: names in titles, labels and legends come from site files."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    for part in axes.get_children():
        if not isinstance(part, Axis):
            for text in part.findobj(Text):
                text.set_parse_math(False)


def _panels(rows: int, height: float, ratios: Sequence[float] | None = None) -> tuple[Figure, list[Axes]]:
    use_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, height), layout="constrained")
    grid = figure.add_gridspec(rows, 1, height_ratios=list(ratios) if ratios else None)
    axes = [figure.add_subplot(grid[row]) for row in range(rows)]
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(visible=True, axis="y", color=LIGHT["grid"])
        panel.set_axisbelow(True)
    return figure, axes


def duration_file(year: SiteYear, path: Path) -> None:
    """Save the duration curves of power and price of a year that was run with `hourly=True`."""
    figure, (load, price) = _panels(2, 7.0)
    year_plots.load_duration(load, year, LIGHT)
    load.set_title(f"{year.site.name}: power, from the highest to the lowest hour")
    load.legend(frameon=False)
    year_plots.price_duration(price, year, LIGHT)
    _limit_range(price, year)
    price.set_xlabel("share of the hours [%]")
    save(figure, path)


def _limit_range(axes: Axes, year: SiteYear) -> None:
    """Cut off a few extreme hours, which would flatten the curve of all others."""
    price = year_plots.prices(year)
    low, high = (float(edge) for edge in np.quantile(price, (0.002, 0.998)))
    high = max([high, *(worth for _, _, worth in year_plots.deciding_worths(year))])
    if high < 20 * max(1.0, float(np.median(price))):
        axes.set_yscale("linear")
    else:
        axes.set_yscale("symlog", linthresh=100.0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(min(low, 0.0) * 1.15, high * 1.2 or 1.0)


def week_file(year: SiteYear, path: Path) -> None:
    """Save the dispatch and the price of the week in which the dispatch changes most."""
    figure, (drawn, price) = _panels(2, 6.0, (3, 1))
    first_hour = year_plots.busiest_week(year)
    year_plots.dispatch_week(drawn, year, LIGHT, first_hour)
    drawn.set_title(f"{year.site.name}: the week with the most changes of dispatch")
    drawn.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    year_plots.price_week(price, year, LIGHT, first_hour)
    save(figure, path)


def waterfall_file(year: SiteYear, path: Path) -> None:
    """Save the waterfall of losses of each product."""
    products = waterfalls(year)
    figure, axes = _panels(len(products), 3.6 * len(products))
    for panel, product in zip(axes, products, strict=True):
        year_plots.waterfall(panel, product, LIGHT)
        panel.grid(visible=False, axis="y")
        panel.set_title(f"{year.site.name}: {product.product}, nameplate to sold")
    save(figure, path)


def year_files(years: Sequence[SiteYear], folder: Path, ending: str = ".svg") -> list[Path]:
    """Save duration curves, dispatch week and waterfall of years that were run with `hourly=True`; return the paths.

    The files have unique names made from the names of their sites, as in the folder of a run.
    """
    paths = []
    for year in years:
        year.site.check_hourly("plots")
    for year, stem in zip(years, slugs(year.site.name for year in years), strict=True):
        for name, draw in (("duration", duration_file), ("week", week_file), ("waterfall", waterfall_file)):
            path = folder / f"{stem}-{name}{ending}"
            draw(year, path)
            paths.append(path)
    return paths


def backtest_file(outcomes: Sequence[Outcome], path: Path) -> None:
    """Save the errors of all accepted months over time, with the bound for recent months."""
    accepted = sorted(
        (outcome for outcome in outcomes if outcome.error_frac is not None), key=lambda outcome: outcome.report.month
    )
    figure, (axes,) = _panels(1, 4.2)
    months = sorted({outcome.report.month for outcome in accepted})
    for index, company in enumerate(dict.fromkeys(outcome.report.company for outcome in accepted)):
        reported = [outcome for outcome in accepted if outcome.report.company == company]
        axes.plot(
            [months.index(outcome.report.month) for outcome in reported],
            [100.0 * (outcome.error_frac or 0.0) for outcome in reported],
            "o",
            color=COMPANIES[index % len(COMPANIES)],
            label=company,
        )
    axes.axhspan(-100.0 * BOUND_FRAC, 100.0 * BOUND_FRAC, color=LIGHT["muted"], alpha=0.25, label="±1 %")
    axes.set_xticks(range(len(months)), months, rotation=60, ha="right")
    axes.set_ylabel("predicted less reported [%]")
    axes.set_title("Prediction from the subsidy (without fees) against monthly production")
    if accepted:
        axes.legend(frameon=False, ncols=2)
    save(figure, path)
