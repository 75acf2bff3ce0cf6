"""One HTTP question to a plug on the local network, with a deadline over all of it and a limit on its size."""

import json
import socket
import time
from typing import Any

from bench.meters.stream import ReadFailedError
from hardware_profiles.errors import InputError

MAX_BYTES = 65536
_CHUNK = 8192


def parse_host(text: str, place: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT` or the same behind `http://`.

    Raises
    ------
    InputError
        Nothing there, https, a path, or a port that is none.
    """
    bare = text.removeprefix("http://").rstrip("/")
    if not bare or "/" in bare or "@" in bare or any(c.isspace() for c in bare):
        raise InputError.at(place, expected="a host such as 192.168.1.20 or plug.local:8080 (http only)", got=text)
    host, port = bare, "80"
    if bare.startswith("["):
        host, _, rest = bare[1:].partition("]")
        port = rest.removeprefix(":") or "80"
    elif bare.count(":") == 1:
        host, port = bare.split(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError.at(place, expected="HOST or HOST:PORT with a port from 1 to 65535", got=text)
    return host, int(port)


def get_json(host: str, port: int, path: str, timeout_s: float) -> Any:
    """Return the JSON that a plug answers to `GET path`, all within `timeout_s` and 64 KiB.

    Raises
    ------
    ReadFailedError
        No answer in time, too long an answer, an HTTP status other than 200, or no JSON.
    """
    place = f"http://{host}:{port}{path}"
    status, body = _get(host, port, path, time.monotonic() + timeout_s, place)
    if status != 200:
        raise ReadFailedError(f"{place}: HTTP status {status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReadFailedError(f"{place}: not JSON: {error}") from None


def get_number(document: Any, place: str, *keys: str | int) -> float:
    """Return the number at a path of keys.

    Raises
    ------
    ReadFailedError
        It is missing, or is no number.
    """
    found = document
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            raise ReadFailedError(f"{place}: no {'.'.join(map(str, keys))} in the answer") from None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ReadFailedError(f"{place}: {'.'.join(map(str, keys))} is no number: {str(found)[:40]!r}", "bad_sample")
    try:
        return float(found)
    except OverflowError:
        raise ReadFailedError(f"{place}: {'.'.join(map(str, keys))} is beyond any number", "bad_sample") from None


def _get(host: str, port: int, path: str, deadline: float, place: str) -> tuple[int, bytes]:
    request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    data = b""
    try:
        with socket.create_connection((host, port), timeout=_left(deadline)) as connection:
            connection.sendall(request.encode("ascii"))
            while not _whole(data):
                connection.settimeout(_left(deadline))
                chunk = connection.recv(_CHUNK)
                if not chunk:
                    break
                data += chunk
                if len(data) > MAX_BYTES:
                    raise ReadFailedError(f"{place}: the answer is longer than {MAX_BYTES} bytes")
    except TimeoutError:
        raise ReadFailedError(f"{place}: no whole answer in time") from None
    except (OSError, UnicodeError) as error:
        raise ReadFailedError(f"{place}: {error}") from None
    return _parse(data, place)


def _parse(data: bytes, place: str) -> tuple[int, bytes]:
    """Return status and body; by hand, for http.client's parser costs more than all the rest of a reading."""
    head, separator, body = data.partition(b"\r\n\r\n")
    first = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if not separator or len(first) < 2 or not first[0].startswith(b"HTTP/") or not first[1].isdigit():
        raise ReadFailedError(f"{place}: not a whole HTTP answer")
    length = _length(head)
    if length is not None and len(body) < length:
        raise ReadFailedError(f"{place}: not a whole HTTP answer: {len(body)} of {length} bytes")
    if b"transfer-encoding" in head.lower():
        raise ReadFailedError(f"{place}: a chunked answer to an HTTP/1.0 question")
    return int(first[1][:4]), body if length is None else body[:length]


def _length(head: bytes) -> int | None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value.strip()[:10])
    return None


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError
    return left_s


def _whole(data: bytes) -> bool:
    """Return whether the announced length has arrived; an answer without one ends with the connection."""
    head, separator, body = data.partition(b"\r\n\r\n")
    length = _length(head) if separator else None
    return length is not None and len(body) >= length
