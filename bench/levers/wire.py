"""Exchanges with devices on the network without a thread: one request a connection, bounded in bytes and time.

Ten thousand devices are looked at in one cycle by one process, so an exchange has no stream objects: it drives its
socket itself. At most `MOST_OPEN` connections are open at a time; the others wait, and their time starts when it is
their turn.

References
----------
cgminer, API-README (port 4028: a reply ends with a NUL byte). MicroBT, WhatsMiner API 3 (port 4433: four bytes of
length, the lowest first, before request and reply).
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from bench.miners.wire import MAX_BYTES, Brackets, is_web
from bench.network.errors import ReadFailedError
from bench.network.reach import is_public

MOST_OPEN = 400
QUIET_S = 0.25  # [s] a complete reply whose connection stays open ends after this silence
_CHUNK_BYTES = 65536
_LENGTH_BYTES = 4
_EMPTY = b"\0 \r\n\t"
_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class NotSentError(ReadFailedError):
    """There was no connection, so the device has not seen the request."""


class NoReplyError(ReadFailedError):
    """The request was sent, and no complete reply came: the device may have acted on it."""


class Remote:
    """The address of a device, looked up once.

    Parameters
    ----------
    host
        Name or address.
    port
        TCP port.
    public
        Whether an address outside private networks is allowed.
    """

    def __init__(self, host: str, port: int, *, public: bool = False) -> None:
        self.host, self.port, self.public = host, port, public
        self._known: tuple[int, tuple[Any, ...]] | None = None
        try:
            number = ipaddress.ip_address(host)
        except ValueError:
            return
        if number.version == 4:  # an address of version 6 may have a scope, which the look-up reads
            self._known = (socket.AF_INET, (host, port))

    async def address(self) -> tuple[int, tuple[Any, ...]]:
        """Return the family and the address.

        Raises
        ------
        NotSentError
            The name has no address, or only a public one.
        """
        if self._known is None:
            try:
                rows = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                raise NotSentError("no such host", "no_host") from None
            self._known = (rows[0][0], rows[0][4])
        if not self.public and is_public(str(self._known[1][0])):
            raise NotSentError("a public address", "public_address")
        return self._known


async def exchange(remote: Remote, request: bytes, timeout_s: float) -> bytes:
    """Return the reply to one command of the cgminer interface, without the NUL byte that ends it.

    The reply ends with a NUL byte or a line feed after a whole document, with the end of the connection, or with a
    silence after a whole document, because some firmware keeps the connection open.

    Parameters
    ----------
    remote
        The device.
    request
        Bytes to send.
    timeout_s
        Time for connection, request and reply [s].

    Raises
    ------
    NotSentError
        There is no connection.
    NoReplyError
        There is no complete reply in time.
    ReadFailedError
        The reply is too long, or HTTP.
    """
    reply = await converse(remote, request, timeout_s, _read_open_end)
    if is_web(reply):
        raise ReadFailedError("answers like a web server", "malformed")
    return reply


async def exchange_frame(remote: Remote, request: bytes, timeout_s: float) -> bytes:
    """Return the content of the frame that a device sends after a frame with the request; as `exchange` otherwise."""
    framed = len(request).to_bytes(_LENGTH_BYTES, "little") + request
    return await converse(remote, framed, timeout_s, _read_frame)


Receive = Callable[[], Awaitable[bytes]]


async def converse(
    remote: Remote, request: bytes, timeout_s: float, read: Callable[[Receive], Awaitable[bytes]]
) -> bytes:
    """Return what `read` makes of the bytes that come after a request; see `exchange`.

    Parameters
    ----------
    remote, request, timeout_s
        As in `exchange`.
    read
        Awaits its argument for the next bytes, which are empty at the end of the connection.
    """
    sent = False
    async with _turn():
        try:
            async with asyncio.timeout(timeout_s), _connection(remote) as connection:
                loop = asyncio.get_running_loop()
                sent = True
                await loop.sock_sendall(connection, request)
                reply = await read(lambda: loop.sock_recv(connection, _CHUNK_BYTES))
        except TimeoutError:
            what = "complete reply" if sent else "connection"
            raise _failed(sent=sent, words=f"no {what} within {timeout_s:g} s") from None
        except OSError as error:
            raise _failed(sent=sent, words=error.strerror or "the connection broke") from None
    if not reply.strip(_EMPTY):
        raise NoReplyError("closed the connection without a reply", "no_answer")
    return reply


def _failed(*, sent: bool, words: str) -> ReadFailedError:
    return (NoReplyError if sent else NotSentError)(words, "no_answer")


@asynccontextmanager
async def _connection(remote: Remote) -> AsyncIterator[socket.socket]:
    family, address = await remote.address()
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
        yield connection
    finally:
        connection.close()


def _turn() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _OPEN:
        _OPEN[loop] = asyncio.Semaphore(MOST_OPEN)
    return _OPEN[loop]


async def _read_open_end(receive: Receive) -> bytes:
    reply, closed = bytearray(), _Closed()
    while not ((whole := closed.ends(reply)) and reply.endswith((b"\0", b"\n"))):
        part = await (_receive_or_quiet(receive) if whole else receive())
        if not part:
            break
        reply += part
        if len(reply) > MAX_BYTES:
            raise ReadFailedError(f"the reply is longer than {MAX_BYTES} bytes", "malformed")
    return bytes(reply).rstrip(b"\0")


async def _receive_or_quiet(receive: Receive) -> bytes:
    """Return what comes after a whole document, or nothing if nothing comes."""
    try:
        async with asyncio.timeout(QUIET_S):
            return await receive()
    except (TimeoutError, ConnectionResetError):
        return b""


class _Closed:
    """Whether a reply that grows may end here: its brackets are closed, or a section of its text ends.

    Counting brackets is quick, and it errs where a text holds one; then they are followed, each byte once.
    """

    def __init__(self) -> None:
        self._brackets, self._followed = Brackets(), 0

    def ends(self, reply: bytearray) -> bool:
        """Return whether a reply may end here."""
        body = reply.strip(_EMPTY)
        if not body.startswith((b"{", b"[")):
            return body.endswith((b"|", b"}"))
        if not body.endswith((b"}", b"]")):
            return False
        if reply.count(b"{") == reply.count(b"}") and reply.count(b"[") == reply.count(b"]"):
            return True
        self._brackets.feed(bytes(reply[self._followed :]))
        self._followed = len(reply)
        return self._brackets.balanced


async def _read_frame(receive: Receive) -> bytes:
    received = bytearray()
    length = None
    while length is None or len(received) < _LENGTH_BYTES + length:
        part = await receive()
        if not part:
            raise NoReplyError("closed the connection within a reply", "no_answer")
        received += part
        if length is None and len(received) >= _LENGTH_BYTES:
            length = int.from_bytes(received[:_LENGTH_BYTES], "little")
            if length > MAX_BYTES:
                raise ReadFailedError(f"a frame longer than {MAX_BYTES} bytes", "malformed")
    return bytes(received[_LENGTH_BYTES : _LENGTH_BYTES + length])
