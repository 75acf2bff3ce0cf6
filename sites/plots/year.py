"""Plots of a site's year on matplotlib axes: a week of dispatch, duration curves and the waterfall of losses.

Each function takes axes and colours by name (see `palette`), so that the report page and plot files share them. The
year must have been run with `hourly=True`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.parts import meter_of_parts, value_curve
from sites.hours.calendar import WEEK_HOURS, zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from sites.arrays import Floats
    from sites.dispatch.waterfall import Waterfall
    from sites.dispatch.year import SiteYear

    Colours = Mapping[str, str]

NEGLIGIBLE = 1e-9
"""Steps whose factor differs from 1 by less are not drawn."""
_LINES = ("--", ":", "-.")
_KINDS = {"physical": "inference", "commercial": "mining", "economic": "bad"}


def metered_mw(year: SiteYear) -> Floats:
    """Return the power at the meter by hour and part of `year.labels` [MW], shape [T, parts].

    Raises
    ------
    InputError
        The year was not run with `hourly=True`.
    """
    if year.dispatch.mw is None:
        raise InputError.at(f"site {year.site.name}", expected="a year run hour by hour", got="its sums alone")
    drawn: Floats = year.dispatch.mw * meter_of_parts(year.site, year.labels).T
    return drawn


def prices(year: SiteYear) -> Floats:
    """Return the power price at the meter that decided each hour [USD/MWh], shape [T]; raise as `metered_mw` does."""
    if year.dispatch.price_usd_per_mwh is None:
        raise InputError.at(f"site {year.site.name}", expected="a year run hour by hour", got="its sums alone")
    return year.dispatch.price_usd_per_mwh


def busiest_week(year: SiteYear) -> int:
    """Return the first hour of the local week in which the dispatch changes most, or of the first week."""
    drawn = metered_mw(year).sum(axis=1)
    change = np.abs(np.diff(drawn, prepend=drawn[0])) + 1e-6 * np.abs(np.diff(prices(year), prepend=prices(year)[0]))
    mondays = np.flatnonzero(year.site.calendar.how == 0)
    mondays = mondays[mondays + WEEK_HOURS <= year.hours]
    sums = np.add.reduceat(change, mondays) if mondays.size else np.zeros(1)
    return int(mondays[int(sums[: mondays.size].argmax())]) if mondays.size else 0


def dispatch_week(axes: Axes, year: SiteYear, colours: Colours, first_hour: int) -> None:
    """Draw the stacked power of the parts in a week [MW at the meter], with the limit; raise as `metered_mw` does."""
    hours = slice(first_hour, first_hour + WEEK_HOURS)
    drawn = metered_mw(year)[hours]
    x = np.arange(drawn.shape[0] + 1) / 24.0
    floor = np.zeros(drawn.shape[0])
    drawn_of: dict[str, int] = {}
    for index, label in enumerate(year.labels):
        number = drawn_of[label.product] = drawn_of.get(label.product, -1) + 1
        top = floor + drawn[:, index]
        axes.stairs(
            top, x, baseline=floor, fill=True, color=colours[label.product], alpha=max(0.35, 0.85 - 0.25 * number),
            label=label.text, linewidth=0,
        )  # fmt: skip
        floor = top
    limit = (year.site.limit_mw * year.site.availability_frac)[hours]
    axes.stairs(limit, x, baseline=None, color=colours["ink"], linewidth=1.4, label="limit")
    axes.set(xlim=(0.0, drawn.shape[0] / 24.0), ylim=(0.0, float(max(limit.max(), floor.max())) * 1.12 or 1.0))
    axes.set_ylabel("MW at the meter")
    _day_ticks(axes, first_hour, year)


def price_week(axes: Axes, year: SiteYear, colours: Colours, first_hour: int) -> None:
    """Draw the power price that decided each hour of a week [USD/MWh at the meter]."""
    price = prices(year)[first_hour : first_hour + WEEK_HOURS]
    axes.stairs(price, np.arange(price.size + 1) / 24.0, baseline=None, color=colours["ink"], linewidth=1.4)
    low, high = float(min(price.min(), 0.0)), float(max(price.max(), 0.0))
    axes.set(xlim=(0.0, price.size / 24.0), ylim=(low * 1.15, high * 1.15 or 1.0))
    axes.set_ylabel("USD/MWh")
    _day_ticks(axes, first_hour, year)


def _day_ticks(axes: Axes, first_hour: int, year: SiteYear) -> None:
    start = datetime.fromtimestamp(year.site.start_s + first_hour * 3600, tz=UTC).astimezone(zone(year.site.timezone))
    days = range(7)
    axes.set_xticks(list(days), [f"{start + timedelta(days=day):%a %d %b}" for day in days], ha="left")


def _sorted(values: Floats) -> tuple[Floats, Floats]:
    """Return shares of the hours [%] and values from the highest to the lowest, at most 401 of each."""
    share = np.linspace(0.0, 100.0, min(values.size, 401))
    return share, np.sort(values)[::-1][np.rint(share / 100.0 * (values.size - 1)).astype(np.int64)]


def deciding_worths(year: SiteYear) -> list[tuple[str, str, float]]:
    """Return name, product and mean worth [USD/MWh at the meter] of each dispatched part, the highest first.

    A part runs when its worth exceeds the price of power. Idle power is not dispatched.
    """
    return [(step.label.text, step.label.product, step.usd_per_mwh) for step in value_curve(year)]


def price_duration(axes: Axes, year: SiteYear, colours: Colours) -> None:
    """Draw the year's power prices from the highest to the lowest, and the worth below which each part runs."""
    share, price = _sorted(prices(year))
    axes.plot(share, price, color=colours["ink"], linewidth=1.8, label="power price")
    drawn_of: dict[str, int] = {}
    for name, product, worth in deciding_worths(year):
        number = drawn_of[product] = drawn_of.get(product, -1) + 1
        axes.axhline(
            worth, color=colours[product], linewidth=1.4, linestyle=_LINES[number % len(_LINES)],
            label=f"{_brief(name)}: runs below {worth:,.0f} USD/MWh",
        )  # fmt: skip
    columns = 1 + len(axes.get_lines()) // 6
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns)
    axes.set_yscale("symlog", linthresh=max(10.0, float(np.abs(price).max())))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlim=(0.0, 100.0))
    axes.set_ylabel("USD/MWh")


