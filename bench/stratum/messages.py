"""The lines of the protocol: one JSON object each, ended by a line feed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

MessageId = str | int | float | None


class MalformedLineError(Exception):
    """A line is no request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a miner."""

    id: MessageId  # as the miner wrote it; None if it is of another type
    method: str
    params: Any  # a list in all methods that are known


def read_request(line: bytes) -> Request | None:
    """Return the request of a line, or None if it answers something that the server sent.

    Raises
    ------
    MalformedLineError
        The line is not UTF-8, not JSON, too deep, not an object, or has no method.
    """
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise MalformedLineError("not JSON") from None
    if not isinstance(message, dict):
        raise MalformedLineError("not an object")
    method = message.get("method")
    if not isinstance(method, str):
        if method is None and ("result" in message or "error" in message):
            return None
        raise MalformedLineError("no method")
    return Request(_plain_id(message.get("id")), method, message.get("params", []))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _plain_id(value: object) -> MessageId:
    if isinstance(value, float):
        return value if value - value == 0.0 else None  # 1e400 is read as infinity, which JSON cannot write
    return value if isinstance(value, str | int) else None


def answer(message_id: MessageId, result: object) -> bytes:
    """Return the line that answers a request."""
    return _line({"id": message_id, "result": result, "error": None})


def refusal(message_id: MessageId, code: int, text: str) -> bytes:
    """Return the line that refuses a request."""
    return _line({"id": message_id, "result": None, "error": [code, text, None]})


def push(method: str, params: Sequence[object]) -> bytes:
    """Return a line that the server sends unasked."""
    return _line({"id": None, "method": method, "params": params})


def _line(message: dict[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def plain_text(text: str, longest: int) -> str:
    """Return a client's text as printable ASCII, cut to a length; for logs and records."""
    escaped = text[:longest].encode("ascii", "backslashreplace").decode("ascii")
    return "".join(c if c.isprintable() else "?" for c in escaped)[:longest]
