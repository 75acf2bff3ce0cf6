"""The text form of the cgminer interface (`STATUS=S,When=1,…|SUMMARY,Elapsed=5,…|`), read as its JSON form."""

import re
from typing import Any

_LISTS = {"POOL": "POOLS", "ASC": "DEVS", "PGA": "DEVS", "GPU": "DEVS"}
_FIELD = re.compile(r"((?:\[[^\]]*\]|[^,\[])+)(?:,|$)")  # a comma within brackets belongs to a value of Avalon


def is_text_form(raw: bytes) -> bool:
    """Return whether a reply has the text form."""
    return raw.lstrip().startswith(b"STATUS=")


def read_text_form(raw: bytes) -> dict[str, Any]:
    """Return the lists of a reply by name, each row with the keys of the JSON form and its values as text.

    Parameters
    ----------
    raw
        The reply: sections that end with `|`, each a list of `KEY=VALUE` between commas.
    """
    sections: dict[str, Any] = {}
    for part in raw.rstrip(b"\0 \r\n").decode("utf-8", "replace").split("|"):
        fields = [match[1] for match in _FIELD.finditer(part.strip())]
        if not fields:
            continue
        name = fields[0].partition("=")[0]
        row = {key: value for key, sign, value in (field.partition("=") for field in fields) if sign}
        sections.setdefault(_LISTS.get(name, name), []).append(row)
    return sections
