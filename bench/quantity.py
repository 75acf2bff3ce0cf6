"""Figures as people read them: SI prefixes, field units, thousands separated."""

import math

_PREFIXES = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P", 6: "E"}
_RATE_UNITS = {"hash/s": "H/s", "flop/s": "FLOP/s", "byte/s": "B/s", "token/s": "tok/s"}


def si(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a figure with an SI prefix: `si(4.2e12, "B/s")` is `4.2 TB/s`; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    step = max(min(math.floor(math.log10(abs(value)) / 3 + 1e-12), max(_PREFIXES)), min(_PREFIXES))
    scaled = value / 1000**step
    if abs(float(f"{scaled:.{digits}g}")) >= 1000 and step < max(_PREFIXES):
        step, scaled = step + 1, scaled / 1000
    return f"{scaled:.{digits}g} {_PREFIXES[step]}{unit}"


def rate(value: float | None, unit: str) -> str:
    """Return a rate in the field's unit: hash/s as H/s with a prefix."""
    return si(value, _RATE_UNITS.get(unit, unit))


def plain(value: float | None, digits: int = 4) -> str:
    """Return a number with thousands separated and `digits` significant digits; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
