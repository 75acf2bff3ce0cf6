"""The quantity and the unit that the name of a log's column states."""

import re
from enum import Enum
from typing import NamedTuple

from bench.meters.logs.names import words
from bench.meters.logs.names.units import Unit, normal, unit_of

_BRACKETS = re.compile(r"[(\[{<【「](.*?)[)\]}>】」]")
_TOKENS = re.compile(r"[\s_,;:|.·/-]+")
_ENERGY = re.compile(
    r"(?<![^\W\d_])(?:[pnuμmkg]|pico|nano|micro|milli|kilo|mega|giga)?[ -]?"
    r"(?:w[\s._·⋅∙•*×-]*(?:hs?|hrs?|hours?|s|secs?)"
    r"|watts?[\s._·⋅∙•*×-]*(?:hs?|hrs?|hours?|secs?|seconds?|minutes?|days?)|watts?[\s._·⋅∙•*×-]+s)(?![^\W\d_])"
    r"|вт[\s._·⋅*×-]*ч|[千毫兆]?瓦[时時]|ワット[時秒]|와트시",
    re.IGNORECASE,
)
# W per something, something per W, W times a number, or a sign before W that was lost: no unit of power
_SCALED = re.compile(
    r"\d[.,]\d+\s*[a-zμ]*w|(?<![^\W_])(?:per|deci|centi|tenths?|hundredths?|thousandths?)(?![^\W_])"
    r"|(?<![^\W_])[x×*]\s?\d|\d\s?[x×*](?![^\W_])|10\s?\^|(?<![^\W_])10+[\s_]*(?:[kmuμ]?w|watts?)(?![^\W_])|(?<![^\W_])\d+e[-+]?\d"
    r"|[^\s\w,;:|./·-][kmuμ]?w(?:att)?s?\b",
    re.IGNORECASE,
)
# a factor in a name whose unit is in brackets, as in `Power (W) x10`
_FACTOR = re.compile(
    r"(?<![^\W_])[x×*÷/]\s?10+(?!\d)|10\s?\^|(?<![^\W_])(?:deci|centi|tenths?|hundredths?|thousandths?)(?![^\W_])",
    re.IGNORECASE,
)
_OTHER_PREFIXES = ("deci", "centi", "deca", "deka", "hecto", "tera", "femto")  # none of them is read
_GLUED = re.compile(r"([A-Za-z]*[A-Za-z])((?:[kmnuM]?W)|(?:[kmuM]|kilo|milli|mega|micro)?[Ww]atts?)")
_GLUED_SCRIPT = re.compile(r"[\u0370-\u05ff\u0900-\u0fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+([a-zμA-Z]+)")
_PREFIX_LETTERS = frozenset("kmnuμMG")  # alone before W they may belong to it
_PREFIX_WORDS = frozenset({"micro", "mikro", "milli", "mili", "kilo", "mega", "giga", "nano", "pico"})
_WEAK = frozenset({"voltage", "current", "temperature", "time"})  # their units are letters that also number phases


class Kind(Enum):
    """The clarity with which a name states a unit of power."""

    WATTS = "a unit of power"
    UNCERTAIN = "mW or MW"
    UNCLEAR = "a unit that is not clear"
    OTHER = "another quantity"
    UNITLESS = "power without a unit"
    NONE = "no quantity"


class Named(NamedTuple):
    """The meaning of a column's name."""

    kind: Kind
    unit: Unit | None = None  # for WATTS
    quantity: str = ""  # for OTHER
    measured: bool = True  # False for limits, extremes and the like


def meaning(name: str) -> Named:
    """Return the quantity and the unit that a column's name states."""
    plain = normal(name)
    parts = words.split(plain)
    measured = not words.SETTINGS & set(parts)
    if (quantity := _never_watts(plain, parts)) is not None:
        return Named(Kind.OTHER, quantity=quantity)
    units, outside = _bracketed(plain), _BRACKETS.sub(" ", plain)
    if units is None:
        units = _outside(outside, parts)
    elif _FACTOR.search(outside) or _other_powers(outside, parts) - units:
        units = {None}
    if not units:
        return Named(Kind.UNITLESS if words.is_power(parts) else Kind.NONE, measured=measured)
    unit = next(iter(units)) if len(units) == 1 else None
    if unit is None or words.is_energy(plain):
        return Named(Kind.UNCLEAR, measured=measured)
    if unit.quantity != "power":
        return Named(Kind.OTHER, quantity=f"{unit.quantity} ({unit.text})")
    if unit.scale is None or _shouted(plain, unit):
        return Named(Kind.UNCERTAIN, measured=measured)
    return Named(Kind.WATTS, unit, "", measured)


