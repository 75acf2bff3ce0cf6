"""Units of electrical quantities, written in any script, as tokens."""

import re
import unicodedata
from typing import NamedTuple

_PREFIXES = {"": 1.0, "p": 1e-12, "n": 1e-9, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
_WORDS = {
    "": "", "pico": "p", "nano": "n", "micro": "μ", "milli": "m", "kilo": "k", "mega": "M", "giga": "G",
    "mili": "m", "mikro": "μ", "u": "μ", "μ": "μ", "k": "k",
}  # fmt: skip
_SHORT = {
    "W": "", "w": "", "kW": "k", "KW": "k", "Kw": "k", "kw": "k", "mW": "m", "MW": "M", "uW": "μ", "uw": "μ", "UW": "μ",
    "μW": "μ", "μw": "μ", "nW": "n", "pW": "p", "GW": "G", "kWatt": "k", "mWatt": "m", "MWatt": "M",
}  # fmt: skip
_SCRIPTS = {
    "Вт": "", "вт": "", "кВт": "k", "квт": "k", "КВт": "k", "КВТ": "k", "мВт": "m", "МВт": "M", "мкВт": "μ",
    "ватт": "", "киловатт": "k", "милливатт": "m", "мегаватт": "M", "микроватт": "μ",
    "瓦": "", "瓦特": "", "千瓦": "k", "毫瓦": "m", "兆瓦": "M", "微瓦": "μ",
    "ワット": "", "キロワット": "k", "ミリワット": "m", "メガワット": "M", "マイクロワット": "μ",
    "와트": "", "킬로와트": "k", "밀리와트": "m", "메가와트": "M", "마이크로와트": "μ",
    "βατ": "", "κιλοβάτ": "k", "وات": "", "واط": "", "كيلوواط": "k", "كيلووات": "k", "ואט": "", "וואט": "",
    "קילוואט": "k", "वाट": "", "किलोवाट": "k", "วัตต์": "", "กิโลวัตต์": "k", "vatio": "", "vatios": "",
    "kilovatio": "k", "kilovatios": "k", "milivatio": "m", "milivatios": "m",
}  # fmt: skip
# milliwatts or megawatts: the case of the letter is lost
_UNCERTAIN = frozenset({"mw", "Mw", "mwatt", "mwatts", "Mwatt", "Mwatts", "MWATT", "MWATTS", "мвт", "МВТ"})
_WORD = re.compile(r"(pico|nano|micro|mikro|milli|mili|kilo|mega|giga|u|μ|k)?[ -]?watts?", re.IGNORECASE)
_STEM = r"(?:[pnuμmkg]|pico|nano|micro|milli|kilo|mega|giga)?[ -]?"
_ENERGY = re.compile(
    rf"{_STEM}w(?:att)?s?[\s._·⋅∙•*×-]*(?:h|hr|hrs|hs|hours?|s|secs?|seconds?|mins?|minutes?|days?)"
    rf"|{_STEM}j|{_STEM}joules?|{_STEM}wh[\s._·⋅*×/-]*\w*|k?cal|btu|k?ev|ma?hs?|ah"
    r"|[мк]?к?вт[\s._·⋅*×-]*ч(?:ас(?:ов)?)?|[千毫兆]?瓦[时時]|度|(?:キロ|メガ)?ワット[時秒]|(?:킬로)?와트시",
    re.IGNORECASE,
)
_OTHERS = {
    "apparent power": re.compile(r"[kmg]?va|volt-?amp(?:ere)?s?", re.IGNORECASE),
    "reactive power": re.compile(r"[kmg]?vars?", re.IGNORECASE),
    "apparent or reactive energy": re.compile(r"[kmg]?va(?:r|rs)?\W?h", re.IGNORECASE),
    "a power factor": re.compile(r"pf|cos\s?[φϕ]|cos\s?phi", re.IGNORECASE),
    "a share": re.compile(r"%|percent|pct", re.IGNORECASE),
    "voltage": re.compile(r"[μumk]?v|(?:milli|kilo)?volts?", re.IGNORECASE),
    "current": re.compile(r"[nμumk]?a|(?:milli)?amp(?:ere)?s?", re.IGNORECASE),
    "frequency": re.compile(r"[kmg]?hz|[kmg]?hertz", re.IGNORECASE),
    "temperature": re.compile(r"°?[cfk]|deg\s?[cf]|celsius|fahrenheit", re.IGNORECASE),
    "time": re.compile(r"[nμum]?s|secs?|seconds?|mins?|minutes?|h|hours?", re.IGNORECASE),
    "speed": re.compile(r"rpm", re.IGNORECASE),
}  # fmt: skip


class Unit(NamedTuple):
    """A unit as it was recognised."""

    text: str  # `W`, `kW`; for another quantity as it is written
    scale: float | None  # [W] one such unit in watts; None if it is no unit of power, or if mW and MW look alike
    quantity: str  # `power`, or the quantity that it measures


UNCERTAIN = Unit("mW or MW", None, "power")
WATT = Unit("W", 1.0, "power")


def normal(text: str) -> str:
    """Return a text with one spelling a character: `µ`, `㎾` and full-width letters become plain ones."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def unit_of(token: str) -> Unit | None:
    """Return the unit that a token is as a whole, or None."""
    token = normal(token)
    if token in _UNCERTAIN:
        return UNCERTAIN
    prefix = _SHORT.get(token, _SCRIPTS.get(token))
    if prefix is None:
        prefix = _SHORT.get(token.removesuffix("s")) if token.endswith(("Watts", "Watt")) else None
    if prefix is None and (match := _WORD.fullmatch(token)):
        prefix = _WORDS[(match[1] or "").lower()]
    if prefix is not None:
        return Unit(f"{prefix.replace('μ', 'µ')}W", _PREFIXES[prefix], "power")
    if _ENERGY.fullmatch(token):
        return Unit(token, None, "energy")
    for quantity, pattern in _OTHERS.items():
        if pattern.fullmatch(token):
            return Unit(token, None, quantity)
    return None
