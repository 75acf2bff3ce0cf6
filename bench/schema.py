"""The published JSON Schema of a result record; `python -m bench.schema` writes it anew."""

import json
import sys
from pathlib import Path
from typing import Any

VERSION = 1
PUBLISHED = Path(__file__).resolve().parent.parent / "docs" / "schema" / f"result-{VERSION}.schema.json"


def record_schema() -> dict[str, Any]:
    """Return the schema of result.json, version 1."""
    from bench.records import Record

    found = Record.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:perwatt:result:{VERSION}",
        **found,
        "title": f"perwatt result, schema version {VERSION}",
    }


def as_text() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(as_text(), encoding="utf-8")
    sys.stdout.write(f"{PUBLISHED}\n")
