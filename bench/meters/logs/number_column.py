"""Power in watts from the cells of a column: numbers, units behind them, missing readings."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.meters.logs.cells import plausible
from bench.meters.logs.cells.arrays import Growing, median
from bench.meters.logs.cells.numbers import (
    Evidence,
    Marks,
    decide,
    is_missing,
    stated_marks,
    take_apart,
    value_of,
)
from bench.meters.logs.cells.plausible import MISSING, Numbers
from bench.meters.logs.names.units import UNCERTAIN, Unit, unit_of
from hardware_profiles.errors import InputError

# a number that needs no second look: a decimal point without three digits behind it, or none
_PLAIN = re.compile(r"-?(?:\d{1,3}|[1-9]\d*|\d+\.(?:\d\d?|\d{4,})?)")
Flags = npt.NDArray[np.bool_]
_MEGA_FROM_W = 1e9  # [W] mW that were MW would be more


class Column(NamedTuple):
    """A column of power."""

    watts: Numbers  # [W] `MISSING` if the reading is missing, NaN if the cell is unreadable
    unit: str  # as it was read
    marks: Marks


class PowerColumn:
    """The numbers of one column of power.

    Parameters
    ----------
    path, name
        File and column, for messages.
    settings
        Settings of the log.
    elsewhere
        What the numbers of other columns show of the decimal sign.
    shown
        What an earlier reading of the whole column has shown, None at first.
    """

    def __init__(
        self, path: Path, name: str, settings: Mapping[str, str], elsewhere: Evidence, shown: Evidence | None
    ) -> None:
        self.name = name
        self._path, self._settings, self._elsewhere = path, settings, elsewhere
        self._fixed = None if shown is None else self._marks(shown)
        self._used: set[Marks | None] = set()
        self._plain, self._others = Evidence(), Evidence()
        self._raw = Growing()
        self._units: dict[str, str] = {}  # the units behind numbers, each with its first cell
        self._scales = Growing()  # of each number by the unit behind it, NaN without one; empty if none has one
        self._bare = ""  # the first number without a unit behind it

    @property
    def evidence(self) -> Evidence:
        """What the numbers show of their marks."""
        both = Evidence()
        both.shown = self._plain.shown | {k: v for k, v in self._others.shown.items() if k not in self._plain.shown}
        return both

    @property
    def is_stale(self) -> bool:
        """Whether some numbers were read with other marks than the whole column shows."""
        marks = self._marks_or_none()
        return bool(self._used) and marks is not None and self._used != {marks}

    def add(self, cells: Sequence[str]) -> Numbers:
        """Read the cells of more rows, without spaces around them, and return their numbers as they are written.

        A column has few different cells, so that each is looked at once.
        """
        different = list(dict.fromkeys(cells))
        self._show(different)
        marks = self._fixed or self._marks_or_none()
        self._used.add(marks)
        if marks is None:
            return np.zeros(len(cells))
        read = {cell: _number(cell, marks) for cell in different}
        for cell, (number, unit) in read.items():
            if unit and not math.isnan(number):
                self._units.setdefault(unit, cell)
            elif number != MISSING and not math.isnan(number):
                self._bare = self._bare or cell
        numbers = np.fromiter((read[cell][0] for cell in cells), np.float64, len(cells))
        if self._units:
            scales = {cell: _scale(unit) if unit in self._units else math.nan for cell, (_, unit) in read.items()}
            self._scales.add(np.full(len(self._raw) - len(self._scales), math.nan))
            self._scales.add(np.fromiter(map(scales.__getitem__, cells), np.float64, len(cells)))
        self._raw.add(numbers)
        return numbers

    def read(self, unit: Unit | None) -> Column:
        """Return the power of the column.

        Parameters
        ----------
        unit
            Unit of numbers without a unit behind them, None if it is not known.

        Raises
        ------
        InputError
            A unit is missing, contradicts another or is none of power; the decimal sign is not certain; no reading can
            be power.
        """
        marks = self._marks(self.evidence)
        units = [_unit_behind(self._path, self.name, cell, behind, unit) for behind, cell in self._units.items()]
        if self._bare and unit is None:
            expected = (
                "a unit in its name, in a row of units or behind its numbers, or a setting: unit=W, unit=mW, unit=kW …"
            )
            got = f"no unit, and numbers such as {self._bare}"
            raise InputError.at(f"{self._path}: column {self.name}", expected=expected, got=got)
        raw = plausible.without_fill(self._raw.all())
        if unit is UNCERTAIN and (raw != MISSING).any():
            unit = _certain(self._path, self.name, raw)
        watts = self._in_watts(raw, unit.scale if unit is not None and unit.scale is not None else 1.0)
        plausible.check(self._path, self.name, raw, watts)
        too_large = np.abs(watts) > plausible.LARGEST_W
        too_large &= watts != MISSING
        if too_large.any():
            watts = np.where(too_large, math.nan, watts)
        texts = [unit.text] if unit is not None and (self._bare or not units) else []
        return Column(watts, ", ".join(dict.fromkeys([*texts, *(u.text for u in units)])), marks)

    def _in_watts(self, raw: Numbers, own: float) -> Numbers:
        if own == 1.0 and not self._scales:
            return raw
        scale: Numbers | float = own
        if self._scales:
            scales = self._scales.all()
            scale = np.where(np.isnan(scales), own, scales)
        with np.errstate(over="ignore"):
            watts = raw * scale
        overflowed = np.isinf(watts) & (raw != MISSING)
        return np.where(overflowed, raw, watts) if overflowed.any() else watts

    def _show(self, cells: Sequence[str]) -> None:
        """Note what more cells show of their marks."""
        if not self._plain.shown:
            plain = next((cell for cell in cells if "." in cell and _PLAIN.fullmatch(cell)), "")
            self._plain.add(filter(None, [take_apart(plain)]))
        others = [cell for cell in cells if not _PLAIN.fullmatch(cell) and not is_missing(cell)]
        self._others.add(taken for cell in others if (taken := take_apart(cell)) is not None)

    def _marks(self, evidence: Evidence) -> Marks:
        stated = stated_marks(self._path, self._settings, evidence)
        return stated or decide(self._path, self.name, evidence, self._elsewhere)

    def _marks_or_none(self) -> Marks | None:
        """Return the marks, None where the numbers so far do not show them."""
        try:
            return self._marks(self.evidence)
        except InputError:
            return None


def _number(cell: str, marks: Marks) -> tuple[float, str]:
    """Return a number, NaN if it is unreadable and `MISSING` if it is missing, and the unit behind it."""
    if is_missing(cell):
        return MISSING, ""
    if marks.decimal == "." and _PLAIN.fullmatch(cell):
        return float(cell), ""
    taken = take_apart(cell)
    if taken is None:
        return math.nan, ""
    try:
        number = value_of(taken, marks)
    except (ValueError, OverflowError):
        return math.nan, ""
    if taken.unit and unit_of(taken.unit) is None:
        return math.nan, ""
    return (number if math.isfinite(number) else math.nan), taken.unit


def _scale(unit: str) -> float:
    known = unit_of(unit)
    return known.scale if known is not None and known.scale is not None else math.nan


def _unit_behind(path: Path, name: str, cell: str, behind: str, stated: Unit | None) -> Unit:
    unit = unit_of(behind)
    if unit is None or unit.quantity != "power" or unit.scale is None:
        raise InputError.at(f"{path}: column {name}", expected="numbers in W, mW, µW, kW or MW", got=cell)
    if stated is not None and stated.text != "W" and stated != unit:
        expected = f"numbers in {stated.text}, as the name or the setting unit= says"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=cell)
    return unit


def _certain(path: Path, name: str, raw: Numbers) -> Unit:
    """Return milliwatts where megawatts would be more than any site draws."""
    read = np.abs(raw[np.isfinite(raw)])
    middle = median(read) if len(read) else 0.0
    if middle * 1e6 <= _MEGA_FROM_W:
        expected = "a unit that is certain (write unit=mW for milliwatts or unit=MW for megawatts)"
        raise InputError.at(f"{path}: column {name}", expected=expected, got=f"numbers such as {middle:.6g}")
    return Unit("mW", 1e-3, "power")
