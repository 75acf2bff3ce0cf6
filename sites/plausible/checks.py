"""The check of a whole site or capital plan: what is absurd is refused, what is doubtful becomes a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.plausible.bands import band_of, written
from sites.plausible.calendar import BTC_KEY, btc_band
from sites.plausible.doubts import Doubt, FileNumber, doubt, number_doubts
from sites.plausible.exchange import EXCHANGED_KEYS, exchange_doubt
from sites.plausible.relations import relation_doubts
from sites.plausible.zones import zone_doubt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sites.model import Site

_LOCAL = ("price.time_of_use.", "power.outage.", "curtailment.event.", "climate.mean_c_by_month", "inference.")
"""Fields whose tables are in the site's local time."""


def site_doubts(site: Site, numbers: Sequence[FileNumber], path: str) -> tuple[str, ...]:
    """Return one line for each doubtful number of a site.

    Parameters
    ----------
    site
        The site.
    numbers
        All numbers of its file.
    path
        Path of the file, for errors.

    Raises
    ------
    InputError
        Numbers are absurd; each message names file, key, band and likely cause.
    """
    doubts = [each for each in number_doubts(numbers, site.currency_per_usd) if not _judged_by_year(each, site)]
    doubted = {each.text.split(":", 1)[0] for each in doubts}
    by_key = {number.key: number for number in numbers}
    if (swapped := exchange_doubt(numbers)) is not None:  # what else is odd follows from it
        return _lines([swapped, *(each for each in doubts if not each.text.startswith(EXCHANGED_KEYS))], path)
    doubts += [
        each for each in relation_doubts(site, by_key) if each.absurd or each.text.split(":", 1)[0] not in doubted
    ]
    local = any(number.field.startswith(_LOCAL) for number in numbers)
    zone = zone_doubt(site.region, site.name, site.timezone) if local or site.timezone != "UTC" else None
    return _lines([*doubts, *([Doubt(zone, absurd=False)] if zone else [])], path)


def _judged_by_year(each: Doubt, site: Site) -> bool:
    """Return whether a doubt is about the price of bitcoin in a past year, which has a band of its own."""
    return each.text.startswith(f"key {BTC_KEY}:") and btc_band(site) is not None


def plan_doubts(numbers: Sequence[FileNumber], path: object) -> tuple[str, ...]:
    """Return one line for each doubtful number of a capital plan; raise InputError if one is absurd."""
    by_key = {number.key: number.value for number in numbers}
    ratios = (
        ("price of a hash rate", "purchase.price_usd", "purchase.hashrate_eh_s", 1e6),
        ("price of a site", "purchase.price_usd", "purchase.mw", 1.0),
        ("sale price of a bitcoin", "sale.proceeds_usd", "sale.btc", 1.0),
    )
    doubts = [*number_doubts(numbers)]
    for name, key, over, units in ratios:
        band = band_of(name)
        if band is None or key not in by_key or over not in by_key:
            continue
        scale = 1.0 / by_key[over] / units
        price = by_key[key] * scale
        got = f"{written(by_key[key])} for {over.partition('.')[2]} = {written(by_key[over])}, which is {price:,.4g}"
        found = doubt(band, key, by_key[key], scale=scale, got=got)
        doubts += [found] if found is not None else []
    return _lines(doubts, path)


def _lines(doubts: Iterable[Doubt], path: object) -> tuple[str, ...]:
    found = tuple(doubts)
    lines = tuple(dict.fromkeys(each.text for each in found))
    if any(each.absurd for each in found):  # what is merely doubtful may be its cause
        raise InputError(*(f"{path}: {line}" for line in lines))
    return lines
