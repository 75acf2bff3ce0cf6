"""Readings that can be no power: fill patterns, gigawatts, power that flows backwards."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from hardware_profiles.errors import InputError

LARGEST_W = 1e9  # [W]
_ONES = (2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_NINES = tuple(10**digits - 1 for digits in range(4, 9))
_SCPI = (9.9e37, 9.91e37)  # infinity and no number
_ONES_SCALED = frozenset(ones / scale for ones in _ONES for scale in (1, 10, 100, 1000))
_LARGE_FILL = frozenset(fill for fill in _ONES_SCALED if fill > 2e6) | frozenset(_SCPI)
_NEGATIVE_FILL = frozenset({-1.0, -9.0, -99.0, -127.0, -128.0, -999.0, -9999.0, -32768.0, -99999.0, -(2.0**31)})
_FILL = _ONES_SCALED | frozenset(nines / scale for nines in _NINES for scale in (1, 10, 100)) | frozenset(_SCPI)


def without_fill(values: Sequence[float | None]) -> list[float | None]:
    """Return numbers as they are written, with None for those that a device writes where it has no reading.

    All-ones patterns of 32 and 64 bits never are readings; those of 15 and 16 bits, and rows of nines, are none where
    the others are far smaller. A number such as -1 or -999 is none where it is the only negative one and the others are
    not near it: power around 0 W has several negative values.
    """
    values = _without_negative_fill(values)
    read = [value for value in values if value is not None and not math.isnan(value)]
    usual = abs(median(read)) if read else 0.0
    return [
        None
        if value is not None and (value in _LARGE_FILL or (value in _FILL and value > 20.0 * usual > 0.0))
        else value
        for value in values
    ]


def _without_negative_fill(values: Sequence[float | None]) -> Sequence[float | None]:
    read = [value for value in values if value is not None and not math.isnan(value)]
    negative = {value for value in read if value < 0.0}
    others = [value for value in read if value >= 0.0]
    if len(negative) != 1 or not negative <= _NEGATIVE_FILL or not others:
        return values
    size = -min(negative)
    is_outside = min(others) > size or 0.0 < max(others) < size
    if size >= 99.0 or is_outside or median(others) > 20.0 * size:
        return [None if value in negative else value for value in values]
    return values


def check(path: Path, column: str, raw: Sequence[float | None], watts: Sequence[float | None]) -> None:
    """Refuse readings that can be no power.

    Parameters
    ----------
    path, column
        File and column, for messages.
    raw
        The numbers as they are written; NaN where one is unreadable.
    watts
        The same in watts [W].

    Raises
    ------
    InputError
        All readings are missing or one fill pattern, most are gigawatts, or the mean is negative.
    """
    place = f"{path}: column {column}"
    numbers = {value for value in raw if value is not None and not math.isnan(value)}
    read = [value for value in watts if value is not None and not math.isnan(value)]
    if not read and any(value is None for value in watts):
        raise InputError.at(place, expected="readings of power", got="every reading missing")
    if len(numbers) == 1 and numbers <= _ONES_SCALED and len(read) > 1:
        got = f"{numbers.pop():.10g} on every row: all bits are ones"
        raise InputError.at(place, expected="readings of power", got=got)
    middle = median(read) if read else 0.0
    if abs(middle) > LARGEST_W:
        expected = "power below 1e9 W (is the unit right? unit=W, unit=mW or unit=uW states another)"
        raise InputError.at(place, expected=expected, got=f"{middle:.6g} W")
    if sum(read) < 0.0:
        expected = "power that flows into the device (a clamp the wrong way round reads negative)"
        raise InputError.at(place, expected=expected, got=f"a mean of {sum(read) / len(read):.6g} W")
