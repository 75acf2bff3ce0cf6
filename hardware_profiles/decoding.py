"""The decoding of text files, JSON files and decimal numbers, with each fault as one line."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_OTHER_MARKS = (  # the UTF-32 marks first: the little-endian one begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_FLOAT_BITS = 1024  # a whole number of more bits is beyond every float
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MANY_DIGITS = re.compile(r"[0-9A-Fa-f_]{250,}")  # 1024 bits are 256 hexadecimal or 309 decimal digits


def decode(data: bytes, file: object) -> str:
    """Return the text of UTF-8 bytes without their byte order mark.

    Raises
    ------
    InputError
        The text is UTF-16 or UTF-32, has a byte that is not UTF-8, or a NUL byte; the line is named.
    """
    for mark, encoding in _OTHER_MARKS:
        if data.startswith(mark):
            raise InputError(f"{file}: expected UTF-8 text, got {encoding} (by its byte order mark)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        byte = fault.object[fault.start]
        line = fault.object.count(b"\n", 0, fault.start) + 1
        raise InputError(f"{file}: line {line}: expected UTF-8 text, got byte {byte:#04x}") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{file}: line {line}: expected text, got a NUL byte")
    return text


def parse_json(data: bytes, file: object, kind: str) -> Any:
    """Return the content of JSON bytes.

    Parameters
    ----------
    data
        The bytes.
    file
        Path or name of the file, for error messages.
    kind
        What the file should be, for error messages: "the JSON of a result".

    Raises
    ------
    InputError
        The bytes are not UTF-8, not JSON, nested too deeply, have a key twice in one object, or a whole number beyond
        every float.
    """

    def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
            raise InputError(f"{file}: expected each key once in an object, got {shown(twice)} twice")
        return table

    def load(text: str) -> Any:
        return json.loads(text, object_pairs_hook=each_key_once)

    return parse(data, file, load, kind, (json.JSONDecodeError, "a corrupt file"))


def parse(
    data: bytes, file: object, load: Callable[[str], Any], kind: str, broken: tuple[type[ValueError], str]
) -> Any:
    """Return the document that a parser reads from bytes.

    Parameters
    ----------
    data, file
        The bytes, and the path or name of the file for error messages.
    load
        The parser.
    kind
        What the file should be, for error messages.
    broken
        The parser's error for a wrong syntax, and the word for such a file.

    Raises
    ------
    InputError
        The bytes are not UTF-8, have a wrong syntax, are nested too deeply, or have a whole number beyond every float.
    """
    text = decode(data, file)
    error, word = broken
    try:
        document = load(text)
    except error as fault:
        raise InputError(f"{file}: expected {kind}, got {word}: {fault}") from None
    except InputError:
        raise
    except RecursionError:
        raise InputError(f"{file}: expected {kind}, got one nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise too_many_digits(text, file) from None
    refuse_huge(document, text, file)
    return document


def refuse_huge(document: object, text: str, file: object) -> None:
    """Refuse a document with a whole number beyond every float.

    Raises
    ------
    InputError
        The document has such a number.
    """
    if _MANY_DIGITS.search(text) and _has_huge(document):
        raise too_many_digits(text, file)


def _has_huge(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_huge, value.values()))
    if isinstance(value, list):
        return any(map(_has_huge, value))
    return isinstance(value, int) and value.bit_length() > _FLOAT_BITS


def too_many_digits(text: str, file: object) -> InputError:
    """Return the error of a document with a whole number beyond every float: the longest run of digits in it."""
    run = max(_MANY_DIGITS.finditer(text), key=lambda match: match.end() - match.start())
    line = text.count("\n", 0, run.start()) + 1
    digits = run.end() - run.start()
    return InputError(f"{file}: line {line}: expected numbers below 1.8e308, got one of {digits} digits")


def is_decimal(text: str) -> bool:
    """Return whether a text is a decimal number; `1_0`, `nan`, `1,950` and digits of other scripts are not."""
    return _DECIMAL.fullmatch(text) is not None


def decimal(text: str) -> float:
    """Return the number that a text states, without blanks around it.

    Raises
    ------
    ValueError
        The text is not a decimal number.
    """
    if not is_decimal(text.strip()):
        raise ValueError(f"expected a decimal number, got {text!r}")
    return float(text)
