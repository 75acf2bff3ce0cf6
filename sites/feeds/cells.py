"""The numbers and flags in the cells of a market file."""

from __future__ import annotations

import math
import re

from hardware_profiles.decoding import is_decimal
from sites.feeds.model import CellError

EMPTY = frozenset({"", "-", "n/e", "N/A", "NA", "n/a", "null", "NaN", "nan"})  # how sources write a missing value
_FLAGS = {"N": False, "Y": True, "false": False, "true": True, "": False}
_WITH_COMMA = re.compile(r"-?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)?(,[0-9]+)?")  # points between thousands
_WITH_POINT = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")  # commas between thousands
_BLANKS = " \t\u00a0\u202f"


def number(text: str, column: str, decimal: str = ".") -> float:
    """Return the number of a cell; NaN if the source leaves it empty.

    Parameters
    ----------
    text
        The cell.
    column
        Name of the column, for the error.
    decimal
        The decimal sign of the layout. The other one of point and comma may stand between thousands.

    Raises
    ------
    CellError
        The cell is neither a number nor one of the marks of a missing value.
    """
    text = text.strip(_BLANKS)
    if decimal == ".":
        if is_decimal(text):
            return _finite(text, text, column)
        if _WITH_POINT.fullmatch(text):
            return _finite(text.replace(",", ""), text, column)
    elif text and text != "-" and _WITH_COMMA.fullmatch(text):
        return _finite(text.replace(".", "").replace(",", "."), text, column)
    if text in EMPTY:
        return math.nan
    sign = "point" if decimal == "." else "comma"
    raise CellError(column, expected=f"a number with a decimal {sign}", got=text)


def _finite(plain: str, text: str, column: str) -> float:
    value = float(plain)
    if math.isinf(value):
        raise CellError(column, expected="a number below 1.8e308", got=text)
    return value


def flag(text: str, column: str) -> bool:
    """Return whether a flag is set: Y or true; N, false and an empty cell are not.

    Raises
    ------
    CellError
        The cell is something else.
    """
    try:
        return _FLAGS[text.strip()]
    except KeyError:
        raise CellError(column, expected="Y or N", got=text) from None


def whole(text: str, column: str, first: int, last: int) -> int:
    """Return the whole number of a cell, from first to last.

    Raises
    ------
    CellError
        The cell is something else.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 12 and first <= int(text) <= last:
        return int(text)
    raise CellError(column, expected=f"a whole number from {first} to {last}", got=text)


def cell_text(value: object) -> str:
    """Return a value of JSON or of a sheet as a CSV file writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
