"""The published JSON Schema of a lab file, for editors; `python -m bench.lab.inventory.schema` writes it anew."""

import json
import sys
from pathlib import Path

from bench.lab.inventory.file import LabFile
from sites.schemas.generate import DIALECT, clean

PUBLISHED = Path(__file__).with_name("lab.schema.json")


def as_text() -> str:
    """Return the text of the schema's file."""
    head = {"$schema": DIALECT, "$id": "urn:perwatt:lab", "title": "perwatt: a lab of many hosts"}
    return json.dumps({**head, **clean(LabFile.model_json_schema())}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(as_text(), encoding="utf-8")
    sys.stdout.write(f"{PUBLISHED}\n")
