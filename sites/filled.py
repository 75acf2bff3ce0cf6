"""A site with one of its blocks alone on the whole interconnect: what its megawatts earn with each device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import validate
from sites.site_file import SiteFile

if TYPE_CHECKING:
    from pathlib import Path

_SIZES = ("count", "facility_mw", "gpus", "modules", "interconnect_percent")


def filled(file: SiteFile, place: Path, block: str, device: str | None = None) -> SiteFile:
    """Return a site file whose interconnect is all one block's; its device is replaced where another is named.

    Raises
    ------
    InputError
        The file has no block of that name.
    """
    document: dict[str, Any] = file.model_dump(mode="json", exclude_unset=True)
    tables = [(kind, table) for kind in ("mining", "inference") for table in document.get(kind, ())]
    found = next(((kind, table) for kind, table in tables if table.get("name", kind) == block), None)
    if found is None:
        names = [table.get("name", kind) for kind, table in tables]
        raise InputError.at(place, expected="a block of the site", got=block, near=near_names(block, names))
    kind, table = found
    alone = {key: value for key, value in table.items() if key not in _SIZES} | {"interconnect_percent": 100}
    if device is not None:
        alone = {key: value for key, value in alone.items() if key != "modes"} | {"device": device}
    return validate(SiteFile, {**document, "mining": [], "inference": [], kind: [alone]}, place)