def _brief(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:12]}…{name[-15:]}"


def load_duration(axes: Axes, year: SiteYear, colours: Colours) -> None:
    """Draw the power of each product from its highest to its lowest hour [MW at the meter]."""
    drawn = metered_mw(year)
    products = dict.fromkeys(label.product for label in year.labels)
    for product in products:
        columns = [index for index, label in enumerate(year.labels) if label.product == product]
        axes.plot(*_sorted(drawn[:, columns].sum(axis=1)), color=colours[product], linewidth=2.0, label=product)
    share, total = _sorted(drawn.sum(axis=1))
    axes.plot(share, total, color=colours["ink"], linewidth=1.3, label="site")
    axes.set(xlim=(0.0, 100.0), ylim=(0.0, float(total.max()) * 1.12 or 1.0))
    axes.set_ylabel("MW at the meter")


def waterfall(axes: Axes, falls: Waterfall, colours: Colours) -> None:
    """Draw the steps from nameplate to sold [GWh at nameplate efficiency], coloured by kind, with their stages.

    Negligible steps are left out. The bars are horizontal, so that the names of the steps are.
    """
    first, last = falls.steps[0], falls.steps[-1]
    names: list[str] = []
    before = first.mwh
    for step in falls.steps:
        row = len(names)
        if step is first:
            axes.barh(row, step.mwh / 1e3, color=colours["muted"], height=0.62)
            _annotate(axes, step.mwh, row, f"{step.mwh / 1e3:,.0f} GWh")
            names.append(step.name)
        elif abs(step.factor - 1.0) > NEGLIGIBLE:
            low, high = sorted((step.mwh, before))
            axes.barh(row, (high - low) / 1e3, left=low / 1e3, color=colours[_KINDS[step.kind]], height=0.62)
            _annotate(axes, high, row, f"{step.factor - 1.0:+.1%}")
            names.append(step.name)
            before = step.mwh
        if step.reaches and step is not first and step is not last:
            names[-1] += f" ▸ {step.reaches}"
    axes.barh(len(names), last.mwh / 1e3, color=colours[falls.product], height=0.62)
    _annotate(axes, last.mwh, len(names), f"{last.mwh / 1e3:,.0f} GWh")
    axes.set_yticks(range(len(names) + 1), [*names, "sold"])
    axes.invert_yaxis()
    axes.set(xlim=(0.0, first.mwh / 1e3 * 1.25 or 1.0))
    axes.set_xlabel("GWh a year, at nameplate efficiency")


def _annotate(axes: Axes, mwh: float, row: int, text: str) -> None:
    axes.annotate(text, (mwh / 1e3, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
