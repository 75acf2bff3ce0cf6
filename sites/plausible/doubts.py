"""Doubts about single numbers: each number of a file against its band, with the likely cause and what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sites.plausible.bands import band_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sites.plausible.bands import Band

MOST_CAUSES = 2


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
    causes = [
        f"{slip.cause}? write {written(slip.meant(value)).replace(',', '')}"
        for slip in band.slips
        if slip.meant(value) * scale in band and slip.meant(value) != 0.0
    ]
    cause = "; ".join(causes[:MOST_CAUSES]) or "check its unit"
    text = (
        f"key {key}: expected {band.expected()}, got {got or written(value)} ({cause}); "
        f"source of the band: {band.source}, {band.date}"
    )
    return Doubt(text, absurd=band.absurd(size))


def number_doubts(numbers: Iterable[FileNumber], per_usd: float = 1.0) -> Iterator[Doubt]:
    """Yield the doubts about the numbers of a file, each against the band of its field.

    Parameters
    ----------
    numbers
        The numbers of a file.
    per_usd
        Units of the file's currency for one USD; prices of power are compared in USD.
    """
    for number in numbers:
        band = band_of(number.field)
        if band is None:
            continue
        foreign = per_usd != 1.0 and number.field.startswith("price.") and "usd_per" in number.field
        scale = 1.0 / per_usd if foreign else 1.0
        got = f"{written(number.value)} = {written(number.value * scale)} {band.unit}" if foreign else ""
        found = doubt(band, number.key, number.value, scale=scale, got=got)
        if found is not None:
            yield found
