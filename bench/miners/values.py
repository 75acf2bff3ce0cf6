"""Values of firmware, read leniently: numbers as text, with units, missing, or not numbers at all."""

import hashlib
import ipaddress
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LONGEST_TEXT = 120
LARGEST = 1e40
"""No figure of a miner is larger, in any unit; products with it stay finite."""
RATE_UNITS: Mapping[str, float] = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(.{0,16}?)\s*", re.DOTALL)
_RATE = re.compile(r"([KMGTPE]?)(?:H(?:/S|S|ASH/S)?)?", re.IGNORECASE)
_POWER = {"": 1.0, "w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "mw": 1e-3}


def read_number(value: Any) -> tuple[float, str] | None:
    """Return the number of a value and the unit that follows it as text, or None if it is none.

    Parameters
    ----------
    value
        A JSON value: a number, `"3250 W"`, `"12.5 GH"`, `"N/A"`, null.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number, unit = _as_float(value), ""
    elif isinstance(value, str) and (match := _NUMBER.fullmatch(value[:80])):
        number, unit = float(match[1].replace(",", "")), match[2]
    else:
        return None
    return (number, unit) if number is not None and abs(number) <= LARGEST else None


def _as_float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def number(value: Any) -> float | None:
    """Return the number of a value without its unit, or None."""
    read = read_number(value)
    return read[0] if read else None


def whole(value: Any) -> int | None:
    """Return the number of a value as a count from 0, or None."""
    read = number(value)
    return int(read) if read is not None and 0 <= read < 2**63 and read == int(read) else None


def rate_h_s(value: Any, unit: str) -> float | None:
    """Return a hashrate [hash/s], or None if it is missing or below 0.

    Parameters
    ----------
    value
        The value.
    unit
        Its unit (`MH/s`, `GH/s`, `TH/s`) unless the value has one of its own.
    """
    read = read_number(value)
    if read is None or read[0] < 0.0:
        return None
    match = _RATE.fullmatch(read[1] or unit)
    return _finite(read[0] * RATE_UNITS[match[1].upper()]) if match else None


def power_w(value: Any) -> float | None:
    """Return a power [W], or None if it is missing or below 0, which firmware uses for unknown."""
    read = read_number(value)
    if read is None or read[0] < 0.0 or read[1].lower() not in _POWER:
        return None
    return _finite(read[0] * _POWER[read[1].lower()])


def difficulty(value: Any) -> float | None:
    """Return a difficulty, which firmware shortens: `524K` is 524,000 or, rather, about 2^19."""
    read = read_number(value)
    if read is None or read[0] < 0.0 or read[1].upper() not in RATE_UNITS:
        return None
    return _finite(read[0] * RATE_UNITS[read[1].upper()])


def _finite(value: float) -> float | None:
    """Return a value, or None if it is beyond what a float holds."""
    return value if math.isfinite(value) else None


def text(value: Any) -> str:
    """Return a value as a short text on one line; a table, a list and null are empty."""
    if value is None or isinstance(value, dict | list):
        return ""
    return " ".join(str(value).split())[:LONGEST_TEXT]


def truth(value: Any) -> bool | None:
    """Return a truth that firmware writes as a boolean, a number or a word, or None."""
    if isinstance(value, bool):
        return value
    word = text(value).strip("'\"").lower()
    return {"true": True, "1": True, "yes": True, "y": True, "on": True}.get(
        word, False if word in {"false", "0", "no", "n", "off"} else None
    )


def unit_hash(*names: Any) -> str:
    """Return a short hash that tells two units apart and names neither.

    Parameters
    ----------
    names
        Serial number and MAC address as sent; the first one that says something counts.
    """
    for name in names:
        word = re.sub(r"[^0-9a-z]", "", text(name).lower())
        if word.strip("0"):
            return hashlib.sha256(f"perwatt miner {word}".encode()).hexdigest()[:8]
    return ""


def pool_address(url: Any) -> str:
    """Return scheme, host and port of a pool: no user, no path, and a private address only as such."""
    try:
        parts = urlsplit(text(url))
        if not parts.netloc and "://" not in text(url):
            parts = urlsplit(f"//{text(url)}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(not an address)"
    if not host:
        return ""
    try:
        if not ipaddress.ip_address(host).is_global:
            host = "(local address)"
        elif ":" in host:
            host = f"[{host}]"
    except ValueError:
        pass
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{host}{f':{port}' if port else ''}"


def numbers(value: Any) -> tuple[float, ...]:
    """Return the numbers of a list, or of a text such as `78-50-69` or `63  70  70`."""
    if isinstance(value, str):
        value = re.findall(r"(?:^-|(?<=\s)-)?\d+(?:\.\d+)?", value[:20_000])
    if not isinstance(value, list):
        return ()
    return tuple(read for item in value if (read := number(item)) is not None)
