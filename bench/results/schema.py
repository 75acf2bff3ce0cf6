"""The published JSON Schema of a result record, and a fast check of records against it.

`python -m bench.results.schema` writes the schema anew. The check is our own because `list results` must not pay for
importing pydantic (0.1 s), and because the common fast validator, fastjsonschema, ends at draft 7: it ignores the
`prefixItems` of draft 2020-12 in which pydantic writes intervals, and would compile its code on every start.
"""

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
ADDED = {
    "Record": ("token_tags", "digests_file", "miner", "endpoint", "ramp"),
    "RunInfo": ("host",),
    "MeterUsed": ("column", "unit", "channel", "rows", "sha256", "parts", "covers"),
}
"""Keys of each part that were added within this version, so that older records lack them."""


def record_schema() -> dict[str, Any]:
    """Return the schema of result.json, version 1."""
    from bench.results.record import Record

    schema = Record.model_json_schema(mode="serialization")
    for part, added in ADDED.items():
        rule = schema if part == "Record" else schema["$defs"][part]
        rule["required"] = [key for key in rule["required"] if key not in added]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:perwatt:result:{VERSION}",
        **schema,
        "title": f"perwatt result, schema version {VERSION}",
    }


def as_text() -> str:
    """Return the text of the schema's file."""
    return json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n"


def conforms(record: object) -> bool:
    """Return whether parsed JSON is certainly a valid record by the published schema.

    False means that `bench.results.folder.read_record` must decide: an older record may lack a key that has a default.
    """
    schema = _published()
    return bool(schema) and _conforms(record, schema, schema["$defs"])


@cache
def _published() -> dict[str, Any]:
    try:
        schema: dict[str, Any] = json.loads(PUBLISHED.read_bytes())
    except (OSError, ValueError):  # a damaged installation: then pydantic checks every record
        return {}
    return schema


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
        items = rule["prefixItems"]
        return len(value) == len(items) and all(map(_conforms, value, items, [definitions] * len(items)))
    return all(_conforms(item, rule["items"], definitions) for item in value)


def _is_number(value: Any, rule: dict[str, Any], _: dict[str, Any]) -> bool:
    kinds = (int,) if rule["type"] == "integer" else (int, float)
    return (
        type(value) in kinds
        and abs(value) <= sys.float_info.max  # false for nan and for whole numbers that no float holds
        and rule.get("minimum", -math.inf) <= value <= rule.get("maximum", math.inf)
        and value > rule.get("exclusiveMinimum", -math.inf)
    )


def _is_string(value: Any, rule: dict[str, Any], _: dict[str, Any]) -> bool:
    if not isinstance(value, str) or re.search(rule.get("pattern", ""), value) is None or value.endswith("\n"):
        return False
    try:
        value.encode()  # a lone surrogate is not text
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
