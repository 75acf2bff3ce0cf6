"""Drawings of a site's year on axes of matplotlib: a week of dispatch, duration curves, the waterfall.

Each function takes axes and colours by name (ink, muted, grid, paper, mining, inference, curtailed, bad), so that the
report page and a file share them. A year must have been run with `hourly=True`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.parts import value_curve
from sites.hours.calendar import WEEK_HOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from sites.arrays import Floats
    from sites.dispatch.waterfall import Waterfall
    from sites.dispatch.year import SiteYear

    Colours = Mapping[str, str]

NOTHING = 1e-9
"""A step whose factor is this near to 1 takes nothing."""
_LINES = ("--", ":", "-.")
_KINDS = {"physical": "inference", "commercial": "mining", "economic": "bad"}


def metered_mw(year: SiteYear) -> Floats:
    """Power at the interconnect by hour and row of `year.labels` [MW], shape [T, B].

    Raises InputError for a year without its hours.
    """
    if year.dispatch.mw is None:
        raise InputError.at(f"site {year.site.name}", expected="a year run hour by hour", got="its sums alone")
    site = year.site
    mining, gpus = site.mining_pue / site.delivered_frac, site.gpu_pue / site.delivered_frac
    per_device = [mining if label.product == "mining" else gpus for label in year.labels]
    drawn: Floats = year.dispatch.mw * np.stack(per_device, axis=1)
    return drawn


def prices(year: SiteYear) -> Floats:
    """Power price at the meter that decided each hour [USD/MWh], shape [T]. Raises InputError as `metered_mw`."""
    if year.dispatch.price_usd_per_mwh is None:
        raise InputError.at(f"site {year.site.name}", expected="a year run hour by hour", got="its sums alone")
    return year.dispatch.price_usd_per_mwh


def busiest_week(year: SiteYear) -> int:
    """First hour of the whole local week in which the dispatch changes most; the first such week where none does."""
    drawn = metered_mw(year).sum(axis=1)
    change = np.abs(np.diff(drawn, prepend=drawn[0])) + 1e-6 * np.abs(np.diff(prices(year), prepend=prices(year)[0]))
    mondays = np.flatnonzero(year.site.calendar.how == 0)
    mondays = mondays[mondays + WEEK_HOURS <= year.hours]
    sums = np.add.reduceat(change, mondays) if mondays.size else np.zeros(1)
    return int(mondays[int(sums[: mondays.size].argmax())]) if mondays.size else 0


def dispatch_week(axes: Axes, year: SiteYear, colours: Colours, first_hour: int) -> None:
    """Draw what each block draws in a week [MW at the interconnect], stacked, under what the site may draw.

    Raises InputError as `metered_mw`.
    """
    hours = slice(first_hour, first_hour + WEEK_HOURS)
    drawn = metered_mw(year)[hours]
    x = np.arange(drawn.shape[0] + 1) / 24.0
    floor = np.zeros(drawn.shape[0])
    seen: dict[str, int] = {}
    for index, label in enumerate(year.labels):
        number = seen[label.product] = seen.get(label.product, -1) + 1
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
    found = prices(year)[first_hour : first_hour + WEEK_HOURS]
    axes.stairs(found, np.arange(found.size + 1) / 24.0, baseline=None, color=colours["ink"], linewidth=1.4)
    low, high = float(min(found.min(), 0.0)), float(max(found.max(), 0.0))
    axes.set(xlim=(0.0, found.size / 24.0), ylim=(low * 1.15, high * 1.15 or 1.0))
    axes.set_ylabel("USD/MWh")
    _day_ticks(axes, first_hour, year)


def _day_ticks(axes: Axes, first_hour: int, year: SiteYear) -> None:
    from datetime import UTC, datetime, timedelta

    from sites.hours.calendar import zone

    start = datetime.fromtimestamp(year.site.start_s + first_hour * 3600, tz=UTC).astimezone(zone(year.site.timezone))
    days = range(7)
    axes.set_xticks(list(days), [f"{start + timedelta(days=day):%a %d %b}" for day in days], ha="left")


def _sorted(values: Floats) -> tuple[Floats, Floats]:
    """Return values from the highest to the lowest, at most 401 of them, and the per cent of the hours above each."""
    share = np.linspace(0.0, 100.0, min(values.size, 401))
    return share, np.sort(values)[::-1][np.rint(share / 100.0 * (values.size - 1)).astype(np.int64)]


def deciding_worths(year: SiteYear) -> list[tuple[str, str, float]]:
    """Name, product and mean worth of one more MWh at the meter of every part that is dispatched, best first.

    Idle power is not in it: a part runs where this exceeds the price of power.
    """
    return [(step.label.text, step.label.product, step.usd_per_mwh) for step in value_curve(year)]


def price_duration(axes: Axes, year: SiteYear, colours: Colours) -> None:
    """Draw the year's power prices from the dearest hour to the cheapest, and the worth below which each part runs."""
    share, found = _sorted(prices(year))
    axes.plot(share, found, color=colours["ink"], linewidth=1.8, label="power price")
    seen: dict[str, int] = {}
    for name, product, worth in deciding_worths(year):
        number = seen[product] = seen.get(product, -1) + 1
        axes.axhline(
            worth, color=colours[product], linewidth=1.4, linestyle=_LINES[number % len(_LINES)],
            label=f"{_brief(name)}: runs below {worth:,.0f} USD/MWh",
        )  # fmt: skip
    columns = 1 + len(axes.get_lines()) // 6
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns)
    axes.set_yscale("symlog", linthresh=max(10.0, float(np.abs(found).max())))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlim=(0.0, 100.0))
    axes.set_ylabel("USD/MWh")


