"""The CSV files that perwatt writes, which spreadsheets open with the right letters and without running a cell.

A byte order mark says that a file is UTF-8: without it a spreadsheet shows "Ã…lesund". A text that begins like a
formula gets an apostrophe in front, so that a spreadsheet shows it and computes nothing; numbers stay numbers.

References
----------
OWASP, CSV Injection: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hardware_profiles.decoding import is_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (spreadsheets take them)


def as_text(text: str) -> str:
    """Return a text so that a spreadsheet does not take it for a formula; a number in it stays as it is."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not is_decimal(text) else text


def csv_bytes(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Return a CSV file: UTF-8 with a byte order mark, times in ISO 8601 (UTC), missing values as empty cells."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return BYTE_ORDER_MARK + file.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(TIME_FORMAT)
    return as_text(value) if isinstance(value, str) else value
