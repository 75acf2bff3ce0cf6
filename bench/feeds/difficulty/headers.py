"""The reader of files of block headers: 80 bytes each, hexadecimal lines, or a CSV table with heights."""

import re
from pathlib import Path

from hardware_profiles.decoding import decode
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import CSV, Kind
from kernels.sha256.header import HEADER_BYTES
from sites.file.csv_rows import parse_rows

HEADERS = Kind("file of block headers", CSV.limit_bytes)  # all headers since 2009 are 80 MB, or 160 MB of digits
_COLUMNS = ("header_hex_80_bytes", "header_hex", "header")
_HEX = re.compile(rf"[0-9a-fA-F]{{{2 * HEADER_BYTES}}}")
_HEIGHT = re.compile(r"[0-9]{1,9}")
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\xef\xbb\xbf]*")
_NO_PREVIOUS = bytes(32)  # which the first block of a network names


def read_headers(path: Path, data: bytes, first_height: int | None = None) -> dict[int, bytes]:
    """Return the headers of a file by height.

    Parameters
    ----------
    path
        The file, for messages.
    data
        Its bytes: headers of 80 bytes one after the other, or as lines of 160 hexadecimal digits, from one height on
        without a gap; or a CSV table with the columns height and header_hex_80_bytes, in any order of rows.
    first_height
        Height of the first header of a file without heights, unless it is the first block of the network.

    Raises
    ------
    InputError
        The bytes are of none of these forms, the file has a height twice, or does not state its heights.
    """
    start = data[:2000]
    if not start:
        raise InputError(f"{path}: expected block headers, got an empty file")
    if not _TEXT.fullmatch(start):
        return _numbered(path, _raw(path, data), first_height)
    text = decode(data, path)
    first_line = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    if "," in first_line:
        return _table(path, text, first_height)
    return _numbered(path, _hex_lines(path, text), first_height)


def _raw(path: Path, data: bytes) -> list[bytes]:
    whole, rest = divmod(len(data), HEADER_BYTES)
    if rest:
        raise InputError(
            f"{path}: expected headers of {HEADER_BYTES} bytes, got {len(data)} bytes: {whole} headers and {rest} "
            "bytes (a truncated download?)"
        )
    return [data[at : at + HEADER_BYTES] for at in range(0, len(data), HEADER_BYTES)]


def _hex_lines(path: Path, text: str) -> list[bytes]:
    headers = []
    for number, line in enumerate(text.splitlines(), 1):
        digits = line.strip()
        if digits and not digits.startswith("#"):
            headers.append(_header(digits, f"{path}: line {number}"))
    return headers


def _header(digits: str, location: str) -> bytes:
    if not _HEX.fullmatch(digits):
        raise InputError(
            f"{location}: expected a block header of {2 * HEADER_BYTES} hexadecimal digits, got {shown(digits)}"
        )
    return bytes.fromhex(digits)


def _numbered(path: Path, headers: list[bytes], first_height: int | None) -> dict[int, bytes]:
    if not headers:
        raise InputError(f"{path}: expected block headers, got none")
    if headers[0][4:36] == _NO_PREVIOUS:
        if first_height not in (None, 0):
            raise InputError.at(
                "--first-height", expected="0, because the file begins with the first block", got=first_height
            )
        first_height = 0
    if first_height is None:
        raise InputError(
            f"{path}: expected the first block of the network, or the height of the first header by --first-height, "
            "got neither"
        )
    return dict(enumerate(headers, first_height))


def _table(path: Path, text: str, first_height: int | None) -> dict[int, bytes]:
    if first_height is not None:
        raise InputError.at("--first-height", expected="no such option for a table with heights", got=first_height)
    rows = parse_rows(text.splitlines(keepends=True), path)
    _, heading = next(rows)
    column = next((name for name in _COLUMNS if name in heading), None)
    for name, is_there in (("height", "height" in heading), (_COLUMNS[0], column is not None)):
        if not is_there:
            raise InputError.at(f"{path}: line 1", name, expected="this column", near=near_names(name, heading))
    height_at, header_at = heading.index("height"), heading.index(str(column))
    headers: dict[int, bytes] = {}
    for line, cells in rows:
        location = f"{path}: line {line}"
        if not _HEIGHT.fullmatch(cells[height_at]):
            raise InputError.at(location, "height", expected="a whole number", got=cells[height_at])
        height = int(cells[height_at])
        if height in headers:
            raise InputError(f"{location}: height {height}: expected each height once, got it twice")
        headers[height] = _header(cells[header_at], location)
    return headers
