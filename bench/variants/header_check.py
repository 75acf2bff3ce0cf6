"""The check of all scan variants against block headers from a file: each header is scanned around its nonce.

A variant that scans several versions at once must find the header among 2, 4 and 8 versions too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_profiles.errors import InputError
from hardware_profiles.opening import CSV
from sites.file.csv_rows import csv_rows

NONCES_BEFORE, NONCES = 1000, 4096  # the scanned window: nonces before the known one, and in all
_COLUMNS = ("header_hex_80_bytes", "nonce")


@dataclass(frozen=True, slots=True)
class HeaderCheck:
    """The check of one header."""

    name: str
    nonce: int  # that the header has
    faults: dict[str, str]  # by variant: empty if every scan reported exactly the header, else the wrong answer

    @property
    def passed(self) -> bool:
        """Whether every variant reported exactly the nonce."""
        return not any(self.faults.values())

    def document(self) -> dict[str, Any]:
        """Return the check as JSON-ready data."""
        return {
            "header": self.name,
            "nonce": self.nonce,
            "found_by": [name for name, fault in self.faults.items() if not fault],
            "not_found_by": {name: fault for name, fault in self.faults.items() if fault},
        }


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    header80: bytes
    nonce: int  # that the header has


def check_headers(path: Path, names: Sequence[str] = ()) -> list[HeaderCheck]:
    """Scan around the nonce of each header in a CSV file with the named variants, or with all that run on this machine.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column or rows, or a row's header or nonce is malformed.
    KernelInputError
        A named variant is unknown or cannot run on this machine.
    """
    from kernels.scan_cpu import variants

    chosen = list(dict.fromkeys(names)) or [variant.name for variant in variants.candidates()]
    for name in chosen:
        variants.check_available(name)
    return [HeaderCheck(row.name, row.nonce, {name: _fault(row, name) for name in chosen}) for row in _read(path)]


def _fault(row: _Row, variant: str) -> str:
    """Return a variant's first wrong answer, or an empty text if every scan reported exactly the header."""
    from kernels.scan_cpu.scan import MIDSTATES, scan, scan_versions
    from kernels.sha256.header import Header, versions_around

    start = (row.nonce - NONCES_BEFORE) % (1 << 32)
    hits = scan(row.header80, start, NONCES, variant=variant).hits
    if hits != (row.nonce,):
        return f"found {', '.join(map(str, hits))}" if hits else "not found"
    version = Header.unpack(row.header80).version
    for count in MIDSTATES:
        versions = versions_around(version, row.nonce % count, count)
        pairs = scan_versions(row.header80, versions, start, NONCES, variant=variant).hits
        if pairs != ((version, row.nonce),):
            found = ", ".join(f"version {rolled:#x} nonce {nonce}" for rolled, nonce in pairs)
            return f"among {count} versions: {f'found {found}' if found else 'not found'}"
    return ""


def _read(path: Path) -> list[_Row]:
    lines = csv_rows(path, CSV)
    _, heading = next(lines, (0, []))
    for column in _COLUMNS:
        if column not in heading:
            got = ", ".join(heading) or "an empty file"
            raise InputError.at(str(path), "first line", expected=f"a column {column}", got=got)
    rows = [_row(f"{path}, line {line}", dict(zip(heading, cells, strict=True))) for line, cells in lines]
    if not rows:
        raise InputError.at(str(path), expected="at least one header", got="no rows")
    return rows


def _row(place: str, cells: dict[str, str]) -> _Row:
    from kernels.errors import KernelInputError
    from kernels.sha256.header import Header, nbits_to_target

    hexadecimal, number = (cells[column] for column in _COLUMNS)
    try:
        header80 = bytes.fromhex(hexadecimal)
    except ValueError:
        raise InputError.at(place, _COLUMNS[0], expected="160 hexadecimal digits", got=hexadecimal[:20]) from None
    try:
        nbits_to_target(Header.unpack(header80).nbits)
    except KernelInputError as error:
        raise InputError(f"{place}: {_COLUMNS[0]}: {error}") from error
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) < 1 << 32):
        raise InputError.at(place, _COLUMNS[1], expected="a nonce of 0 to 2^32 - 1", got=number or "nothing")
    return _Row(cells.get("height") or place.rpartition(", ")[2], header80, int(number))
