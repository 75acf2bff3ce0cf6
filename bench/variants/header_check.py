"""Headers from a file, each scanned round its nonce by every variant."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_profiles.errors import InputError
from hardware_profiles.reading import read_text

BEFORE, COUNT = 1000, 4096  # nonces of the window: from so many before the known one, so many in all
_COLUMNS = ("header_hex_80_bytes", "nonce")


@dataclass(frozen=True, slots=True)
class HeaderCheck:
    """One header: for each variant an empty text when it found the nonce and nothing else, or what it said instead."""

    name: str
    nonce: int
    found: dict[str, str]

    @property
    def found_by_all(self) -> bool:
        """Whether every variant found it."""
        return not any(self.found.values())

    def document(self) -> dict[str, Any]:
        """Return the check as JSON-ready data."""
        return {
            "header": self.name,
            "nonce": self.nonce,
            "found_by": [name for name, wrong in self.found.items() if not wrong],
            "not_found_by": {name: wrong for name, wrong in self.found.items() if wrong},
        }


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    header80: bytes
    nonce: int


def check_headers(path: Path, names: Sequence[str] = ()) -> list[HeaderCheck]:
    """Scan a window round the nonce of each header in a CSV with the named variants, or all that run here.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column or rows, or a row's header or nonce is malformed.
    KernelInputError
        A named variant is unknown or cannot run here.
    """
    from kernels.scan_cpu import variants

    wanted = list(dict.fromkeys(names)) or [variant.name for variant in variants.candidates()]
    for name in wanted:
        variants.load(name)
    return [HeaderCheck(row.name, row.nonce, {name: _scan(row, name) for name in wanted}) for row in _read(path)]


def _scan(row: _Row, variant: str) -> str:
    from kernels.scan_cpu.scan import scan

    found = scan(row.header80, (row.nonce - BEFORE) % (1 << 32), COUNT, variant=variant).hits
    if found == (row.nonce,):
        return ""
    return f"found {', '.join(map(str, found))}" if found else "not found"


def _read(path: Path) -> list[_Row]:
    reader = csv.DictReader(io.StringIO(read_text(path, "CSV file")))
    for column in _COLUMNS:
        if column not in (reader.fieldnames or ()):
            got = ", ".join(reader.fieldnames or ()) or "an empty file"
            raise InputError.at(str(path), "first line", expected=f"a column {column}", got=got)
    try:
        rows = [_row(f"{path}, line {reader.line_num}", cells) for cells in reader]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: expected CSV, got {error}") from None
    if not rows:
        raise InputError.at(str(path), expected="at least one header", got="no rows")
    return rows


def _row(place: str, cells: dict[str, str | None]) -> _Row:
    from kernels.errors import KernelInputError
    from kernels.sha256.header import Header, nbits_to_target

    hexadecimal, number = ((cells.get(column) or "").strip() for column in _COLUMNS)
    try:
        header80 = bytes.fromhex(hexadecimal)
    except ValueError:
        raise InputError.at(place, _COLUMNS[0], expected="160 hexadecimal digits", got=hexadecimal[:20]) from None
    try:
        nbits_to_target(Header.unpack(header80).nbits)
    except KernelInputError as error:
        raise InputError(f"{place}: {_COLUMNS[0]}: {error}") from error
    if not (number.isascii() and number.isdigit() and int(number) < 1 << 32):
        raise InputError.at(place, _COLUMNS[1], expected="a nonce of 0 to 2^32 - 1", got=number or "nothing")
    return _Row((cells.get("height") or "").strip() or place.rpartition(", ")[2], header80, int(number))
