"""JSON of miners: strict first, then known defects of firmware, each repair noted by its name.

References
----------
UpstreamData/pyasic, pyasic/rpc/base.py, which lists the defects that its users met.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from bench.network.errors import ReadFailedError
from hardware_profiles.errors import shown


def read_json(raw: bytes) -> tuple[Any, tuple[str, ...]]:
    """Return the document of a reply and the names of the repairs that it needed.

    Parameters
    ----------
    raw
        The reply; a NUL byte at its end is no defect.

    Raises
    ------
    ReadFailedError
        It is no JSON even after all repairs.
    """
    text = raw.rstrip(b"\0 \r\n\t").decode("utf-8", "replace")
    repairs = ["bytes that are not UTF-8"] if "\ufffd" in text else []
    try:
        return _strict(text), tuple(repairs)
    except (ValueError, RecursionError):
        pass
    for name, repair in REPAIRS:
        repaired = repair(text)
        if repaired == text:
            continue
        text = repaired
        repairs.append(name)
        try:
            return _strict(text), tuple(repairs)
        except (ValueError, RecursionError):
            continue
    raise ReadFailedError(f"expected JSON, got {shown(text[:200])}", "bad_sample")


def _strict(text: str) -> Any:
    return _STRICT.decode(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_STRICT = json.JSONDecoder(parse_constant=_refuse)  # made once: a cycle of control reads 10,000 replies


_CONTROL = re.compile(r"[\x00-\x1f]+")
_NO_COMMA = re.compile(r"([}\]])(\s*)(?=[{\[])")
_COMMA_AT_END = re.compile(r",(\s*)(?=[}\]])")
_COMMA_AT_START = re.compile(r"([\[{])(\s*),")
_DOUBLED_QUOTE = re.compile(r'(?<![:,\[{\s\\])""(?=[A-Za-z][\w %.-]{0,40}"\s{0,3}:)')
_NO_NUMBER = re.compile(r"(?<=[:,\[\s])-?(?:nan|inf|infinity)(?=\s*[,}\]])", re.IGNORECASE)
_LIST_OF_PAIRS = re.compile(r'\[((?:\s{0,9}"[^"\n]{0,200}"\s{0,9}:\s{0,9}"[^"\n]{0,200}"\s{0,9},?){1,2000})\s{0,9}\]')
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{},]', re.DOTALL)


def _without_start(text: str) -> str:
    """Return a text that starts with a comma, as the rest of an object does, as an object."""
    return "{" + text[1:] if text.startswith(",") else text


def _without_rest(text: str) -> str:
    """Return the first document of a text that has more after it."""
    try:
        _, end = _STRICT.raw_decode(text)
    except (ValueError, RecursionError):
        return text
    return text[:end]


def _closed(text: str) -> str:
    """Return a text that was cut off, up to its last comma or bracket, with the open brackets closed."""
    cut = 0
    for match in _TOKEN.finditer(text):
        if match[0] == ",":
            cut = match.start()
        elif not match[0].startswith('"'):
            cut = match.end()
    return text[:cut] + "".join(reversed(_open_brackets(text[:cut])))


def _open_brackets(text: str) -> list[str]:
    """Return the closing bracket of each open one; nothing if the brackets of the text do not match."""
    closing: list[str] = []
    for match in _TOKEN.finditer(text):
        if match[0] in ("[", "{"):
            closing.append("]" if match[0] == "[" else "}")
        elif match[0] in ("]", "}") and (not closing or closing.pop() != match[0]):
            return []
    return closing


REPAIRS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("NUL bytes within", lambda text: text.replace("\0", "")),
    ("raw control characters", lambda text: _CONTROL.sub(" ", text)),
    ("start missing", _without_start),
    ("missing comma", lambda text: _NO_COMMA.sub(r"\1,\2", text)),
    ("comma before a closing bracket", lambda text: _COMMA_AT_END.sub(r"\1", text)),
    ("comma after an opening bracket", lambda text: _COMMA_AT_START.sub(r"\1\2", text)),
    ("doubled quotation mark", lambda text: _DOUBLED_QUOTE.sub('","', text)),
    ("nan or inf", lambda text: _NO_NUMBER.sub("null", text)),
    ("list written as a table", lambda text: _LIST_OF_PAIRS.sub(r"{\1}", text)),
    ("text after the document", _without_rest),
    ("end missing", _closed),
)
"""The defects in the order in which they are tried."""
