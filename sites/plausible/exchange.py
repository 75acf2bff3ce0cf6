"""The doubt that losses and availability of a site's power are exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.plausible.bands import known_band, written
from sites.plausible.doubts import Doubt, FileNumber

if TYPE_CHECKING:
    from collections.abc import Iterable

LOSSES, AVAILABILITY = "power.losses_percent", "power.availability_percent"
EXCHANGED_KEYS = (f"key {LOSSES}:", f"key {AVAILABILITY}:")


def says_exchanged(lines: Iterable[str]) -> bool:
    """Return whether one of a site's warnings is that losses and availability are exchanged."""
    return any(line.startswith(EXCHANGED_KEYS) and "(exchanged?" in line for line in lines)


def exchange_doubt(numbers: Iterable[FileNumber]) -> Doubt | None:
    """Return a doubt if the values of losses and availability are plausible only when they are exchanged."""
    values = {number.field: number.value for number in numbers if number.field in (LOSSES, AVAILABILITY)}
    if len(values) < 2:
        return None
    lost, available = values[LOSSES], values[AVAILABILITY]
    losses, availability = known_band(LOSSES), known_band(AVAILABILITY)
    if lost in losses or available in availability or lost not in availability or available not in losses:
        return None
    return Doubt(
        f"key {LOSSES}: expected {losses.expected()}, got {written(lost)} with an availability_percent of "
        f"{written(available)} (exchanged? write losses_percent = {written(available)} and availability_percent = "
        f"{written(lost)})",
        absurd=False,
    )
