"""A socket under a deadline and a limit, in the form that `http.client` uses.

The library's own time limit starts anew at every read; this one sets the time that is left before each.
"""

import io
import socket
from typing import TYPE_CHECKING

from bench.network.tcp import left_s

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TooLongError(Exception):
    """The answer is longer than the limit."""


class LimitedSocket:
    """A socket as `http.client` uses it, under a deadline [s, monotonic] and a limit [byte]."""

    def __init__(self, inner: socket.socket, deadline: float, limit_bytes: int) -> None:
        self._inner, self._deadline, self._limit_bytes = inner, deadline, limit_bytes

    def sendall(self, data: bytes) -> None:
        """Send the request within the time that is left."""
        self._inner.settimeout(left_s(self._deadline))
        self._inner.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the answer as a stream."""
        return io.BufferedReader(_LimitedStream(self._inner, self._deadline, self._limit_bytes))

    def close(self) -> None:
        """Do nothing: http.client closes the connection before the body is read, and `_exchange` closes the socket."""


class _LimitedStream(io.RawIOBase):
    """The bytes of an answer, each read under the deadline."""

    def __init__(self, inner: socket.socket, deadline: float, limit_bytes: int) -> None:
        self._inner, self._deadline, self._limit_bytes = inner, deadline, limit_bytes
        self._bytes = 0

    def readable(self) -> bool:
        """Return True: this stream is read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer within the time that is left."""
        self._inner.settimeout(left_s(self._deadline))
        count = self._inner.recv_into(buffer)
        self._bytes += count
        if self._bytes > self._limit_bytes:
            raise TooLongError
        return count
