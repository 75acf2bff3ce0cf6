"""The sheets of an xlsx workbook, read by python-calamine, which the extra `feeds` installs."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sites.feeds.files.source import Source

MOST_UNPACKED_BYTES = 1024 * MIB  # a year of quarter-hours of all hubs and zones of ERCOT has about 150 MiB
_INSTALL = "pip install 'perwatt[feeds]', or save each sheet as CSV"


class Sheet(NamedTuple):
    """One sheet of a workbook."""

    name: str
    rows: Iterator[list[str]]  # the cells as a CSV file writes them, empty rows included


def sheets(source: Source) -> Iterator[Sheet]:
    """Yield the sheets of a workbook that have cells, in their order.

    Raises
    ------
    InputError
        python-calamine is not installed, or the workbook is damaged, encrypted or too large.
    """
    path = source.path
    try:
        import python_calamine as calamine
    except ImportError:
        raise InputError(f"{path}: expected python-calamine to read an xlsx workbook: {_INSTALL}") from None
    _check_size(path, source)
    try:
        with calamine.CalamineWorkbook.from_filelike(source.stream) as workbook:
            for name in workbook.sheet_names:
                sheet = workbook.get_sheet_by_name(name)
                if sheet.height:
                    yield Sheet(name, ([_text(cell) for cell in row] for row in sheet.iter_rows()))
    except (calamine.CalamineError, calamine.PasswordError, calamine.XmlError, calamine.ZipError) as error:
        raise InputError(f"{path}: expected an xlsx workbook, got a damaged one: {error}") from None


def _check_size(path: Path, source: Source) -> None:
    unpacked = sum(member.file_size for member in zipfile.ZipFile(source.stream).infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise InputError(f"{path}: expected at most {MOST_UNPACKED_BYTES} bytes unpacked, got {unpacked}")
    source.stream.seek(0)


def _text(cell: object) -> str:
    """Return the text of a cell; whole numbers are without a decimal point, dates are ISO, times are HH:MM:SS."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return str(cell)
