"""The published JSON Schema of a result record, and a check by it; `python -m bench.results.schema` writes it anew."""

import json
import math
import re
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

VERSION = 1
PUBLISHED = Path(__file__).with_name(f"result-{VERSION}.schema.json")
ADDED = ("token_tags",)
"""Keys that older records of this version lack."""


def record_schema() -> dict[str, Any]:
    """Return the schema of result.json, version 1."""
    from bench.results.record import Record

    found = Record.model_json_schema(mode="serialization")
    found["required"] = [key for key in found["required"] if key not in ADDED]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:perwatt:result:{VERSION}",
        **found,
        "title": f"perwatt result, schema version {VERSION}",
    }


def as_text() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n"


def conforms(found: object) -> bool:
    """Return whether parsed JSON surely is a valid record, by the published schema and without pydantic's 0.1 s.

    False is a doubt, which `bench.results.folder.read_record` settles: an old one may lack a key that has a default.
    """
    schema = _published()
    return bool(schema) and _conforms(found, schema, schema["$defs"])


@cache
def _published() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(PUBLISHED.read_bytes())
    except (OSError, ValueError):  # a damaged installation: then everything is doubted
        return {}
    return found


def _conforms(value: Any, rule: dict[str, Any], definitions: dict[str, Any]) -> bool:
    if "$ref" in rule:
        return _conforms(value, definitions[rule["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in rule:
        return any(_conforms(value, one, definitions) for one in rule["anyOf"])
    if "const" in rule or "enum" in rule:
        known = rule.get("enum", [rule.get("const")])
        return type(value) is type(known[0]) and value in known
    check = _CHECKS.get(rule.get("type", ""))
    return check is not None and check(value, rule, definitions)


def _is_object(value: Any, rule: dict[str, Any], definitions: dict[str, Any]) -> bool:
    if not isinstance(value, dict) or not value.keys() >= set(rule.get("required", ())):
        return False
    properties, other = rule.get("properties", {}), rule.get("additionalProperties", True)
    for key, inner in value.items():
        within = properties.get(key, other)
        if within is False or (within is not True and not _conforms(inner, within, definitions)):
            return False
    return True


def _is_array(value: Any, rule: dict[str, Any], definitions: dict[str, Any]) -> bool:
    if not isinstance(value, list):
        return False
    if "prefixItems" in rule:
        places = rule["prefixItems"]
        return len(value) == len(places) and all(map(_conforms, value, places, [definitions] * len(places)))
    return all(_conforms(item, rule["items"], definitions) for item in value)


def _is_number(value: Any, rule: dict[str, Any], _: dict[str, Any]) -> bool:
    kinds = (int,) if rule["type"] == "integer" else (int, float)
    return (
        type(value) in kinds
        and abs(value) <= sys.float_info.max  # false for nan and for whole numbers that no float holds
        and value >= rule.get("minimum", -math.inf)
        and value > rule.get("exclusiveMinimum", -math.inf)
    )


def _is_string(value: Any, rule: dict[str, Any], _: dict[str, Any]) -> bool:
    if not isinstance(value, str) or re.search(rule.get("pattern", ""), value) is None or value.endswith("\n"):
        return False
    try:
        value.encode()  # half a surrogate pair is no text
        return "format" not in rule or bool(_DATE_TIME.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False


_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CHECKS: dict[str, Callable[[Any, dict[str, Any], dict[str, Any]], bool]] = {
    "object": _is_object,
    "array": _is_array,
    "number": _is_number,
    "integer": _is_number,
    "string": _is_string,
    "boolean": lambda value, _rule, _definitions: isinstance(value, bool),
    "null": lambda value, _rule, _definitions: value is None,
}


if __name__ == "__main__":
    PUBLISHED.write_text(as_text(), encoding="utf-8")
    sys.stdout.write(f"{PUBLISHED}\n")