def _brief(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:12]}…{name[-15:]}"


def load_duration(axes: Axes, year: SiteYear, colours: Colours) -> None:
    """Draw the power of each product from its fullest hour to its emptiest [MW at the interconnect]."""
    drawn = metered_mw(year)
    products = dict.fromkeys(label.product for label in year.labels)
    for product in products:
        mine = [index for index, label in enumerate(year.labels) if label.product == product]
        axes.plot(*_sorted(drawn[:, mine].sum(axis=1)), color=colours[product], linewidth=2.0, label=product)
    share, total = _sorted(drawn.sum(axis=1))
    axes.plot(share, total, color=colours["ink"], linewidth=1.3, label="site")
    axes.set(xlim=(0.0, 100.0), ylim=(0.0, float(total.max()) * 1.12 or 1.0))
    axes.set_ylabel("MW at the meter")


def waterfall(axes: Axes, falls: Waterfall, colours: Colours) -> None:
    """Draw the steps from nameplate to sold [GWh at nameplate efficiency], coloured by kind, with their stages.

    Steps that take nothing are left out. Bars lie across, so that the steps' names are read without turning the head.
    """
    first, last = falls.steps[0], falls.steps[-1]
    names: list[str] = []
    before = first.mwh
    for step in falls.steps:
        place = len(names)
        if step is first:
            axes.barh(place, step.mwh / 1e3, color=colours["muted"], height=0.62)
            _beside(axes, step.mwh, place, f"{step.mwh / 1e3:,.0f} GWh")
            names.append(step.name)
        elif abs(step.factor - 1.0) > NOTHING:
            low, high = sorted((step.mwh, before))
            axes.barh(place, (high - low) / 1e3, left=low / 1e3, color=colours[_KINDS[step.kind]], height=0.62)
            _beside(axes, high, place, f"{step.factor - 1.0:+.1%}")
            names.append(step.name)
            before = step.mwh
        if step.reaches and step is not first and step is not last:
            names[-1] += f" ▸ {step.reaches}"
    axes.barh(len(names), last.mwh / 1e3, color=colours[falls.product], height=0.62)
    _beside(axes, last.mwh, len(names), f"{last.mwh / 1e3:,.0f} GWh")
    axes.set_yticks(range(len(names) + 1), [*names, "sold"])
    axes.invert_yaxis()
    axes.set(xlim=(0.0, first.mwh / 1e3 * 1.25 or 1.0))
    axes.set_xlabel("GWh in the year, at nameplate efficiency")


def _beside(axes: Axes, mwh: float, place: int, text: str) -> None:
    axes.annotate(text, (mwh / 1e3, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
