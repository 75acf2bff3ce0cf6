"""The JSON Schema of a control file, for editors."""

import json

from bench.control.setup.file import ControlFile
from sites.schemas.generate import DIALECT, clean


def as_text() -> str:
    """Return the schema."""
    head = {"$schema": DIALECT, "$id": "urn:perwatt:control", "title": "perwatt: a site under control"}
    return json.dumps({**head, **clean(ControlFile.model_json_schema())}, indent=1, ensure_ascii=False) + "\n"
