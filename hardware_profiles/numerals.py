"""The numbers that a text may state: decimal digits with a point and an exponent, and nothing else."""

import re

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def is_decimal(text: str) -> bool:
    """Return whether a text is a decimal number; `1_0`, `nan`, `1,950` and digits of other scripts are not."""
    return _DECIMAL.fullmatch(text) is not None


def decimal(text: str) -> float:
    """Return the number that a text states, without blanks around it.

    Raises
    ------
    ValueError
        The text is not a decimal number.
    """
    if not is_decimal(text.strip()):
        raise ValueError(f"expected a decimal number, got {text!r}")
    return float(text)
