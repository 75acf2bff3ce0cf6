"""A fleet in one TOML file: defaults, regions and sites, each site's tables merged from the three."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import dotted, read_toml, validate
from sites.file.site_file import SiteFile
from sites.file.values import Model

if TYPE_CHECKING:
    from pathlib import Path


class FleetTable(Model):
    """[fleet]: its name."""

    name: Annotated[str, Field(min_length=1)]
    note: str = ""


class MemberTable(Model):
    """[[sites]]: one site: its name, its region's name, and tables that differ from the region's and the defaults."""

    name: Annotated[str, Field(min_length=1)]
    region: str
    tables: dict[str, Any] = Field(default_factory=dict)


class FleetFile(Model):
    """A whole fleet file; `defaults` and each region hold tables of a site file."""

    fleet: FleetTable
    defaults: dict[str, Any] = Field(default_factory=dict)
    regions: dict[str, dict[str, Any]]
    sites: Annotated[tuple[MemberTable, ...], Field(min_length=1)]


def read_site_files(path: Path) -> list[SiteFile]:
    """Read a site file, or every site of a fleet file.

    Raises InputError, naming file and site, for an unknown region or one that no site is in, a doubled name, a name or
    region given among the tables, a control character in a text or whatever is wrong with a site.
    """
    data = read_toml(path)
    _refuse_control(data, path)
    if "fleet" not in data:
        return [validate(SiteFile, data, path)]
    fleet = validate(FleetFile, data, path)
    _refuse_names(fleet, path)
    names = [member.name for member in fleet.sites]
    found = []
    for member in fleet.sites:
        place = f"{path}: site {member.name!r}"
        if names.count(member.name) > 1:
            raise InputError(f"{path}: key sites: expected each name once, got {member.name!r} again")
        if member.region not in fleet.regions:
            near = near_names(member.region, fleet.regions)
            raise InputError.at(place, "region", expected="a region of this file", got=member.region, near=near)
        merged = _merge(_merge(fleet.defaults, fleet.regions[member.region]), member.tables)
        merged = _merge(merged, {"site": {"name": member.name, "region": member.region}})
        found.append(validate(SiteFile, merged, place))
    for region in sorted(fleet.regions.keys() - {member.region for member in fleet.sites}):
        raise InputError(f"{path}: key regions.{region}: expected a site in it, got none")
    return found


def _refuse_names(fleet: FleetFile, path: Path) -> None:
    """Refuse a name or region where the one of [[sites]] would override it without a word."""
    members = {f"sites[{index}].tables": member.tables for index, member in enumerate(fleet.sites)}
    regions = {f"regions.{name}": tables for name, tables in fleet.regions.items()}
    for place, tables in {"defaults": fleet.defaults, **regions, **members}.items():
        site = tables.get("site")
        for key in ("name", "region"):
            if isinstance(site, dict) and key in site:
                expected = f"it in [[sites]] as {key} alone"
                raise InputError.at(path, f"{place}.site.{key}", expected=expected, got=site[key])


def _refuse_control(given: Any, path: Path, *keys: int | str) -> None:
    """Refuse what a terminal would obey: names and sources are printed. Only a note may hold line feeds and tabs."""
    if isinstance(given, dict | list):
        for key, inner in given.items() if isinstance(given, dict) else enumerate(given):
            _refuse_control(inner, path, *keys, key)
    if isinstance(given, str):
        text = given.replace("\n", "").replace("\t", "") if keys[-1] == "note" else given
        if any(unicodedata.category(letter) == "Cc" for letter in text):
            raise InputError.at(path, dotted(keys), expected="text without control characters", got=given)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables merged key by key; a value {value, source, date} and a list are replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        tables = isinstance(before, dict) and isinstance(value, dict) and not {"value", "values"} & value.keys()
        merged[key] = _merge(before, value) if tables and isinstance(before, dict) else value
    return merged
