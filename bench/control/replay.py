"""A replay of a year of prices in shadow: what the controller would have done with the plan, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.control.inputs.prices import feed_of
from hardware_profiles.errors import InputError
from sites.control.shadow import shadow_year
from sites.file.hourly.market_file import read_prices
from sites.file.series import Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.control.inputs.tables import PriceTable
    from sites.arrays import Floats
    from sites.control.model import Unit
    from sites.control.rules import Rules
    from sites.control.shadow import Shadow
    from sites.model import Site


def replay(site: Site, units: Sequence[Unit], rules: Rules, prices: tuple[PriceTable, Path] | None = None) -> Shadow:
    """Carry the plan of a site out in shadow, at the prices of its own year or at those of a market file.

    Parameters
    ----------
    site
        The site, with the prices that the plan assumes.
    units
        The units of the control file.
    rules
        What the operator declares.
    prices
        [price] of the control file, and the path of a market file of the same year. A step of the site's year counts
        as one price interval for the windows of the rules.

    Raises
    ------
    InputError
        The site has a battery, a unit is of no block of it, or the file lacks prices of the year.
    """
    names = [block.name for block in site.blocks]
    for unit in units:
        if unit.block not in names:
            expected = f"a block of site {site.name} ({', '.join(names)})"
            raise InputError.at(f"unit {unit.name}", "block", expected=expected, got=unit.block)
    return shadow_year(site, units, rules, None if prices is None else year_prices(site, *prices))


def year_prices(site: Site, table: PriceTable, path: Path) -> Floats:
    """Return the prices of a market file in each step of a site's year [USD/MWh], means over the step, [T].

    Raises
    ------
    InputError
        The file cannot be read as the table says, or lacks prices of the year.
    """
    feed = None if table.feed or table.value else feed_of(path)
    calendar = site.calendar
    series = read_prices(table.series(path, feed), path, table.currency, Span(site.start_s, site.hours))
    start_s, end_s, value = (np.asarray(column, np.float64) for column in series.intervals)
    edges = calendar.start_s + calendar.step_s * np.arange(calendar.steps + 1, dtype=np.float64)
    known_s, sums = np.zeros(calendar.steps), np.zeros(calendar.steps)
    for begin, end, usd in zip(start_s, end_s, value / (table.currency_per_usd or 1.0), strict=True):
        first, last = np.searchsorted(edges, (begin, end), side="right") - 1
        for step in range(max(int(first), 0), min(int(last) + 1, calendar.steps)):
            covered_s = min(end, edges[step + 1]) - max(begin, edges[step])
            if covered_s > 0.0:
                known_s[step] += covered_s
                sums[step] += covered_s * usd
    absent = int((known_s <= 0.0).sum())
    if absent:
        expected = f"a price in each of the {calendar.steps} steps of the site's year"
        raise InputError.at(path, expected=expected, got=f"none in {absent} of them")
    prices: Floats = sums / known_s
    return prices


def replay_lines(shadow: Shadow) -> list[str]:
    """Return the lines that `perwatt control --replay` prints: what it would have earned, and the regret."""
    rows = (
        ("the best plan, with these prices known before", shadow.best.net_usd),
        ("blocks in the order of worth, at once", shadow.ordered.net_usd),
        ("  less whole units, and patience with prices", -shadow.units_usd),
        ("  less ramps", -shadow.ramps_usd),
        ("under control", shadow.net_usd),
        ("regret against the best plan", shadow.regret_usd),
        ("the plan as it is, whatever the prices", shadow.planned.net_usd),
    )
    width = max(len(text) for text, _ in rows)
    return [
        "replay of a year in shadow, in USD before rents and fixed cost; no command is sent",
        *(f"{text:<{width}}  {round(usd):>16,}" for text, usd in rows),
        f"{shadow.switches:,} changes of level; units waited for further prices in {shadow.held_h:,.0f} h",
        f"plan {shadow.plan_sha256}",
    ]


def replay_document(shadow: Shadow) -> dict[str, Any]:
    """Return the figures of a replayed year as JSON-ready data, in USD before rents and fixed cost."""
    return {
        "schema": "perwatt.control-replay/1",
        "best_usd": shadow.best.net_usd,
        "ordered_usd": shadow.ordered.net_usd,
        "units_usd": shadow.units_usd,
        "ramps_usd": shadow.ramps_usd,
        "net_usd": shadow.net_usd,
        "regret_usd": shadow.regret_usd,
        "planned_usd": shadow.planned.net_usd,
        "switches": shadow.switches,
        "held_h": shadow.held_h,
        "plan_sha256": shadow.plan_sha256,
    }
