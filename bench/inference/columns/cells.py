"""Cells of files with published rates."""

from collections.abc import Callable

from kernels.errors import KernelInputError


def number(text: str) -> float | None:
    """Return the number in a cell, with or without thousands separators, or None."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def length(text: str) -> int | None:
    """Return the whole number above 0 in a cell, or None."""
    value = number(text)
    return int(value) if value is not None and value >= 1 and value.is_integer() else None


def known(look_up: Callable[[], str], reasons: list[str]) -> str | None:
    """Return a name of the project for a published one, or None with its fault among the reasons."""
    try:
        return look_up()
    except KernelInputError as error:
        reasons.append(str(error))
        return None
