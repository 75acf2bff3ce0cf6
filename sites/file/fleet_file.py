"""The reader of fleet files, which merge defaults, regions and sites into one site file for each site."""

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
    """[fleet]: the name of the fleet."""

    name: Annotated[str, Field(min_length=1)]
    note: str = ""


class MemberTable(Model):
    """[[sites]]: one site with its region, and the tables that differ from those of the region and the defaults."""

    name: Annotated[str, Field(min_length=1)]
    region: str
    tables: dict[str, Any] = Field(default_factory=dict)


class FleetFile(Model):
    """A fleet file; `defaults` and each region hold tables of a site file."""

    fleet: FleetTable
    defaults: dict[str, Any] = Field(default_factory=dict)
    regions: dict[str, dict[str, Any]]
    sites: Annotated[tuple[MemberTable, ...], Field(min_length=1)]


def read_site_files(path: Path) -> list[SiteFile]:
    """Return the one site of a site file, or all sites of a fleet file.

    Raises
    ------
    InputError
        A region is unknown or has no site, two sites have the same name, a table sets a site's name or region, a text
        contains a control character, or a site is invalid; the message names file and site.
    """
    data = read_toml(path)
    _refuse_control(data, path)
    if "fleet" not in data:
        return [validate(SiteFile, data, path)]
    fleet = validate(FleetFile, data, path)
    _refuse_names(fleet, path)
    names = [member.name for member in fleet.sites]
    site_files = []
    for member in fleet.sites:
        location = f"{path}: site {member.name!r}"
        if names.count(member.name) > 1:
            raise InputError(f"{path}: key sites: expected each name once, got {member.name!r} again")
        if member.region not in fleet.regions:
            near = near_names(member.region, fleet.regions)
            raise InputError.at(location, "region", expected="a region of this file", got=member.region, near=near)
        merged = _merge(_merge(fleet.defaults, fleet.regions[member.region]), member.tables)
        merged = _merge(merged, {"site": {"name": member.name, "region": member.region}})
        site_files.append(validate(SiteFile, merged, location))
    for region in sorted(fleet.regions.keys() - {member.region for member in fleet.sites}):
        raise InputError(f"{path}: key regions.{region}: expected a site in it, got none")
    return site_files


def _refuse_names(fleet: FleetFile, path: Path) -> None:
    """Raise InputError for a site name or region in a table, which [[sites]] would silently override."""
    members = {f"sites[{index}].tables": member.tables for index, member in enumerate(fleet.sites)}
    regions = {f"regions.{name}": tables for name, tables in fleet.regions.items()}
    for location, tables in {"defaults": fleet.defaults, **regions, **members}.items():
        site = tables.get("site")
        for key in ("name", "region"):
            if isinstance(site, dict) and key in site:
                expected = f"it only as {key} in [[sites]]"
                raise InputError.at(path, f"{location}.site.{key}", expected=expected, got=site[key])


def _refuse_control(content: Any, path: Path, *keys: int | str) -> None:
    """Raise InputError for control characters, which a terminal would obey; a note may hold line feeds and tabs."""
    if isinstance(content, dict | list):
        for key, inner in content.items() if isinstance(content, dict) else enumerate(content):
            _refuse_control(inner, path, *keys, key)
    if isinstance(content, str):
        text = content.replace("\n", "").replace("\t", "") if keys[-1] == "note" else content
        if any(unicodedata.category(letter) == "Cc" for letter in text):
            raise InputError.at(path, dotted(keys), expected="text without control characters", got=content)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge tables key by key; replace a value {value, source, date} or a list as a whole."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        tables = isinstance(before, dict) and isinstance(value, dict) and not {"value", "values"} & value.keys()
        merged[key] = _merge(before, value) if tables and isinstance(before, dict) else value
    return merged
