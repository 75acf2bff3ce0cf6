"""Doubts about the year and the seasons of a site: bitcoin at the price of another year, summer in winter months."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sites.plausible.bands import band_file, known_band, written
from sites.plausible.doubts import Doubt, doubt
from sites.plausible.zones import latitude_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.model import Site
    from sites.plausible.bands import Band
    from sites.plausible.doubts import FileNumber

BTC_KEY = "market.btc_usd"
CLIMATE_KEY = "climate.mean_c_by_month"
DAY_S = 86_400
TROPIC_DEGREES = 23.5  # between the tropics a rainy summer may be the coolest season
JUNE_TO_AUGUST, DECEMBER_TO_FEBRUARY = (5, 6, 7), (11, 0, 1)  # months from 0


def btc_band(site: Site) -> Band | None:
    """Return the band of the price of bitcoin in a site's year, or None if the year is not wholly in the table."""
    table = band_file().btc_years
    ends_s = (site.start_s + DAY_S, site.start_s + 3600 * site.hours - DAY_S)  # without the hours of another time zone
    years = sorted({datetime.fromtimestamp(end_s, tz=UTC).year for end_s in ends_s})
    if any(year not in table.usd for year in years):
        return None
    named = "-".join(map(str, years))
    return known_band(BTC_KEY).model_copy(
        update={
            "low": min(table.usd[year][0] for year in years),
            "high": max(table.usd[year][1] for year in years),
            "unit": f"USD/BTC in {named}",
            "above": "the price of another year?",
        }
    )


def btc_doubt(site: Site) -> Doubt | None:
    """Return the doubt about a price of bitcoin that a past year did not have."""
    band = btc_band(site)
    return None if band is None else doubt(band, BTC_KEY, site.btc_usd)


def season_doubt(site: Site, numbers: Mapping[str, FileNumber]) -> Doubt | None:
    """Return the doubt about monthly temperatures whose summer is that of the other hemisphere."""
    means = [number.value for number in numbers.values() if number.field == CLIMATE_KEY]
    latitude = latitude_of(site.region, site.timezone)
    if not means or latitude is None or abs(latitude) < TROPIC_DEGREES:
        return None
    summer, winter = JUNE_TO_AUGUST, DECEMBER_TO_FEBRUARY
    if latitude < 0.0:
        summer, winter = winter, summer
    warmer = (sum(means[month] for month in summer) - sum(means[month] for month in winter)) / 3.0
    if warmer in known_band("summer over winter"):
        return None
    when, side = ("June to August", "north") if latitude > 0.0 else ("December to February", "south")
    return Doubt(
        f"key {CLIMATE_KEY}: expected {when} to be the warmest months at latitude {abs(latitude):.0f} {side}, got "
        f"{written(float(f'{-warmer:.3g}'))} degrees C less than in the opposite season (seasons of the other "
        "hemisphere? begin the list six months later)",
        absurd=False,
    )
