"""Text of figures for readers: SI prefixes, the units of the field, thousands separated."""

import math

HASHES_PER_TH = 1e12
"""Hashes in one TH: J/hash times this is J/TH, hash/s divided by it is TH/s."""
J_PER_TH_DIGITS = 4
"""Significant digits of every J/TH in tables, messages and on the page; at most two fewer are decimals."""
_PREFIXES = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P", 6: "E"}
_RATE_UNITS = {"hash/s": "H/s", "flop/s": "FLOP/s", "byte/s": "B/s", "token/s": "tok/s"}
_MEGA_FROM_J_PER_TH = 1e4
_SHORT_FROM = 1e4


def si(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a figure with an SI prefix: `si(4.2e12, "B/s")` is `4.2 TB/s`; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    scaled, prefix = _prefixed(value, digits)
    return f"{scaled:.{digits}g} {prefix}{unit}"


def _prefixed(value: float, digits: int) -> tuple[float, str]:
    """Return a finite value other than 0 as it reads with an SI prefix, and the prefix."""
    step = max(min(math.floor(math.log10(abs(value)) / 3 + 1e-12), max(_PREFIXES)), min(_PREFIXES))
    scaled = value / 1000**step
    if abs(float(f"{scaled:.{digits}g}")) >= 1000 and step < max(_PREFIXES):
        step, scaled = step + 1, scaled / 1000
    return scaled, _PREFIXES[step]


def rate(value: float | None, unit: str) -> str:
    """Return a rate in the field's unit: hash/s as H/s with a prefix."""
    return si(value, _RATE_UNITS.get(unit, unit))


def plain(value: float | None, digits: int = 4, most_decimals: int = 99) -> str:
    """Return a number with thousands separated and `digits` significant digits; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")  # 0.99999 has the decimals of 1
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{min(decimals, most_decimals)}f}"


def short(value: float) -> str:
    """Return four digits, followed by an SI prefix where the figure is long: 15.10M."""
    if abs(value) < _SHORT_FROM or not math.isfinite(value):
        return plain(value)
    scaled, prefix = _prefixed(value, 4)
    return f"{plain(scaled)}{prefix}"


def j_per_th(value: float | None) -> str:
    """Return an energy [J/TH] as a bare number, for a column headed J/TH; None is a dash."""
    return plain(value, J_PER_TH_DIGITS, most_decimals=J_PER_TH_DIGITS - 2)


def j_per_th_with_unit(value_j_per_th: float) -> str:
    """Return an energy [J/TH] with its unit: `17.50 J/TH`, and `3.381 MJ/TH` where the number would be long."""
    if value_j_per_th >= _MEGA_FROM_J_PER_TH:
        return si(value_j_per_th, "J/TH", J_PER_TH_DIGITS)
    return f"{j_per_th(value_j_per_th)} J/TH"


def quantity(value: float, unit: str) -> str:
    """Return a figure in the units of the field: J/hash as J/TH, "1" as a bare number, others with a prefix."""
    if unit == "1":
        return plain(value)
    if unit == "J/hash":
        return j_per_th_with_unit(value * HASHES_PER_TH)
    return rate(value, unit) if unit.endswith("/s") else si(value, unit)


def quantity_range(low: float, high: float, unit: str) -> str:
    """Return the two ends of an interval as `quantity` does, with the unit once where both ends share it."""
    first, last = quantity(low, unit), quantity(high, unit)
    number, _, in_unit = first.partition(" ")
    return f"{number} to {last}" if last.endswith(f" {in_unit}") else f"{first} to {last}"
