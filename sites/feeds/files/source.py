"""The bytes of a market file: the members of a zip archive, their form (table, workbook, JSON, XML), and their lines.

XML is parsed by the standard library, and a file that declares a document type or an entity is refused: that keeps out
what `defusedxml` keeps out, without the dependency.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from xml.etree import ElementTree as ET

from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError, shown
from hardware_profiles.opening import JSON, MIB, Kind, open_input

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

FEED = Kind("market file", 4096 * MIB, stdin=False)
NAMED_FEED = Kind("market file", 4096 * MIB, by_user=False)  # of a site file; it is streamed
LONGEST_LINE = 131_072  # [characters] as long as the longest cell of Python's CSV reader
Form = Literal["text", "workbook", "json", "xml"]
_ZIP = b"PK\x03\x04"
_OTHER_FORMS = {  # by their first bytes
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls): save it as .xlsx or CSV",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file: save it as CSV",
}
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>([^<]{0,200})", re.IGNORECASE)
_ENCODING = re.compile(rb"\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"iso-8859-1"})  # each has ASCII in it
_DECLARED = re.compile(rb"<!\s*(doctype|entity)", re.IGNORECASE)
_PEEKED_BYTES = 4096
_MOST_MEMBERS = 10_000  # a month of five-minute files has 8,928
_WORKBOOK_BYTES = 256 * MIB  # of a workbook within an archive
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError)


class Source(NamedTuple):
    """An opened market file, or a member of an archive."""

    path: Path  # with the member of an archive of several, for messages
    form: Form
    stream: BinaryIO


@contextmanager
def opened(path: Path, kind: Kind) -> Iterator[Iterator[Source]]:
    """Open a market file, or every file in it if it is a zip archive, in the order of their names.

    Raises
    ------
    InputError
        As `open_input`; the file is empty, a web page, or a damaged archive; the archive has no file or too many.
    """
    with open_input(path, kind) as file:
        if not file.peek(1):
            raise InputError(f"{path}: expected a market file, got an empty one")
        try:
            yield _sources(path, file, kind)
        except _BROKEN_ZIP as error:
            raise InputError(f"{path}: expected a whole zip archive, got {error} (a truncated download?)") from None
        except OSError as error:
            raise InputError(f"{path}: expected a readable market file, got {error.strerror or error}") from None


def _sources(path: Path, file: Any, kind: Kind) -> Iterator[Source]:
    start = file.peek(_PEEKED_BYTES)[:_PEEKED_BYTES]
    if not start.startswith(_ZIP):
        yield Source(path, _form(path, start), file)
        return
    archive = zipfile.ZipFile(file)
    members = [member for member in archive.infolist() if not _is_aside(member)]
    if _is_workbook(archive):
        yield Source(path, "workbook", file)
        return
    if not 1 <= len(members) <= _MOST_MEMBERS:
        raise InputError(f"{path}: expected a zip archive of 1 to {_MOST_MEMBERS} files, got {len(members)}")
    unpacked = sum(member.file_size for member in members)
    if unpacked > kind.limit_bytes:
        raise InputError(f"{path}: expected at most {kind.limit_bytes} bytes unpacked, got {unpacked}")
    for member in sorted(members, key=lambda member: member.filename):
        place = path if len(members) == 1 else Path(f"{path}: {shown(member.filename)}")
        with io.BufferedReader(_member(place, archive, member)) as stream:
            start = stream.peek(_PEEKED_BYTES)[:_PEEKED_BYTES]
            if start.startswith(_ZIP):
                yield Source(place, "workbook", _workbook(place, stream))
            else:
                yield Source(place, _form(place, start), stream)


def _member(place: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    try:
        return archive.open(member)
    except RuntimeError as error:  # encrypted, or compressed by an unknown method
        raise InputError(f"{place}: expected a zip archive without a password, got {error}") from None


def _workbook(place: Path, stream: BinaryIO) -> BinaryIO:
    """Return a workbook that lies in an archive, as ERCOT offers its yearly ones."""
    content = stream.read(_WORKBOOK_BYTES + 1)
    if len(content) > _WORKBOOK_BYTES:
        raise InputError(f"{place}: expected a workbook of at most {_WORKBOOK_BYTES} bytes, got a larger one")
    if not _is_workbook(zipfile.ZipFile(io.BytesIO(content))):
        raise InputError(f"{place}: expected a table in the archive, got another archive: unpack it")
    return io.BytesIO(content)


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return "[Content_Types].xml" in archive.namelist()


def _is_aside(member: zipfile.ZipInfo) -> bool:
    """Return whether a member of an archive is a folder or what macOS adds."""
    return member.is_dir() or member.filename.startswith("__MACOSX/")


def _form(path: Path, start: bytes) -> Form:
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if other := _other_form(start):
        raise InputError(f"{path}: expected a market file, got {other}")
    if _HTML.search(text):
        title = _TITLE.search(text)
        named = f" with the title {shown(title[1].decode(errors='replace').strip())}" if title else ""
        raise InputError(f"{path}: expected a market file, got a web page (HTML){named}")
    if text.startswith(b"<"):
        return "xml"
    return "json" if text.startswith((b"{", b"[")) else "text"


def _other_form(start: bytes) -> str:
    """Return the name of a form that no reader takes, from the first bytes of a file; empty without any."""
    for mark, name in _OTHER_FORMS.items():
        if start.startswith(mark):
            return name
    if any(start[:4]) and b"\0\0" in {start[:4:2], start[1:4:2]}:
        return "UTF-16 text without a byte order mark: save it as UTF-8"
    return "" if len(start) == _PEEKED_BYTES or start.strip() else "one of blanks only"


def text_lines(source: Source) -> Iterator[str]:
    """Yield the lines of a text with their ends.

    A byte order mark decides on the encoding; bytes that are not UTF-8 pass as surrogates, which `checked` resolves.

    Raises
    ------
    InputError
        A line is longer than any table's, or UTF-16 text is damaged.
    """
    start = source.stream.peek(4)  # type: ignore[attr-defined]
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, errors = ("utf-16", "strict") if wide else ("utf-8-sig", "surrogateescape")
    try:
        with io.TextIOWrapper(source.stream, encoding, errors, newline="") as text:
            for line in iter(partial(text.readline, LONGEST_LINE), ""):
                if len(line) == LONGEST_LINE:
                    expected = f"lines below {LONGEST_LINE} characters"
                    raise InputError(f"{source.path}: expected {expected}, got a longer one")
                yield line
    except UnicodeDecodeError as error:
        raise InputError(f"{source.path}: expected {error.encoding} text, got other bytes") from None


def checked(line: str, encoding: str) -> str:
    """Return a line without surrogates, decoded by the layout's encoding.

    Raises
    ------
    ValueError
        The line has a NUL byte, or a byte that is not text of this encoding.
    """
    if "\0" in line:
        raise ValueError("expected text, got a NUL byte")
    if line.isascii():
        return line
    if encoding != "utf-8":
        return line.encode("utf-8", "surrogateescape").decode(encoding)
    try:
        line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) - 0xDC00
        raise ValueError(f"expected UTF-8 text, got byte {byte:#04x}") from None
    return line


def document_of(source: Source) -> Any:
    """Return the content of a JSON file, or the root element of an XML file.

    Raises
    ------
    InputError
        The file is too large, not JSON or XML, or declares a document type.
    """
    data = source.stream.read(JSON.limit_bytes + 1)
    if len(data) > JSON.limit_bytes:
        raise InputError(f"{source.path}: expected at most {JSON.limit_bytes} bytes ({source.form.upper()}), got more")
    if source.form == "json":
        return parse_json(data, source.path, "the JSON of a market file")
    encoding = _ENCODING.match(data)
    if encoding and encoding[1].lower() not in _ENCODINGS:  # in others, a document type could hide from the next check
        got = shown(encoding[1].decode(errors="replace"))
        raise InputError(f"{source.path}: expected XML in UTF-8, got the encoding {got}")
    if _DECLARED.search(data) or b"\0" in data:
        raise InputError(f"{source.path}: expected XML in UTF-8 without a document type, got one with it")
    try:
        return ET.fromstring(data)  # noqa: S314 (entities cannot be declared)
    except ET.ParseError as error:
        raise InputError(f"{source.path}: expected XML, got a damaged file: {error} (a truncated download?)") from None
