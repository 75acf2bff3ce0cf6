"""The text of a log: bytes, their encoding and their lines, read in blocks."""

import codecs
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hardware_profiles.errors import InputError, shown
from hardware_profiles.opening import MIB, STDIN, Kind, open_input, read_input

LOG = Kind("log of time and watts", 512 * MIB)
MOST_LINES = 10_000_000
LONGEST_LINE = 131_072  # [characters] as long as the longest cell of Python's CSV reader
BLOCK_BYTES = 2**18

# the UTF-32 marks first: the little-endian one begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_START_BYTES = 4096  # of a file, which show its encoding
_ADVICE = "UTF-8 text, or the setting encoding= (cp1252 for Western Windows, cp1251, gbk, shift_jis, utf-16 …)"


def open_log(path: Path) -> BinaryIO:
    """Return the opened file of a log; the caller closes it.

    Raises
    ------
    InputError
        As `open_input`.
    """
    return io.BytesIO(read_input(path, LOG)) if path == STDIN else open_input(path, LOG)


class Text:
    """The lines of a log. Reading goes on where it stopped when the file has grown.

    A byte order mark decides on the encoding, then the stated one, then UTF-16 without a mark if every other byte is
    zero, then UTF-8. A last character that is cut short, and a last line that does not end, wait for the rest, because
    the file may still be written.

    Raises
    ------
    InputError
        The encoding is unknown or contradicts the byte order mark.
    """

    def __init__(self, path: Path, file: BinaryIO, stated: str | None) -> None:
        self._path = path
        file.seek(0)
        start = _read(path, file, _START_BYTES)
        encoding = _encoding(path, start, stated)
        file.seek(0)
        self.start = codecs.getincrementaldecoder(encoding)("replace").decode(start)  # the first characters
        self.encoding = encoding.removesuffix("-sig")
        self.lines_read = 0
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._hash = hashlib.sha256()
        self._bytes_read = 0
        self._begins = True
        self._rest = ""  # of a line that does not end yet
        self._ended_early = False  # whether the last line ended with a lone CR, which may be half of a CR LF

    @property
    def sha256(self) -> str:
        """Hash of the bytes so far, in hexadecimal digits."""
        return self._hash.hexdigest()

    def continues(self, file: BinaryIO) -> bool:
        """Return whether a file begins with all the bytes that were read; it is then placed behind them."""
        file.seek(0)
        before = hashlib.sha256()
        left = self._bytes_read
        while left and (data := _read(self._path, file, min(left, BLOCK_BYTES))):
            before.update(data)
            left -= len(data)
        return not left and not self._ended_early and before.digest() == self._hash.digest()

    def blocks(self, file: BinaryIO) -> Iterator[list[str]]:
        """Yield the lines that end, in blocks, up to the end of the file.

        Raises
        ------
        InputError
            The file is unreadable, its bytes do not fit the encoding, or it has more bytes, lines or characters in a
            line than perwatt reads.
        """
        while data := _read(self._path, file, BLOCK_BYTES):
            text = self._rest + self._decoded(data, file)
            if self._begins and text:
                text, self._begins = text.removeprefix("\ufeff"), False
            held = "\r" if text.endswith("\r") else ""
            if "\r" in text:
                text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
            lines = text.split("\n")
            self._rest = lines.pop() + held
            self._refuse_long(lines[0] if lines else self._rest)
            if lines:
                yield self._counted(lines)
        if self._rest.endswith("\r"):
            line, self._rest, self._ended_early = self._rest.removesuffix("\r"), "", True
            yield self._counted([line])

    def _decoded(self, data: bytes, file: BinaryIO) -> str:
        self._bytes_read += len(data)
        if self._bytes_read > LOG.limit_bytes:
            expected = f"at most {LOG.limit_bytes} bytes (cut the log around the run)"
            raise InputError.at(self._path, expected=expected, got="more")
        self._hash.update(data)
        try:
            return self._decoder.decode(data)
        except UnicodeDecodeError as error:
            at = self._bytes_read - len(error.object) + error.start
            raise _undecodable(self._path, file, at) from None

    def _counted(self, lines: list[str]) -> list[str]:
        self.lines_read += len(lines)
        if self.lines_read > MOST_LINES:
            expected = f"at most {MOST_LINES} lines (cut the log around the run)"
            raise InputError.at(self._path, expected=expected, got="more")
        return lines

    def _refuse_long(self, line: str) -> None:
        if len(line) > LONGEST_LINE:
            place, expected = f"{self._path}: line {self.lines_read + 1}", f"at most {LONGEST_LINE} characters a line"
            raise InputError.at(place, expected=expected, got="more")


def _read(path: Path, file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise InputError(f"{path}: expected a readable {LOG.name}, got {error.strerror or error}") from None


def _encoding(path: Path, start: bytes, stated: str | None) -> str:
    """Return the name of the encoding that the first bytes and the setting show."""
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    encoding = marked or stated or _unmarked(start)
    try:
        if stated is not None:
            stated_name = codecs.lookup(stated).name
            if marked is not None and not stated_name.startswith(marked.removesuffix("-sig")):
                expected = f"{marked} as the file's byte order mark says, or no encoding="
                raise InputError.at(path, "encoding", expected=expected, got=stated)
        b"a".decode(encoding, "replace")  # refuses what is no encoding of text, such as base64
        codecs.getincrementaldecoder(encoding)
    except LookupError:
        raise InputError.at(path, "encoding", expected="an encoding that Python knows", got=stated) from None
    return encoding


def _undecodable(path: Path, file: BinaryIO, at: int) -> InputError:
    """Return the refusal of a byte that does not fit the encoding."""
    file.seek(0)
    number, start = 1, 0
    for offset in range(0, at, BLOCK_BYTES):
        data = _read(path, file, min(BLOCK_BYTES, at - offset))
        number += data.count(b"\n")
        start = offset + data.rfind(b"\n") + 1 if b"\n" in data else start
    file.seek(start)
    line = _read(path, file, at - start + _START_BYTES).partition(b"\n")[0]
    byte = line[at - start : at - start + 1] or b"\n"
    text = line.decode("ascii", "backslashreplace").strip()
    got = f"byte 0x{byte[0]:02x} in line {number}: {shown(text)}"
    return InputError(f"{path}: key encoding: expected {_ADVICE}, got {got}")


def _unmarked(head: bytes) -> str:
    pairs = len(head) // 2
    if pairs >= 4:
        if head[1::2].count(0) > 0.6 * pairs and head[::2].count(0) < 0.1 * pairs:
            return "utf-16-le"
        if head[::2].count(0) > 0.6 * pairs and head[1::2].count(0) < 0.1 * pairs:
            return "utf-16-be"
    return "utf-8"
