"""Names of sites as names of files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 80


def slug(name: str) -> str:
    """Name as a file name: lower case, digits and dashes, at most 80 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold())[:LONGEST].strip("-") or "site"


def slugs(names: Iterable[str]) -> list[str]:
    """Slug of each name, no two the same: the second of one slug gets -2, the third -3, past any name that is that."""
    wanted = [slug(name) for name in names]
    taken: set[str] = set()
    found = []
    for base in wanted:
        one, number = base, 1
        while one in taken or (number > 1 and one in wanted):
            number += 1
            one = f"{base}-{number}"
        taken.add(one)
        found.append(one)
    return found
