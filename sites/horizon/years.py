"""The years of a site: each dispatched with its own calendar, prices, difficulty, ages and phases, and joined."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.later_year import first_day, later_year
from sites.dispatch.year import site_year
from sites.file.horizon.tables import MOST_YEARS
from sites.horizon.activity import Activity, BlockActivity, activity
from sites.horizon.phases import check_room, pieces
from sites.horizon.prices import PricePath
from sites.hours.calendar import HOUR_S, anniversary, first_hour_s
from sites.hours.months import Months

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sites.arrays import Floats, Integers
    from sites.file.inputs import Inputs
    from sites.hours.calendar import Calendar
    from sites.model import InferenceBlock, MiningBlock, Site

MONTHS = 12


class YearPart(NamedTuple):
    """What a site does in a year, or in a part of it between two phases."""

    year: int  # number of the year, from 0
    activity: Activity


@dataclass(frozen=True, slots=True)
class Horizon:
    """The years of a site."""

    inputs: Inputs
    site: Site  # in its first year, with its phases
    start: date  # first local day
    years: tuple[Site, ...]  # the site in each year
    months: Months  # the first and the last may be parts of months
    parts: tuple[YearPart, ...]  # what the site does, in the order of time

    def activity(self) -> Activity:
        """Return what the site does in all years as one, [T]."""
        return joined([part.activity for part in self.parts], self.site.blocks)


def years_of(inputs: Inputs, site: Site, years: int) -> tuple[Site, ...]:
    """Return a site in each year of a horizon, with the prices of the year.

    Raises
    ------
    InputError
        The number of years is not from 1 to 50, a series or a forward curve does not hold a year, phases need more
        power than the interconnect has, or the site is in steps shorter than hours.
    """
    if not 1 <= years <= MOST_YEARS:
        raise InputError.at("years", expected=f"a whole number of 1 to {MOST_YEARS}", got=years)
    start = first_day(site)
    check_room(site, first_hour_s(anniversary(start, years), site.timezone))
    prices = PricePath.of(inputs, Months.of(start, years).names)
    return tuple(prices.applied(later_year(site, year), year) for year in range(years))


def run_years(inputs: Inputs, site: Site, years: int) -> Horizon:
    """Dispatch every year of a site, in pieces where a phase begins or ends within it.

    Parameters
    ----------
    inputs, site
        The site's file, and the site in its first year.
    years
        Number of years.

    Raises
    ------
    InputError
        As `years_of`.
    """
    each = years_of(inputs, site, years)
    done: list[YearPart] = []
    for year, own in enumerate(each):
        for piece in pieces(own):
            first = (piece.start_s - own.start_s) // HOUR_S
            dispatched = site_year(piece, hourly=True)
            done.append(YearPart(year, activity(dispatched, MONTHS * year + int(own.calendar.billing[first]))))
    start = first_day(site)
    return Horizon(
        inputs=inputs,
        site=site,
        start=start,
        years=each,
        months=Months.of(start, years),
        parts=tuple(done),
    )


def joined(parts: Sequence[Activity], blocks: Sequence[MiningBlock | InferenceBlock]) -> Activity:
    """Return what a site does in parts that follow one another as one; an absent block does nothing.

    Parameters
    ----------
    parts
        What it does, in the order of time.
    blocks
        The blocks of all parts.
    """
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Activity)
        if field.name not in {"calendar", "blocks"}
    }
    return Activity(
        calendar=_joined_calendar([part.calendar for part in parts], arrays["month"]),
        blocks=tuple(one for block in blocks if (one := _joined_block(parts, block.name)) is not None),
        **arrays,
    )


def _joined_calendar(parts: Sequence[Calendar], month: Integers) -> Calendar:
    def whole(name: str) -> Integers:
        return np.concatenate([getattr(part, name) for part in parts])

    billing = month - month[0]
    billed = np.zeros(int(billing[-1]) + 1)
    at = 0
    for part in parts:
        np.add.at(billed, int(billing[at]) + np.arange(part.billed_frac.size), part.billed_frac)
        at += part.steps
    return replace(
        parts[0],
        hours=sum(part.hours for part in parts),
        billing=billing,
        billed_frac=billed,
        how=whole("how"),
        hour=whole("hour"),
        month=whole("month"),
        utc_month=whole("utc_month"),
        day_of_year=whole("day_of_year"),
    )


def _joined_block(parts: Sequence[Activity], name: str) -> BlockActivity | None:
    own = [next((block for block in part.blocks if block.name == name), None) for part in parts]
    known = next((block for block in own if block is not None), None)
    if known is None:
        return None

    def whole(field: str) -> Floats:
        return np.concatenate(
            [
                np.zeros(part.calendar.steps) if block is None else getattr(block, field)
                for part, block in zip(parts, own, strict=True)
            ]
        )

    return BlockActivity(
        name=name,
        product=known.product,
        unit=known.unit,
        facility_mwh=whole("facility_mwh"),
        units=whole("units"),
        btc=whole("btc") if known.btc is not None else None,
        revenue_usd=whole("revenue_usd"),
        rent_usd=whole("rent_usd"),
        capacity_mw=whole("capacity_mw"),
    )
