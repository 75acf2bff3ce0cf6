"""Files of the drawings in sites.plots.drawings, and the backtest's: SVG, PNG or PDF, whole or not at all."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.waterfall import waterfalls
from sites.files import slugs, write_file
from sites.plots import drawings
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
    """Write a figure whole or not at all; the same figure gives the same bytes.

    Raises InputError for another ending.
    """
    import matplotlib as mpl

    if path.suffix not in METADATA:
        raise InputError.at(path, expected=f"a name that ends in {', '.join(METADATA)}", got=path.suffix)
    for axes in figure.axes:
        _take_names_literally(axes)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "perwatt"}), warnings.catch_warnings():
        # A name in a script that the bundled font lacks is drawn as boxes; the tables say it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format=path.suffix[1:], dpi=150, metadata=METADATA[path.suffix])
    write_file(path, buffer.getvalue())


def _take_names_literally(axes: Axes) -> None:
    """Draw dollar signs as such: in titles, labels and legends they come from site files; the axes' ticks are ours."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    for part in axes.get_children():
        if not isinstance(part, Axis):
            for text in part.findobj(Text):
                text.set_parse_math(False)


def _panels(rows: int, height: float, ratios: Sequence[float] | None = None) -> tuple[Figure, list[Axes]]:
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
    """Save the duration curves of power and price of a year that was run hour by hour."""
    figure, (load, price) = _panels(2, 7.0)
    drawings.load_duration(load, year, LIGHT)
    load.set_title(f"{year.site.name}: power, from the fullest hour to the emptiest")
    load.legend(frameon=False)
    drawings.price_duration(price, year, LIGHT)
    _readable(price, year)
    price.set_xlabel("per cent of the hours")
    save(figure, path)


def _readable(axes: Axes, year: SiteYear) -> None:
    """Let a few extreme hours run out of the picture instead of flattening all the others."""
    found = drawings.prices(year)
    low, high = (float(edge) for edge in np.quantile(found, (0.002, 0.998)))
    high = max([high, *(worth for _, _, worth in drawings.deciding_worths(year))])
    axes.set_yscale(
        "linear" if high < 20 * max(1.0, float(np.median(found))) else "symlog",
        **({} if high < 20 * max(1.0, float(np.median(found))) else {"linthresh": 100.0}),
    )
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(min(low, 0.0) * 1.15, high * 1.2 or 1.0)


def week_file(year: SiteYear, path: Path) -> None:
    """Save the dispatch and the price of the week in which the dispatch changes most."""
    figure, (drawn, price) = _panels(2, 6.0, (3, 1))
    first_hour = drawings.busiest_week(year)
    drawings.dispatch_week(drawn, year, LIGHT, first_hour)
    drawn.set_title(f"{year.site.name}: the week in which the dispatch changes most")
    drawn.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    drawings.price_week(price, year, LIGHT, first_hour)
    save(figure, path)


def waterfall_file(year: SiteYear, path: Path) -> None:
    """Save every product's way from nameplate to sold."""
    falls = waterfalls(year)
    figure, axes = _panels(len(falls), 3.6 * len(falls))
    for panel, fall in zip(axes, falls, strict=True):
        drawings.waterfall(panel, fall, LIGHT)
        panel.grid(visible=False, axis="y")
        panel.set_title(f"{year.site.name}: {fall.product}, nameplate to sold")
    save(figure, path)


def year_files(years: Sequence[SiteYear], folder: Path, ending: str = ".svg") -> list[Path]:
    """Save duration curves, dispatch week and waterfall of years that were run hour by hour; return the paths.

    The files are named after their sites as the files of a run are, no two alike.
    """
    made = []
    for year, stem in zip(years, slugs(year.site.name for year in years), strict=True):
        for name, draw in (("duration", duration_file), ("week", week_file), ("waterfall", waterfall_file)):
            path = folder / f"{stem}-{name}{ending}"
            draw(year, path)
            made.append(path)
    return made


def backtest_file(outcomes: Sequence[Outcome], path: Path) -> None:
    """Save the error of every accepted month over time, with the bound that the recent ones are held to."""
    from sites.backtest.backtest import BOUND_FRAC

    accepted = sorted((o for o in outcomes if o.error_frac is not None), key=lambda o: o.report.month)
    figure, (axes,) = _panels(1, 4.2)
    months = sorted({outcome.report.month for outcome in accepted})
    for index, company in enumerate(dict.fromkeys(outcome.report.company for outcome in accepted)):
        mine = [outcome for outcome in accepted if outcome.report.company == company]
        axes.plot(
            [months.index(outcome.report.month) for outcome in mine],
            [100.0 * (outcome.error_frac or 0.0) for outcome in mine],
            "o",
            color=COMPANIES[index % len(COMPANIES)],
            label=company,
        )
    axes.axhspan(-100.0 * BOUND_FRAC, 100.0 * BOUND_FRAC, color=LIGHT["muted"], alpha=0.25, label="±1 %")
    axes.set_xticks(range(len(months)), months, rotation=60, ha="right")
    axes.set_ylabel("predicted less reported, per cent")
    axes.set_title("Subsidy-only prediction against monthly production; fees are not predicted")
    if accepted:
        axes.legend(frameon=False, ncols=2)
    save(figure, path)
