"""Text that a file of a result can hold, made from whatever the operating system reports."""

import re
from typing import Any

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line feed, and bytes that are not UTF-8: no text of a result holds one."""


def encodable(value: Any) -> Any:
    r"""Return JSON-ready data with a backslash escape for each character of `UNPRINTABLE`: `r\udce9s` for `r\xe9s`.

    Python holds such bytes of arguments, paths, variables and process names as lone surrogates, which no file of a
    result can hold. A terminal would obey a control character.
    """
    if isinstance(value, str):
        return UNPRINTABLE.sub(_escaped, value)
    if isinstance(value, dict):
        return {encodable(key): encodable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(encodable, value))
    return value


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
