"""The text of a log: bytes, their encoding and their lines."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from hardware_profiles.errors import InputError, shown
from hardware_profiles.opening import MIB, Kind, read_input

LOG = Kind("log of time and watts", 512 * MIB)

# the UTF-32 marks first: the little-endian one begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ADVICE = "UTF-8 text, or the setting encoding= (cp1252 for Western Windows, cp1251, gbk, shift_jis, utf-16 …)"


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a log.

    Raises
    ------
    InputError
        As `read_input`.
    """
    return read_input(path, LOG)


def decode(path: Path, data: bytes, stated: str | None) -> tuple[str, str]:
    """Return the text of a log and the name of its encoding.

    A byte order mark decides, then the stated encoding, then UTF-16 without a mark if every other byte is zero, then
    UTF-8. A last character that is cut short is left out, because the file may still be written.

    Raises
    ------
    InputError
        The encoding is unknown, contradicts the byte order mark, or does not fit the bytes.
    """
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = marked or stated or _unmarked(data)
    try:
        if stated is not None:
            stated_name = codecs.lookup(stated).name
            if marked is not None and not stated_name.startswith(marked.removesuffix("-sig")):
                expected = f"{marked} as the file's byte order mark says, or no encoding="
                raise InputError.at(path, "encoding", expected=expected, got=stated)
        b"a".decode(encoding, "replace")  # refuses what is no encoding of text, such as base64
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except LookupError:
        raise InputError.at(path, "encoding", expected="an encoding that Python knows", got=stated) from None
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data[start:].partition(b"\n")[0].decode("ascii", "backslashreplace")
        number = data.count(b"\n", 0, start) + 1
        got = f"byte 0x{data[error.start]:02x} in line {number}: {shown(line.strip())}"
        raise InputError(f"{path}: key encoding: expected {_ADVICE}, got {got}") from None
    return text.removeprefix("\ufeff"), encoding.removesuffix("-sig")


def _unmarked(data: bytes) -> str:
    head = data[:4096]
    pairs = len(head) // 2
    if pairs >= 4:
        if head[1::2].count(0) > 0.6 * pairs and head[::2].count(0) < 0.1 * pairs:
            return "utf-16-le"
        if head[::2].count(0) > 0.6 * pairs and head[1::2].count(0) < 0.1 * pairs:
            return "utf-16-be"
    return "utf-8"


def lines(text: str) -> Iterator[str]:
    """Yield the lines that end; a last line without an end may still be written."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
