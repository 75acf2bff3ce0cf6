"""The detection of average hash rates that a report derived from its bitcoin, by the words or numbers of its note.

Such an average cannot test a prediction, because the prediction only returns the reported bitcoin. The numbers decide
even if the words do not say so: the average is derived if the bitcoin of the month (or of a day) and one or two other
numbers of the note give it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

REPRODUCED = 0.001  # relative difference between a derivation and the average, in addition to its rounding
WRITTEN = 0.002  # the same for arithmetic that is written out
ROUNDED = 0.005  # maximum for the rounding of the average
UNITS = (1.0, 1e3, 1e-3, 1e6, 1e-6)  # TH, PH, EH
SATS = (1e8, 1e5, 1e2)  # the same for satoshis

_FROM = r"(?:from|of|by|via|using|through)"
_MADE = (
    r"(?:btc|bitcoins?|production|produced|output|mined|blocks?|rewards?|revenues?)\b"
    r"(?!\s+(?:reports?|updates?|releases?|statements?|tables?|pages?)\b)"
)
_DERIVED = (
    r"(?:derived|calculated|computed|estimated|deduced|determined|worked\s+out|solved|follows|back(?:ed|ing)?"
    r"[\s-]+out|backing)"
)
_NEGATED = re.compile(
    r"\b(?:not?|non|never|un)[\s-]+(?:\w+[\s-]+){0,2}?(?:circular|realized|realised|derived|implied|backed)\w*"
    rf"(?:\s+{_FROM}\s+(?:\w+\s+){{0,2}}?{_MADE})?"
)
_CIRCULAR = re.compile(
    r"\b(circular\w*|realized|realised|implied|imputed|inferred|reverse[\s-]engineered"
    r"|(?:back|re)[\s-]?(?:calculated|computed|solved|derived)"
    rf"|{_DERIVED}\s+(?:\w+\s+){{0,3}}?{_FROM}\s+(?:\w+\s+){{0,3}}?{_MADE}"
    rf"|{_MADE}\s+(?:\w+\s+){{0,2}}?(?:divided\s+by|over|/)\s+(?:\w+\s+){{0,3}}?"
    r"(?:hash\s?price|hash\s?value|yield|network|difficulty))\b"
)
_OF_NETWORK = re.compile(r"\b(btc|bitcoins?|blocks?|rewards?|produc\w*|mined|sats?|network|global|share)\b")
_OF_BTC = re.compile(r"\b(btc|bitcoins?|blocks?|rewards?|produc\w*|mined|sats?)\b")
_OF_RUNNING = re.compile(
    r"\b(up[\s-]?time|availab\w+|utili[sz]ation|online|energi[sz]ed|deployed|installed|nameplate)\b"
)
_MEASURED = re.compile(
    r"\b(measured|metered|telemetry|(?:avg|average|mean)\s+operating|operating\s+(?:avg|average|mean))\b"
)
_CLAUSE_END = re.compile(r"[;()\n]|,\s|\.\s")
_AVERAGE_RATE = re.compile(r"\b(?:avg|averag(?:e|ed|ing)|mean)\b")
_CONCLUDED = re.compile(r"=|\b(?:so|thus|hence|therefore|gives?|yields?|means|makes|at)\b")
_HASHES = r"(?:[ept]h(?:/s|ash)?|(?:exa|peta|tera)hash)"
_YIELD = re.compile(
    r"\d[\d.,'\s]*(?:btc|bitcoins?|sats?|satoshis?)\s*(?:/|\bper\b)\s*(?:(?:avg|average|mean)\s+)?"
    rf"{_HASHES}(?:\s*(?:/|\bper\b)\s*(?:day|month))?\b"
)
_SIGNS = str.maketrans(
    dict.fromkeys("\u2215\u2044\uff0f\u00f7\u2236\uff1a", "/")
    | dict.fromkeys("\u00d7\u2715\u2a09\u22c5\u00b7\u2217\u2022", "*")
)
_GROUP = r"[,'\u2019\u00a0\u2009\u202f ]"  # between thousands
_NUMBER = (
    rf"\d{{1,3}}(?:{_GROUP}\d{{3}})+(?![\d,])(?:\.\d+)?"  # 13,850.5
    r"|\d{1,3}(?:\.\d{3})+,\d+"  # 13.850,5
    r"|\d+[.,]\d+|\d+|(?<!\d)\.\d+"
)
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<percent>%|per\s?cent\b)?"
    r"|(?P<op>[/*:]|\bx\b|\bper\b|\bdivided by\b|\bover\b|\btimes\b|\bof\b)"
)
_UNIT = re.compile(r"\b([a-z]+)\s*(?:/|\bper\b)\s*(?:avg|average)?\s*[a-z]+\b")


@dataclass(frozen=True, slots=True)
class Month:
    """The figures of a report that a derivation uses."""

    btc: float  # [BTC] produced
    average_ehs: float  # [EH/s]
    days: int
    deployed_ehs: float | None  # [EH/s]

    @property
    def amounts(self) -> tuple[float, float]:
        """Amounts that a derivation may start from [BTC]: the bitcoin of the month, and of a day."""
        return self.btc, self.btc / self.days

    def is_average(self, value: float) -> bool:
        """Whether a value equals the average within its rounding."""
        return _close(value, self.average_ehs, REPRODUCED + min(_last_digit(repr(self.average_ehs)), ROUNDED))


class _Number(NamedTuple):
    value: float  # in the unit that the note states
    rounding: float  # relative, of the last digit
    written: str  # as in the note

    def is_one_of(self, *figures: float | None) -> bool:
        """Whether the number is one of the figures, in any unit and within its rounding."""
        return any(
            _close(self.value, figure * unit, 1e-4 + self.rounding)
            for figure in figures
            if figure
            for unit in UNITS[:3]
        )


def circular_words(note: str) -> str | None:
    """Return the words of a note (lower case) that call its average derived from the bitcoin produced, or None."""
    match = _CIRCULAR.search(_NEGATED.sub(" ", note.translate(_SIGNS)))
    return match.group(1) if match else None


def derivation(note: str, month: Month) -> str | None:
    """Return the arithmetic by which a note's average follows from the bitcoin produced, or None.

    Three kinds are searched, in this order: products and quotients that are written out; the bitcoin of the month or of
    a day with one or two other numbers that give the average by multiplication and division (with days and powers of
    1000); and a yield such as "24.6 BTC per EH", unless the note calls the hash rate operating or measured. A note that
    states the average as a hash rate of its own ("monthly average hash rate 4.14 EH/s; 66.7 BTC per exahash") may state
    the yield too, because the yield then follows from the average.
    """
    text = note.casefold().translate(_SIGNS)
    bare = _UNIT.sub(r" \1 ", text)
    states_average = _states_average(text, month)
    numbers = list(_numbers(_YIELD.sub(" ", text) if states_average else text))
    has_own_rate = states_average or _MEASURED.search(text) or not _OF_BTC.search(text)
    return (
        _written_out(bare, month)
        or _from_other_numbers(numbers, month)
        or (None if has_own_rate else _from_yield(numbers, month, text))
    )


def _states_average(text: str, month: Month) -> bool:
    """Whether a clause of a note states the average with its unit, without bitcoin and without a conclusion in it."""
    for clause in _CLAUSE_END.split(text):
        if not _AVERAGE_RATE.search(clause) or _OF_BTC.search(clause) or _CONCLUDED.search(clause):
            continue
        for token in _TOKEN.finditer(clause):
            has_unit = token["number"] and re.match(rf"\s*{_HASHES}\b", clause[token.end("number") :])
            if has_unit and any(number.is_one_of(month.average_ehs) for number in _readings(token)):
                return True
    return False


def _written_out(text: str, month: Month) -> str | None:
    from_network = _OF_NETWORK.search(text) is not None
    for left, sign, right in _expressions(text):
        if sign == "/" and not right.value:
            continue
        value = left.value * right.value if sign == "*" else left.value / right.value
        # A share of the deployed hash rate is an uptime; a share of the network is only known from blocks.
        running = left.written.endswith("%") and (right.is_one_of(month.deployed_ehs) or _OF_RUNNING.search(text))
        from_btc = (from_network and not running) or left.is_one_of(*month.amounts)
        if from_btc and _close(value, month.average_ehs, left.rounding + right.rounding + WRITTEN):
            return f"{left.written} {sign} {right.written} = {value:.4g} EH/s"
        has_average = left.is_one_of(month.average_ehs) or right.is_one_of(month.average_ehs)
        if sign == "*" and has_average and _close(value, month.btc, left.rounding + right.rounding + WRITTEN):
            return f"{left.written} * {right.written} = {value:.4g} BTC"
    return None


def _from_other_numbers(numbers: list[_Number], month: Month) -> str | None:
    if not any(number.is_one_of(*month.amounts) for number in numbers):
        return None
    others = [
        number
        for number in numbers
        if number.value > 0 and number.value != month.days and not number.is_one_of(*month.amounts, month.average_ehs)
    ]
    for count, units in ((1, UNITS), (2, UNITS[:3])):
        for chosen in combinations(others, count):
            for amount, signs, unit in product(month.amounts, product((1, -1), repeat=count), units):
                value = amount * unit
                for number, sign in zip(chosen, signs, strict=True):
                    value *= number.value**sign
                if month.is_average(value):
                    steps = " ".join(f"{'*' if s > 0 else '/'} {n.written}" for n, s in zip(chosen, signs, strict=True))
                    return f"{amount:.6g} BTC {steps} = {value:.4g} EH/s"
    return None


def _from_yield(numbers: list[_Number], month: Month, text: str) -> str | None:
    units = (*UNITS, *(SATS if "sat" in text else ()))
    for number, amount, unit in product(numbers, month.amounts, units):
        if number.value > 0 and month.is_average(amount / number.value * unit):
            return f"{amount:.6g} BTC / {number.written} = {amount / number.value * unit:.4g} EH/s"
    return None


def _numbers(text: str) -> Iterator[_Number]:
    """Yield every number of a text; a number that can be read in two ways (13,407; 50 000) comes in both."""
    for token in _TOKEN.finditer(text):
        if token["number"]:
            yield from _readings(token)


def _readings(token: re.Match[str]) -> Iterator[_Number]:
    written = token["number"]
    with_unit = written + ("%" if token["percent"] else "")
    plain = {re.sub(_GROUP, "", written)}
    if written.count(",") == 1 and " " not in written:
        plain = plain if re.fullmatch(r"\d{1,3},\d{3}(\.\d+)?", written) else set()
        if "." not in written.partition(",")[2]:
            plain.add(written.replace(".", "").replace(",", "."))
    if " " in written:
        plain.update(part for part in written.split())
    for text in sorted(plain):
        if float(text) < 1e30:
            yield _Number(float(text) * (0.01 if token["percent"] else 1.0), min(_last_digit(text), 0.02), with_unit)


def _last_digit(written: str) -> float:
    value = float(written)
    return 0.5 * 10.0 ** -len(written.partition(".")[2]) / value if value else 1.0


def _expressions(text: str) -> Iterator[tuple[_Number, str, _Number]]:
    tokens = list(_TOKEN.finditer(text))
    for before, operator, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before["number"] and operator["op"] and after["number"]:
            sign = "*" if operator["op"] in {"*", "x", "times", "of"} else "/"
            for left, right in product(_readings(before), _readings(after)):
                yield left, sign, right


def _close(value: float, target: float, tolerance: float) -> bool:
    return abs(value - target) <= tolerance * abs(target)
