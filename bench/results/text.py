"""Text that UTF-8 can encode, made from whatever the operating system reports."""

from typing import Any


def encodable(value: Any) -> Any:
    r"""Return JSON-ready data with a backslash escape for each byte that is not UTF-8: `r\udce9s` for `r\xe9s`.

    Python holds such bytes of arguments, paths, variables and process names as lone surrogates, which no file of a
    result can hold.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {encodable(key): encodable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(encodable, value))
    return value
