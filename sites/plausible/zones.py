"""The time zones of a country, state or province by its name, and whether a site's zone is one of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from sites.plausible.bands import band_file

_FIXED = re.compile(r"Etc/GMT[+-]\d+|EST|MST|HST")


def zone_doubt(region: str, name: str, timezone: str) -> str | None:
    """Return why a time zone is doubted, or None if it fits the region or nothing is known of the region.

    Parameters
    ----------
    region
        Region of a site: a country, a state or province, or a code such as "us-georgia" or "NO4".
    name
        Name of the site, which is searched if the region is not known.
    timezone
        IANA name of the site's zone.
    """
    where, zones = _zones_of(region)
    if not zones:
        where, zones = _zones_of(name)
    if zones and _offsets(timezone) not in {_offsets(zone) for zone in zones}:
        return (
            f"key site.timezone: expected the time of {where} ({', '.join(sorted(zones)[:3])}), "
            f"got {timezone} ({_offset_text(timezone)})"
        )
    if not zones and _FIXED.fullmatch(timezone):
        return (
            f"key site.timezone: expected a place such as America/New_York, got {timezone}, which is "
            f"{_offset_text(timezone)} all year (Etc/GMT+5 is UTC-5: its sign is turned)"
        )
    return None


def latitude_of(region: str, timezone: str) -> float | None:
    """Return the latitude [degrees north] of a time zone's place, or of a region whose zones are in one hemisphere.

    None if neither is known.
    """
    known = _latitudes()
    if timezone in known:
        return known[timezone]
    inside = [known[zone] for zone in _zones_of(region)[1] if zone in known]
    return min(inside, key=abs) if inside and min(inside) * max(inside) > 0.0 else None


@cache
def _latitudes() -> dict[str, float]:
    """Return the latitude of each zone's place, which zone.tab writes as +DDMM or +DDMMSS."""
    latitudes = {}
    for _, place, zone, *_ in _rows("zone.tab"):
        north = place[: max(place.rfind("+"), place.rfind("-"))]
        latitudes[zone] = float(f"{north[0]}1") * (int(north[1:3]) + int(north[3:5]) / 60.0)
    return latitudes


def _zones_of(text: str) -> tuple[str, set[str]]:
    """Return the longest known place in a text and its zones; a code at the beginning wins."""
    countries, zones = _countries()
    code = re.match(r"([A-Za-z]{2})(?=[-_\d]|$)", text)
    words = " ".join(["", *re.findall(r"[^\W\d_]+", text.casefold()), ""])
    places = {place for place in {*countries, *_states()} if f" {place} " in words}
    longest = max(places, key=len, default="")
    country = code[1].upper() if code and code[1].upper() in zones else countries.get(longest, "")
    if longest in _states() and (not code or country in ("US", "CA")):
        abroad = zones.get(countries.get(longest, ""), set()) if not code else set()  # Georgia is two places
        return longest.title(), _states()[longest] | abroad
    return longest.title() or country, zones.get(country, set())


@cache
def _countries() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the codes of countries by their names, and their zones by their codes."""
    names = {text.casefold(): code for code, text in _rows("iso3166.tab")}
    zones: dict[str, set[str]] = {}
    for code, _, zone, *_ in _rows("zone.tab"):
        zones.setdefault(code, set()).add(zone)
    return names, zones


@cache
def _states() -> dict[str, set[str]]:
    states: dict[str, set[str]] = {}
    for row in band_file().zone:
        for name in row.names:
            states.setdefault(name, set()).add(row.zone)
    return states


def _rows(file: str) -> list[list[str]]:
    text = resources.files("tzdata.zoneinfo").joinpath(file).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _offsets(timezone: str) -> tuple[float, float]:
    """Return the hours from UTC in January and in July."""
    zone = ZoneInfo(timezone)
    days = (datetime(2026, month, 15, 12, tzinfo=UTC).astimezone(zone) for month in (1, 7))
    winter, summer = ((day.utcoffset() or day - day).total_seconds() / 3600.0 for day in days)
    return winter, summer


def _offset_text(timezone: str) -> str:
    winter, summer = _offsets(timezone)
    return f"UTC{winter:+g}" if winter == summer else f"UTC{winter:+g} in January, {summer:+g} in July"
