"""The table of assumptions of `perwatt yield`: the ones that matter most, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.cli.output import plain, say, short, terminal_width
from bench.cli.table import PIPED_WIDTH, print_table, table_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.dispatch.year import SiteYear
    from sites.file.inputs import Inputs
    from sites.model import Assumption

MOST = 10
TITLE = "Assumptions"
NUMBERS = (2, 5)
"""Columns of numbers: the effect, and the number of sites."""


def print_site_assumptions(year: SiteYear, inputs: Inputs, *, every: bool) -> None:
    """Print the assumptions of one site, those with the largest effect on its net revenue first."""
    from sites.sensitivity import METHOD, effects_usd

    effects = effects_usd(inputs)
    ranked = _ranked(year.site.assumptions, effects)
    rows = [[a.key, _text(a.value), _effect(effects.get(a.key)), a.source, a.date] for a in ranked]
    _print(["key", "value", "effect USD", "source", "date"], rows, caption=METHOD, every=every)


def print_fleet_assumptions(years: Sequence[SiteYear], inputs: Sequence[Inputs], *, every: bool) -> None:
    """Print the assumptions of many sites, those with the largest effect on the largest site first.

    The short table has one row a key; the whole one has a row for each value of a key and the number of its sites.
    """
    from sites.sensitivity import METHOD, effects_usd

    largest = max(range(len(years)), key=lambda at: years[at].site.interconnect_mw)
    effects = effects_usd(inputs[largest])
    ranked = _ranked([a for year in years for a in year.site.assumptions], effects)
    values: dict[str, dict[tuple[str, str, str], int]] = {}
    for a in ranked:
        of_key, value = values.setdefault(a.key, {}), (_text(a.value), a.source, a.date)
        of_key[value] = of_key.get(value, 0) + 1
    if every:
        rows = [
            [key, value, _effect(effects.get(key)), source, date, str(count)]
            for key, of_key in values.items()
            for (value, source, date), count in of_key.items()
        ]
    else:
        rows = [
            [key, *_merged(list(of_key), _effect(effects.get(key))), str(sum(of_key.values()))]
            for key, of_key in values.items()
        ]
    caption = f"{METHOD}; computed for the largest site, {years[largest].site.name}"
    _print(["key", "value", "effect USD", "source", "date", "sites"], rows, caption=caption, every=every)


def print_plan_assumptions(assumptions: Sequence[Assumption], *, every: bool) -> None:
    """Print the assumptions of a capital plan, those without a source first."""
    rows = [[a.key, _text(a.value), a.source, a.date] for a in _ranked(assumptions, {})]
    shown = rows if every else rows[:MOST]
    print_table(["assumption", "value", "source", "date"], shown, right=(1,))
    if len(rows) > len(shown):
        say(f"{len(rows) - len(shown)} more, each with a source: --assumptions shows all, --json has all")


def _ranked(assumptions: Sequence[Assumption], effects: Mapping[str, float]) -> list[Assumption]:
    """Sort by effect, then those without a source before the others; the order of the file decides a tie."""
    return sorted(assumptions, key=lambda a: (-abs(effects.get(a.key, 0.0)), a.source != "assumption"))


def _merged(values: Sequence[tuple[str, str, str]], effect: str) -> list[str]:
    value, source, date = ([row[at] for row in values] for at in range(3))
    return [_one_or_count(value, "values"), effect, _one_or_count(source, "sources"), _one_or_count(date, "dates")]


def _one_or_count(texts: Sequence[str], noun: str) -> str:
    different = list(dict.fromkeys(texts))
    return different[0] if len(different) == 1 else f"{len(different)} {noun}"


def _text(value: float | str) -> str:
    return f"{value:,.10g}" if isinstance(value, float) else value


def _effect(usd: float | None) -> str:
    if usd is None:
        return "-"
    return plain(0.0) if abs(usd) < 0.5 else f"{'+' if usd > 0 else ''}{short(usd)}"


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, every: bool) -> None:
    if every:
        width = terminal_width(PIPED_WIDTH)
        title = f"{TITLE} ({len(rows)})"
        text, _ = table_text(columns, rows, title=title, right=NUMBERS, caption=caption, width=width)
        click.echo_via_pager(f"{text}\n")
        return
    more = len(rows) - MOST
    print_table(
        columns,
        rows[:MOST],
        title=f"{TITLE}, the {MOST} that matter most" if more > 0 else TITLE,
        right=NUMBERS,
        caption=caption,
    )
    if more > 0:
        say(f"{more} more: --assumptions shows all, --out and --json write all")
