"""The reader of fleet files, which merge defaults, regions and sites into one site file for each site."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from hardware_profiles.errors import Faults, InputError, near_names, shown
from hardware_profiles.reading import dotted, read_toml, validate
from hardware_profiles.tables import Broken, Table, rule
from sites.file.site_file import SiteFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class FleetTable(Table):
    """[fleet]: the name of the fleet."""

    name: Annotated[str, Field(min_length=1)]
    note: str = ""


class MemberTable(Table):
    """[[sites]]: one site with its region, and the tables that differ from those of the region and the defaults."""

    name: Annotated[str, Field(min_length=1)]
    region: str
    tables: dict[str, Any] = Field(default_factory=dict)


class FleetFile(Table):
    """A fleet file; `defaults` and each region hold tables of a site file."""

    fleet: FleetTable
    defaults: dict[str, Any] = Field(default_factory=dict)
    regions: dict[str, dict[str, Any]]
    sites: Annotated[tuple[MemberTable, ...], Field(min_length=1)]

    @rule
    def _each_name_once(self) -> Iterator[Broken]:
        names = [member.name for member in self.sites]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield Broken(f"expected each name once, got {name!r} again", ("sites",))

    @rule
    def _regions_known(self) -> Iterator[Broken]:
        for index, member in enumerate(self.sites):
            if member.region not in self.regions:
                near = ", ".join(near_names(member.region, self.regions))
                hint = f" (did you mean {near}?)" if near else ""
                text = f"expected a region of this file, got {shown(member.region)}{hint}"
                yield Broken(text, ("sites", index, "region"))

    @rule
    def _regions_used(self) -> Iterator[Broken]:
        used = {member.region for member in self.sites}
        meant = {near for region in used - self.regions.keys() for near in near_names(region, self.regions)}
        for region in self.regions:
            if region not in used | meant:
                yield Broken("expected a site in it, got none", ("regions", region))

    @rule
    def _names_only_in_sites(self) -> Iterator[Broken]:
        """Yield each name or region of a site in a table, which [[sites]] would silently override."""
        parts: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [(("defaults",), self.defaults)]
        parts += [(("regions", name), tables) for name, tables in self.regions.items()]
        parts += [(("sites", index, "tables"), member.tables) for index, member in enumerate(self.sites)]
        for keys, tables in parts:
            site = tables.get("site")
            for key in ("name", "region"):
                if isinstance(site, dict) and key in site:
                    text = f"expected it only as {key} in [[sites]], got {shown(site[key])}"
                    yield Broken(text, (*keys, "site", key))


class Document(NamedTuple):
    """The content of one site, with the tables of its fleet merged into it."""

    location: str  # the file, and in a fleet the site's name
    content: dict[str, Any]


def read_documents(path: Path) -> list[Document]:
    """Return the one site of a site file, or all sites of a fleet file, before their keys are checked.

    Raises
    ------
    InputError
        A text contains a control character, or in a fleet a region is unknown or has no site, two sites have the same
        name, or a table sets a site's name or region; the message has one line for each fault.
    """
    data = read_toml(path)
    faults = Faults()
    with faults.noted():
        _refuse_control(data, path)
    if "fleet" not in data:
        faults.refuse()
        return [Document(str(path), data)]
    documents: list[Document] = []
    with faults.noted():
        fleet = validate(FleetFile, data, path)
        for member in fleet.sites:
            merged = _merge(_merge(fleet.defaults, fleet.regions[member.region]), member.tables)
            merged = _merge(merged, {"site": {"name": member.name, "region": member.region}})
            documents.append(Document(f"{path}: site {member.name!r}", merged))
    faults.refuse()
    return documents


def read_site_files(path: Path) -> list[SiteFile]:
    """Return the one site of a site file, or all sites of a fleet file.

    Raises
    ------
    InputError
        The fleet or a site is invalid; the message has one line for each fault.
    """
    return validated(read_documents(path))


def validated(documents: Sequence[Document]) -> list[SiteFile]:
    """Return documents as site files; raise InputError with the faults of all, a fault of several sites only once."""
    site_files, faults = [], Faults()
    for location, content in documents:
        with faults.noted(location):
            site_files.append(validate(SiteFile, content, location))
    faults.refuse()
    return site_files


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
