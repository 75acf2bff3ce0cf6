"""TCP exchanges with miners: one request a connection, one deadline over all of it, and a limit on the reply.

References
----------
cgminer, API-README (port 4028: a reply ends with a NUL byte). MicroBT, WhatsMiner API 3 (port 4433: four bytes of
length, the lowest first, before request and reply).
"""

import re
import socket
import time
from collections.abc import Callable

from bench.network.errors import ReadFailedError
from bench.network.tcp import HostPort, left_s
from hardware_profiles.errors import shown

MAX_BYTES = 2**20
"""Limit on a reply [byte]; the longest capture of a miner has some 30,000."""
MAX_DEPTH = 64
"""Levels of tables and lists in a reply."""
QUIET_S = 0.25  # [s] a complete reply whose connection stays open ends after this silence
_LENGTH_BYTES = 4
_HTML = re.compile(rb"\s*(?:HTTP/\d|<!doctype|<html|<\?xml|<head)", re.IGNORECASE)


class HttpAnswerError(ReadFailedError):
    """The host answers HTTP or HTML where the port of a miner was expected."""


def exchange(remote: HostPort, request: bytes, timeout_s: float) -> bytes:
    """Return the reply to one request on a connection of its own.

    The reply ends with a NUL byte, with a line feed after a whole JSON document, with the end of the connection, or
    with a silence after a whole document, because some firmware keeps the connection open.

    Parameters
    ----------
    remote
        The host and the port.
    request
        Bytes to send.
    timeout_s
        Time for everything: look-up of the name, connection, request and reply [s].

    Raises
    ------
    ReadFailedError
        There is no complete reply in time, or it is too long or too deep.
    HttpAnswerError
        The reply is HTTP or HTML.
    """
    return _exchange(remote, request, timeout_s, _read_open_end)


def exchange_frame(remote: HostPort, request: bytes, timeout_s: float) -> bytes:
    """Return the content of the frame that a miner sends after a frame with the request; as `exchange` otherwise."""
    framed = len(request).to_bytes(_LENGTH_BYTES, "little") + request
    return _exchange(remote, framed, timeout_s, _read_frame)


def _exchange(
    remote: HostPort, request: bytes, timeout_s: float, read: Callable[[socket.socket, float], bytes]
) -> bytes:
    place = f"{remote.host}:{remote.port}"
    deadline = time.monotonic() + timeout_s
    try:
        with remote.connect(deadline) as connection:
            connection.settimeout(left_s(deadline))
            connection.sendall(request)
            reply = read(connection, deadline)
    except _UnfinishedError as error:
        raise ReadFailedError(f"{place}: no complete reply within {timeout_s:g} s ({error})") from None
    except TimeoutError:
        raise ReadFailedError(f"{place}: no connection within {timeout_s:g} s") from None
    except _RefusedError as error:
        raise ReadFailedError(f"{place}: {error}") from None
    except (OSError, ValueError) as error:
        raise ReadFailedError(f"{place}: {getattr(error, 'strerror', None) or error}") from None
    if is_web(reply):
        raise HttpAnswerError(f"{place}: answers like a web server: {shown(_first_line(reply))}")
    if not reply.strip(b"\0 \r\n\t"):
        raise ReadFailedError(f"{place}: closed the connection without a reply")
    return reply


def is_web(reply: bytes) -> bool:
    """Return whether a reply is HTTP or HTML."""
    return _HTML.match(reply[:200]) is not None


def _first_line(reply: bytes) -> str:
    return reply.strip()[:80].decode("utf-8", "replace").splitlines()[0]


class _UnfinishedError(Exception):
    """The time is over; the text says what had come."""


class _RefusedError(Exception):
    """The reply is not read to its end; the text says why."""


def _read_open_end(connection: socket.socket, deadline: float) -> bytes:
    """Return the reply of the cgminer interface, without the NUL byte that ends it."""
    reply, brackets, after_nul = bytearray(), Brackets(), False
    while not (reply.endswith((b"\0", b"\n")) and _is_whole(reply, brackets)):
        whole = after_nul or _is_whole(reply, brackets)
        try:
            connection.settimeout(min(left_s(deadline), QUIET_S) if whole else left_s(deadline))
            part = connection.recv(65536)
        except (TimeoutError, ConnectionResetError) as error:
            if whole:
                break
            raise _UnfinishedError(f"{len(reply)} bytes came") from error
        if not part:
            break
        reply += part
        if len(reply) > MAX_BYTES:
            raise _RefusedError(f"the reply is longer than {MAX_BYTES} bytes")
        brackets.feed(part)
        if brackets.depth > MAX_DEPTH:
            raise _RefusedError(f"the reply is nested deeper than {MAX_DEPTH} levels")
        after_nul = part.endswith(b"\0")  # which broken firmware also sends within a document
    return bytes(reply).rstrip(b"\0")


def _is_whole(reply: bytearray, brackets: "Brackets") -> bool:
    """Return whether a reply may end here: its JSON is balanced, or a section of its text form ends."""
    start = bytes(reply[:80]).lstrip(b"\0 \r\n\t")[:1]
    if start in {b"{", b"["}:
        return brackets.balanced
    return start != b"" and reply[-80:].rstrip(b"\0 \r\n\t").endswith((b"|", b"}"))


def _read_frame(connection: socket.socket, deadline: float) -> bytes:
    head = _receive(connection, _LENGTH_BYTES, deadline)
    length = int.from_bytes(head, "little")
    if head in {b"HTTP", b"<htm", b"<!DO", b"<!do"}:
        return head + _receive(connection, 80, deadline)  # its caller says what this is
    if length > MAX_BYTES:
        raise _RefusedError(f"expected the length of a frame, got {shown(head)}, which is above {MAX_BYTES} bytes")
    return _receive(connection, length, deadline)


def _receive(connection: socket.socket, length: int, deadline: float) -> bytes:
    """Return so many bytes, or fewer if the connection ends."""
    received = bytearray()
    while len(received) < length:
        try:
            connection.settimeout(left_s(deadline))
            part = connection.recv(min(length - len(received), 65536))
        except TimeoutError:
            raise _UnfinishedError(f"{len(received)} of {length} bytes came") from None
        if not part:
            break
        received += part
    return bytes(received)


class Brackets:
    """The open brackets of a JSON text that comes in parts; brackets within strings do not count."""

    def __init__(self) -> None:
        self.depth = 0
        self.seen = False
        self._in_string = False
        self._escape = b""  # a backslash at the end of a part, which changes what the next part begins with

    @property
    def balanced(self) -> bool:
        """Whether every bracket is closed, and at least one was open."""
        return self.seen and self.depth <= 0 and not self._in_string

    def feed(self, part: bytes) -> None:
        """Go on with the next bytes."""
        part = self._escape + part
        cut = len(part) - (len(part) - len(part.rstrip(b"\\"))) % 2
        part, self._escape = part[:cut], part[cut:]
        for match in _MARKS.finditer(part):
            mark = match[0]
            if mark == b'"':
                self._in_string = not self._in_string
            elif not self._in_string and mark in b"[{":
                self.depth, self.seen = self.depth + 1, True
            elif not self._in_string and mark in b"]}":
                self.depth -= 1


_MARKS = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
