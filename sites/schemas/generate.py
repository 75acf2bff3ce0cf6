"""The JSON Schemas of users' files, made from the models that read them, so that there is no second description."""

from __future__ import annotations

import json
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from hardware_profiles.schema import FILES
from sites.capital.file import PlanFile
from sites.file.fleet_file import FleetFile
from sites.file.site_file import SiteFile
from sites.file.values import ASSUMPTION
from sites.scenarios.file import ScenarioFile
from sites.schemas import KINDS, schema_path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TITLES = {
    "site": "perwatt: a site",
    "fleet": "perwatt: a fleet of sites",
    "scenarios": "perwatt: scenarios of uncertain inputs",
    "capital": "perwatt: a capital plan",
    "profile": "perwatt: the profile of a device",
}


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind of file."""
    return {"$schema": DIALECT, "$id": f"urn:perwatt:{kind}", "title": _TITLES[kind], **clean(_MAKERS[kind]())}


def as_text(kind: str) -> str:
    """Return the schema of a kind of file as it is published."""
    return json.dumps(schema(kind), indent=1, ensure_ascii=False) + "\n"


def _profile() -> dict[str, Any]:
    kinds: Any = Annotated[Union[tuple(FILES.values())], Field(discriminator="kind")]  # noqa: UP007 (made at run time)
    return TypeAdapter(kinds).json_schema()


def _fleet() -> dict[str, Any]:
    """Return the schema of a fleet, whose defaults, regions and sites hold parts of a site file."""
    fleet, site = FleetFile.model_json_schema(), SiteFile.model_json_schema()
    definitions = fleet["$defs"] | site.pop("$defs")
    fleet["$defs"] = definitions | {f"Part{name}": _part(table) for name, table in definitions.items()}
    fleet["$defs"]["PartSiteFile"] = _part(site)
    for key in ("name", "region"):  # they are keys of [[sites]]
        del fleet["$defs"]["PartSiteTable"]["properties"][key]
    part = {"$ref": "#/$defs/PartSiteFile"}
    fleet["properties"]["defaults"] = part
    fleet["properties"]["regions"]["additionalProperties"] = part
    fleet["$defs"]["MemberTable"]["properties"]["tables"] = part
    used: set[str] = set()
    _collect(fleet["properties"], fleet["$defs"], used)
    return {**fleet, "$defs": {name: rule for name, rule in fleet["$defs"].items() if name in used}}


def _collect(rule: Any, definitions: dict[str, Any], used: set[str]) -> None:
    """Add the names of the definitions that a schema refers to."""
    for one in rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ():
        _collect(one, definitions, used)
    name = rule["$ref"].rpartition("/")[2] if isinstance(rule, dict) and "$ref" in rule else None
    if name is not None and name not in used:
        used.add(name)
        _collect(definitions[name], definitions, used)


def _part(table: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a table that may lack keys, because they come from another part of a fleet."""
    properties = {key: _part_of_key(rule) for key, rule in table.get("properties", {}).items()}
    part = {key: rule for key, rule in table.items() if key not in {"required", "allOf"}}
    return {**part, "properties": properties} if properties else part


def _part_of_key(rule: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in rule:
        return {**rule, "$ref": rule["$ref"].replace("#/$defs/", "#/$defs/Part")}
    for several in ("anyOf", "oneOf"):
        if several in rule:
            return {**rule, several: [_part_of_key(one) for one in rule[several]]}
    return rule


def clean(rule: Any) -> Any:
    """Return a schema without titles made from names, without null (TOML has none), and with defaults as written."""
    if isinstance(rule, list):
        return [clean(one) for one in rule]
    if not isinstance(rule, dict):
        return rule
    kept = {key: clean(one) for key, one in rule.items() if not (key == "title" and isinstance(one, str))}
    if isinstance(kept.get("anyOf"), list):
        kept["anyOf"] = [one for one in kept["anyOf"] if one != {"type": "null"}]
        if len(kept["anyOf"]) == 1:
            kept |= kept.pop("anyOf")[0]
    default = kept.get("default")
    if isinstance(default, dict) and default.get("source") == ASSUMPTION:
        kept["default"] = default["value"]
    elif "default" in kept and (default is None or isinstance(default, dict | list)):
        del kept["default"]
    return kept


_MAKERS = {
    "site": SiteFile.model_json_schema,
    "fleet": _fleet,
    "scenarios": ScenarioFile.model_json_schema,
    "capital": PlanFile.model_json_schema,
    "profile": _profile,
}


if __name__ == "__main__":
    for name in KINDS:
        schema_path(name).write_text(as_text(name), encoding="utf-8")
