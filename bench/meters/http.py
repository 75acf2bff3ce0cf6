"""One HTTP request to a plug on the local network, with a deadline over all of it and a limit on its size.

The standard library's `http.client` parses the answer. Its own time limit starts anew at every read, so a stream in
between sets the time that is left before each read and counts the bytes.
"""

import http.client
import io
import json
import socket
import time
from typing import TYPE_CHECKING, Any

from bench.meters.stream import ReadFailedError
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 65536


class OtherAnswerError(ReadFailedError):
    """The plug answered, but without what was requested: another path may suit it."""


def parse_host(text: str, place: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or one of these after `http://`.

    Parameters
    ----------
    text
        The address.
    place
        The option, for messages.

    Raises
    ------
    InputError
        The address is empty, has a path, is https, or has an invalid port.
    """
    bare = text.removeprefix("http://").rstrip("/")
    if not bare or any(mark in bare for mark in "/@,=") or any(c.isspace() for c in bare):
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
    """Return the JSON that a plug answers to `GET path`, all within `timeout_s` [s] and 64 KiB.

    Raises
    ------
    ReadFailedError
        There is no answer in time, it is too long, its HTTP status is not 200, or it is not JSON.
    """
    url = f"http://{host}:{port}{path}"
    try:
        status, body = _get(host, port, path, time.monotonic() + timeout_s)
    except TimeoutError:
        raise ReadFailedError(f"{url}: no complete answer in time") from None
    except _TooLongError:
        raise ReadFailedError(f"{url}: the answer is longer than {MAX_BYTES} bytes") from None
    except http.client.HTTPException as error:
        raise ReadFailedError(f"{url}: not a complete HTTP answer: {error!r}") from None
    except (OSError, ValueError) as error:
        raise ReadFailedError(f"{url}: {error}") from None
    if status != 200:
        raise OtherAnswerError(f"{url}: HTTP status {status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReadFailedError(f"{url}: not JSON: {error}") from None


def get_number(document: Any, place: str, *keys: str | int) -> float:
    """Return the number at a path of keys in a JSON document.

    Raises
    ------
    ReadFailedError
        It is missing or is not a number.
    """
    value, name = document, ".".join(map(str, keys))
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise OtherAnswerError(f"{place}: no {name} in the answer") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReadFailedError(f"{place}: {name} is not a number: {str(value)[:40]!r}", "bad_sample")
    try:
        return float(value)
    except OverflowError:
        raise ReadFailedError(f"{place}: {name} is too large for a number", "bad_sample") from None


def _get(host: str, port: int, path: str, deadline: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port)
    with socket.create_connection((host, port), timeout=_left_s(deadline)) as inner:
        connection.sock = _LimitedSocket(inner, deadline)
        connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read()


class _TooLongError(Exception):
    """The answer is longer than MAX_BYTES."""


class _LimitedSocket:
    """A socket as `http.client` uses it, under a deadline [s, monotonic] and MAX_BYTES."""

    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def sendall(self, data: bytes) -> None:
        """Send the request within the time that is left."""
        self._inner.settimeout(_left_s(self._deadline))
        self._inner.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the answer as a stream."""
        return io.BufferedReader(_LimitedStream(self._inner, self._deadline))

    def close(self) -> None:
        """Do nothing: http.client closes the connection before the body is read, and `_get` closes the socket."""


class _LimitedStream(io.RawIOBase):
    """The bytes of an answer, each read under the deadline."""

    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline
        self._bytes = 0

    def readable(self) -> bool:
        """Return True: this stream is read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer within the time that is left."""
        self._inner.settimeout(_left_s(self._deadline))
        count = self._inner.recv_into(buffer)
        self._bytes += count
        if self._bytes > MAX_BYTES:
            raise _TooLongError
        return count


def _left_s(deadline: float) -> float:
    """Return the time that is left [s].

    Raises
    ------
    TimeoutError
        The deadline has passed.
    """
    left_s = deadline - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError
    return left_s
