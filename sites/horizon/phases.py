"""The phases of a site: a year cut into pieces, so that each piece has the same blocks in service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.later_year import REPEATED, after
from sites.dispatch.problem import meter_mw
from sites.hours.calendar import HOUR_S, zone
from sites.hours.service import ALWAYS

if TYPE_CHECKING:
    from sites.hours.calendar import Calendar
    from sites.model import Site

ROUNDING_FRAC = 1e-9  # of the interconnect


def check_room(site: Site, end_s: float) -> None:
    """Check that phases never need more power than the interconnect has.

    Parameters
    ----------
    site
        The site in its first year.
    end_s
        End of the horizon [s, unix].

    Raises
    ------
    InputError
        Blocks that are in service at the same time draw more at full load; the message names the day and the blocks.
    """
    edges = {edge for block in site.blocks for edge in block.service.edges if site.start_s < edge < end_s}
    for at_s in sorted({float(site.start_s), *edges}):
        present = site.in_service(at_s)
        drawn = {block.name: meter_mw(present, block) for block in present.blocks}
        phased = [block.name for block in site.blocks if block.service != ALWAYS and block.name in drawn]
        total = sum(drawn.values())
        if phased and total > site.interconnect_mw * (1.0 + ROUNDING_FRAC):
            named = ", ".join(f"{name} {mw:.4g}" for name, mw in drawn.items())
            day = datetime.fromtimestamp(at_s, tz=zone(site.timezone)).date()
            raise InputError(
                f"site {site.name!r}: phases: expected at most the {site.interconnect_mw:g} MW of the interconnect at "
                f"full load, got {total:.4g} MW from {day} on ({named})"
            )


def pieces(site: Site) -> list[Site]:
    """Return the pieces of a site's year, split where a part of it begins or ends; the year itself without phases.

    Notes
    -----
    A month that is split pays its demand charge in pieces: each on its own peak, by its share of the month's hours.
    """
    if not site.has_phases:
        return [site]
    edges = {edge for service in site.services for edge in service.edges}
    steps = {round((edge - site.start_s) / HOUR_S) for edge in edges}
    bounds = [0, *sorted(step for step in steps if 0 < step < site.calendar.steps), site.calendar.steps]
    return [
        part_of_year(site.in_service(site.start_s + HOUR_S * first), first, last) for first, last in pairwise(bounds)
    ]


def part_of_year(site: Site, first: int, last: int) -> Site:
    """Return a site with only the hours [first, last) of its year; what is owed by the year is shared by hours."""
    if (first, last) == (0, site.calendar.steps):
        return site
    arrays: dict[str, Any] = {name: getattr(site, name)[first:last] for name in REPEATED}
    return replace(
        site,
        calendar=_part_of_calendar(site.calendar, first, last),
        btc_path_usd=None if site.btc_path_usd is None else site.btc_path_usd[first:last],
        fixed_usd_per_year=site.fixed_usd_per_year * (last - first) / site.calendar.steps,
        mining=tuple(after(block, first) for block in site.mining),
        inference=tuple(
            replace(
                after(block, first),
                price_over_mean=None if block.price_over_mean is None else block.price_over_mean[first:last],
            )
            for block in site.inference
        ),
        **arrays,
    )


def _part_of_calendar(calendar: Calendar, first: int, last: int) -> Calendar:
    here = slice(first, last)
    billing = calendar.billing[here]
    begin, end = int(billing[0]), int(billing[-1]) + 1
    share = np.bincount(billing, minlength=end)[begin:] / np.bincount(calendar.billing)[begin:end]
    return replace(
        calendar,
        start_s=calendar.start_s + HOUR_S * first,
        hours=last - first,
        how=calendar.how[here],
        hour=calendar.hour[here],
        month=calendar.month[here],
        billing=billing - begin,
        billed_frac=calendar.billed_frac[begin:end] * share,
        utc_month=calendar.utc_month[here],
        day_of_year=calendar.day_of_year[here],
    )
