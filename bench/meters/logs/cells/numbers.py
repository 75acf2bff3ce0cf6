"""Numbers of a log's column: the decimal sign and the thousands mark are decided over the whole column."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bench.meters.logs.names.units import normal
from hardware_profiles.errors import InputError

_CELL = re.compile(r"([-+−]?)\s*((?:\d|[.,]\d)[\d.,'’ ]*?)(e[-+]?\d+)?\s*([^\d\s.,'’+-].*)?", re.IGNORECASE)
_MISSING = frozenset({
    "", "-", "--", "---", "–", "—", "n/a", "na", "[n/a]", "#n/a", "nan", "-nan", "+nan", "nil", "none", "null", "\\n",
    "unavailable", "unknown", "undefined", "missing", "err", "error", "[not supported]", "not supported",
    "[unknown error]", "[gpu is lost]", "[gpu requires reset]", "not available", "no data", "no value", "inf", "-inf",
    "+inf", "infinity", "[insufficient permissions]", "1.#qnan", "1.#inf", "-1.#ind", "?", "*", "offline",
})  # fmt: skip
_NAMES = {
    ".": ".", "dot": ".", "point": ".", "period": ".", ",": ",", "comma": ",", "'": "'", "apostrophe": "'", " ": " ",
    "space": " ",
}  # fmt: skip
DECIMALS, THOUSANDS = ("point", "comma"), ("comma", "point", "space", "apostrophe")


class Cell(NamedTuple):
    """A number as it is written, taken apart."""

    sign: str
    body: str
    exponent: str
    unit: str  # behind the number, empty without one


class Marks(NamedTuple):
    """The decimal sign and the thousands mark of a column."""

    decimal: str
    thousands: str


def is_missing(cell: str) -> bool:
    """Return whether a cell holds a word for a missing reading."""
    return cell.casefold() in _MISSING


def take_apart(cell: str) -> Cell | None:
    """Return the parts of a number, None if the cell is no number."""
    match = _CELL.fullmatch(normal(cell))
    if match is None:
        return None
    sign, body, exponent, unit = match.groups()
    return Cell("-" if sign in {"-", "−"} else "", body.replace("’", "'").strip(), exponent or "", (unit or "").strip())


def roles(cell: Cell) -> Iterable[tuple[str, str]]:
    """Yield (mark, role) of a number's marks, with the role `decimal`, `thousands` or `either`."""
    body = cell.body
    groups = {mark for mark in " '" if mark in body}
    yield from ((mark, "thousands") for mark in groups)
    marks = [character for character in body if character in ".,"]
    if not marks:
        return
    last = marks[-1]
    if len(set(marks)) == 2:
        yield from ((marks[0], "thousands"), (last, "decimal"))
    elif len(marks) > 1:
        yield last, "thousands"
    else:
        head, _, tail = body.partition(last)
        certain = groups or cell.exponent or len(tail) != 3 or not 1 <= len(head) <= 3 or head.startswith("0")
        yield last, "decimal" if certain else "either"


class Evidence:
    """The roles that the marks of a column play, each with the first number that shows it."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self.shown: dict[tuple[str, str], str] = {}
        self.add(cells)

    def add(self, cells: Iterable[Cell]) -> None:
        """Add the roles that more numbers show."""
        for cell in cells:
            for role in roles(cell):
                self.shown.setdefault(role, cell.body)

    def marks(self, role: str) -> list[str]:
        """Return the marks that play a role."""
        return [mark for mark, name in self.shown if name == role]


def stated_marks(path: Path, settings: Mapping[str, str], evidence: Evidence) -> Marks | None:
    """Return the marks of the settings `decimal` and `thousands`, None without either.

    Raises
    ------
    InputError
        A mark is unknown, or both are the same.
    """
    decimal = _stated(path, settings, "decimal", DECIMALS)
    thousands = _stated(path, settings, "thousands", THOUSANDS)
    if decimal is None and thousands is None:
        return None
    if decimal == thousands:
        raise InputError.at(path, "thousands", expected="another mark than the decimal sign", got=thousands)
    decimal = decimal or ("," if thousands == "." else ".")
    seen = next((mark for mark in evidence.marks("thousands") if mark in " '"), _other(decimal))
    return Marks(decimal, thousands or seen)


def _stated(path: Path, settings: Mapping[str, str], key: str, known: tuple[str, ...]) -> str | None:
    text = settings.get(key)
    if text is None:
        return None
    mark = _NAMES.get(text.strip().casefold() or text)
    if mark is None or (key == "decimal" and mark not in ".,"):
        raise InputError.at(path, key, expected=f"one of {', '.join(known)}", got=text)
    return mark


def decide(path: Path, column: str, evidence: Evidence, elsewhere: Evidence) -> Marks:
    """Return the marks of a column.

    Parameters
    ----------
    path
        The file, for messages.
    column
        Name of the column, for messages.
    evidence
        What the column's own numbers show.
    elsewhere
        What the numbers of the file's other columns show: one file gives a mark one role.

    Raises
    ------
    InputError
        The numbers contradict one another, or do not show which sign is which.
    """
    decimals, thousands = evidence.marks("decimal"), evidence.marks("thousands")
    either = evidence.marks("either")
    clash = len(decimals) > 1 or len(set(thousands)) > 1 or set(decimals) & set(thousands)
    if clash:
        examples = " and ".join(dict.fromkeys(evidence.shown.values()))
        raise InputError.at(
            f"{path}: column {column}", expected="one decimal sign (or a setting decimal= or thousands=)", got=examples
        )
    grouped = next((mark for mark in thousands if mark in ".,"), None)
    if decimals:
        return Marks(decimals[0], _other(decimals[0]) if not thousands else thousands[0])
    if grouped is not None:
        return Marks(_other(grouped), grouped)
    if thousands and len(either) == 1:
        return Marks(either[0], thousands[0])
    if not either:
        return Marks(".", thousands[0] if thousands else ",")
    if (
        len(either) == 1
        and (mark := either[0]) in elsewhere.marks("decimal")
        and mark not in elsewhere.marks("thousands")
    ):
        return Marks(mark, _other(mark))
    number, name = evidence.shown[either[0], "either"], _name(either[0])
    raise InputError(
        f"{path}: column {column}: expected numbers that show their decimal sign, got {number}, which is "
        f"{re.sub('[.,]', '', number)} with thousands={name} and {number.replace(',', '.')} with decimal={name}: write "
        "the one that is right"
    )


def value_of(cell: Cell, marks: Marks) -> float:
    """Return a number.

    Raises
    ------
    ValueError
        Its marks are not where these marks belong.
    """
    whole, dot, fraction = cell.body.partition(marks.decimal)
    if marks.thousands in whole:
        groups = whole.split(marks.thousands)
        sizes = [len(group) for group in groups]
        western = all(size == 3 for size in sizes[1:])
        indian = sizes[-1] == 3 and all(size == 2 for size in sizes[1:-1]) and sizes[0] <= 2
        if not 1 <= sizes[0] <= 3 or not (western or indian) or groups[0].startswith("0"):
            raise ValueError(cell.body)
        whole = "".join(groups)
    if not (whole + fraction).isdecimal():
        raise ValueError(cell.body)
    return float(f"{cell.sign}{whole}{dot and '.'}{fraction}{cell.exponent}")


def _other(mark: str) -> str:
    return "." if mark == "," else ","


def _name(mark: str) -> str:
    return "point" if mark == "." else "comma"