def _never_watts(plain: str, parts: list[str]) -> str | None:
    if match := _ENERGY.search(plain):
        return f"energy ({match[0].strip()})"
    if (quantity := words.other_quantity(plain, parts)) is not None:
        return quantity
    if words.is_energy(plain) and not any(map(unit_of, _TOKENS.split(plain))):
        return "energy" if _bracketed(plain) is None else None
    return None


def _bracketed(plain: str) -> set[Unit | None] | None:
    """Return the units in brackets, None among them if one is not clear; None if no bracket holds a unit."""
    units: set[Unit | None] = set()
    for content in _BRACKETS.findall(plain):
        whole = unit_of(content)
        if whole is not None:
            units.add(whole)
            continue
        tokens = [token for token in _TOKENS.split(content) if token]
        parts = [unit for token in tokens if (unit := unit_of(token)) is not None and unit.quantity not in _WEAK]
        if parts:
            rest = [
                token for token in tokens if unit_of(token) not in parts and token.casefold() not in words.QUALIFIERS
            ]
            units |= {None} if rest or "/" in content or _SCALED.search(content) else set(parts)
    return units or None


def _outside(text: str, parts: list[str]) -> set[Unit | None]:
    """Return the units among the words of a name, None among them if one is not clear."""
    tokens = [token for token in _TOKENS.split(text) if token]
    is_power = words.is_power(parts)
    units: set[Unit | None] = set()
    for i, token in enumerate(tokens):
        unit = unit_of(token) or _glued(token)
        if unit is not None and unit.scale == 1.0 and i and tokens[i - 1] in _PREFIX_LETTERS:
            return {None}
        if unit is not None and unit.scale == 1.0 and i and tokens[i - 1].casefold() in _PREFIX_WORDS:
            unit = unit_of(tokens[i - 1] + token)
        if unit is None or (unit.quantity in _WEAK and is_power):
            continue
        rest = {*tokens[:i], *tokens[i + 1 :]}
        if token in {"w", "W"} and i < len(tokens) - 1 and not (is_power or rest <= words.QUALIFIERS):
            return {None}  # `w` may be west, week or writes
        units.add(unit)
    if any(unit is not None and unit.quantity == "power" for unit in units):
        if ("/" in text and not _is_quotient(text)) or _SCALED.search(text):
            return {None}
        if all(unit is not None and unit.quantity in {"power", *_WEAK} for unit in units):
            units = {unit for unit in units if unit is not None and unit.quantity == "power"}
    return units


def _other_powers(text: str, parts: list[str]) -> set[Unit | None]:
    """Return the units of power outside of the brackets."""
    return {unit for unit in _outside(text, parts) if unit is not None and unit.quantity == "power"}


def _is_quotient(text: str) -> bool:
    """Return whether a name is a power over its unit, as `P/W` is, and no ratio."""
    left, _, right = text.partition("/")
    return unit_of(right) is not None and words.is_power(words.split(left)) and not any(map(unit_of, left.split()))


def _glued(token: str) -> Unit | None:
    """Return the unit at the end of `PkgWatt`, `powerkW` or `功率W`, None if there is none or it is not clear."""
    if match := _GLUED_SCRIPT.fullmatch(token):
        return unit_of(match[1])
    match = _GLUED.fullmatch(token)
    if match is None:
        return None
    for split in range(1, len(token)):
        left, unit = token[:split], unit_of(token[split:])
        if unit is not None and unit.quantity == "power" and left.casefold().endswith(words.BEFORE_A_UNIT):
            return unit
    stem = re.sub(r"(?:W|[Ww]atts?)$", "", token)
    no_unit = len(stem) < 3 or stem[-1].casefold() in set("kmunpg") or stem.casefold().endswith(_OTHER_PREFIXES)
    return None if no_unit else unit_of(token[len(stem) :])


def _shouted(plain: str, unit: Unit) -> bool:
    """Return whether MW stands in a name of capitals, which may have been mW."""
    rest = plain.replace("MW", "")
    return unit.text == "MW" and rest.isupper() and sum(map(str.isalpha, rest)) > 1
