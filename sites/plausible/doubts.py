"""Doubts about single numbers: each number of a file against its band, with the likely cause and what was meant."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sites.plausible.bands import band_of, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sites.plausible.bands import Band

MOST_CAUSES = 2
_PLACE = re.compile(r"\[\d+\]$")  # of a number in a list


class FileNumber(NamedTuple):
    """A number of a file."""

    key: str  # as printed: mining[miners].pool_fee_percent
    field: str  # without labels: mining.pool_fee_percent
    value: float


class Doubt(NamedTuple):
    """A number that is probably wrong."""

    text: str  # key, expected, got and the likely cause
    absurd: bool  # whether it cannot exist, so that it is refused


def doubt(band: Band, key: str, value: float, *, scale: float = 1.0, got: str = "") -> Doubt | None:
    """Return the doubt about a value, or None if it is plausible.

    Parameters
    ----------
    band
        Plausible band.
    key
        Key in the file.
    value
        Value in the file.
    scale
        The band's quantity for a value of 1: an exchange rate, for example.
    got
        The value in words, if the number alone does not say it.
    """
    size = value * scale
    if size in band:
        return None
    cause = likely(band, value, scale) or "check its unit"
    return Doubt(f"key {key}: expected {band.expected()}, got {got or written(value)} ({cause})", band.absurd(size))


def likely(band: Band, value: float, scale: float = 1.0) -> str:
    """Return the likely causes of a value outside a band with what was meant; empty if none is known."""
    meant = ((slip.cause, slip.meant(value)) for slip in band.slips)
    causes = [
        f"{cause}? write {written(instead).replace(',', '')}"
        for cause, instead in meant
        if instead != 0.0 and instead * scale in band
    ]
    other = [band.above] if band.above and value * scale > band.high else []
    return "; ".join([*causes[:MOST_CAUSES], *other])


def likely_refused(key: str, value: float, holds: Callable[[float], bool]) -> str:
    """Return the likely causes of a value that a file may not hold, in brackets; empty if none is known.

    Parameters
    ----------
    key
        Field or quantity of the table of bands; empty for none.
    value
        The refused value.
    holds
        Whether a value may be held.
    """
    band = band_of(key)
    cause = likely(band, value) if band is not None else ""
    if not cause and value < 0.0 and holds(-value):
        cause = f"a minus sign too many? write {written(-value).replace(',', '')}"
    return f" ({cause})" if cause else ""


def number_doubts(numbers: Iterable[FileNumber], per_usd: float = 1.0) -> Iterator[Doubt]:
    """Yield the doubts about the numbers of a file, each against the band of its field; one for a list of numbers.

    Parameters
    ----------
    numbers
        The numbers of a file.
    per_usd
        Units of the file's currency for one USD; prices of power are compared in USD.
    """
    for _, listed in groupby(numbers, key=lambda number: _PLACE.sub("", number.key)):
        found = [each for number in listed if (each := _number_doubt(number, per_usd)) is not None]
        if found:
            more = f", and {len(found) - 1} more of this list" if len(found) > 1 else ""
            yield Doubt(f"{found[0].text}{more}", any(each.absurd for each in found))


def _number_doubt(number: FileNumber, per_usd: float) -> Doubt | None:
    band = band_of(number.field)
    if band is None:
        return None
    foreign = per_usd != 1.0 and number.field.startswith("price.") and "usd_per" in number.field
    scale = 1.0 / per_usd if foreign else 1.0
    got = f"{written(number.value)} = {written(number.value * scale)} {band.unit}" if foreign else ""
    return doubt(band, number.key, number.value, scale=scale, got=got)
