"""Readings that can be no power: fill patterns, gigawatts, power that flows backwards."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.meters.logs.cells.arrays import median
from hardware_profiles.errors import InputError

Numbers = npt.NDArray[np.float64]  # infinite where a reading is missing, NaN where it is unreadable

MISSING = math.inf
LARGEST_W = 1e9  # [W]
_ONES = (2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_NINES = tuple(10**digits - 1 for digits in range(4, 9))
_SCPI = (9.9e37, 9.91e37)  # infinity and no number
_ONES_SCALED = frozenset(ones / scale for ones in _ONES for scale in (1, 10, 100, 1000))
_LEAST_LARGE = 2e6
_LARGE_FILL = frozenset(fill for fill in _ONES_SCALED if fill > _LEAST_LARGE) | frozenset(_SCPI)
_NEGATIVE_FILL = frozenset({-1.0, -9.0, -99.0, -127.0, -128.0, -999.0, -9999.0, -32768.0, -99999.0, -(2.0**31)})
_FILL = _ONES_SCALED | frozenset(nines / scale for nines in _NINES for scale in (1, 10, 100)) | frozenset(_SCPI)


def without_fill(values: Numbers) -> Numbers:
    """Return numbers as they are written, without those that a device writes where it has no reading.

    All-ones patterns of 32 and 64 bits never are readings; those of 15 and 16 bits, and rows of nines, are none where
    the others are far smaller. A number such as -1 or -999 is none where it is the only negative one and the others are
    not near it: power around 0 W has several negative values.
    """
    values = _without_negative_fill(values)
    read = values[np.isfinite(values)]
    far = 20.0 * abs(median(read)) if len(read) else 0.0
    large = values[values > (min(far, _LEAST_LARGE) if far > 0.0 else _LEAST_LARGE)]
    fills = [v for v in np.unique(large).tolist() if v in _LARGE_FILL or (v in _FILL and v > far > 0.0)]
    return np.where(np.isin(values, fills), MISSING, values) if fills else values


def _without_negative_fill(values: Numbers) -> Numbers:
    negative = np.unique(values[values < 0.0]).tolist()
    others = values[(values >= 0.0) & (values != MISSING)] if len(negative) == 1 else values[:0]
    if not len(others) or negative[0] not in _NEGATIVE_FILL:
        return values
    size = -negative[0]
    is_outside = others.min() > size or 0.0 < others.max() < size
    if size >= 99.0 or is_outside or median(others) > 20.0 * size:
        return np.where(values == negative[0], MISSING, values)
    return values


def check(path: Path, column: str, raw: Numbers, watts: Numbers) -> None:
    """Refuse readings that can be no power.

    Parameters
    ----------
    path, column
        File and column, for messages.
    raw
        The numbers as they are written.
    watts
        The same in watts [W].

    Raises
    ------
    InputError
        All readings are missing or one fill pattern, most are gigawatts, or the mean is negative.
    """
    place = f"{path}: column {column}"
    read = raw[np.isfinite(raw)]
    fill = float(read[0]) if len(read) > 1 and read.min() == read.max() else 0.0
    read = read if watts is raw else watts[np.isfinite(watts)]
    if not len(read) and np.isinf(watts).any():
        raise InputError.at(place, expected="readings of power", got="every reading missing")
    if fill in _ONES_SCALED:
        got = f"{fill:.10g} on every row: all bits are ones"
        raise InputError.at(place, expected="readings of power", got=got)
    middle = median(read) if len(read) else 0.0
    if abs(middle) > LARGEST_W:
        expected = "power below 1e9 W (is the unit right? unit=W, unit=mW or unit=uW states another)"
        raise InputError.at(place, expected=expected, got=f"{middle:.6g} W")
    if len(read) and read.min() < 0.0 and (total := math.fsum(read)) < 0.0:
        expected = "power that flows into the device (a clamp the wrong way round reads negative)"
        raise InputError.at(place, expected=expected, got=f"a mean of {total / len(read):.6g} W")
