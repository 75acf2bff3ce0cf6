"""One persistent connection to a server: requests in turn, each read of a reply stamped before it is parsed.

All connections of a loop read into one buffer that is used again. The stamp is taken first and the parsing is put off
to the loop's next round, so that the replies that are ready together are all stamped before any of them is parsed.
"""

import asyncio
import os
import ssl
import time
from collections import deque
from dataclasses import dataclass

from bench.endpoint.stream.reply import Read, Reply, ReplyReader

BUFFER_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a server, looked up once."""

    host: str  # as the certificate names it
    port: int
    ip: str
    tls: ssl.SSLContext | None = None


@dataclass(slots=True)
class Exchange:
    """One request and its reply."""

    sent_ns: int  # when the request was handed to the socket [ns, monotonic]
    reply: Reply
    connect_ns: int = 0  # [ns] time to connect, if the request needed a new connection; it is before `sent_ns`


class Connection(asyncio.BufferedProtocol):
    """A connection that is opened when a request needs it and kept until the server closes it.

    Parameters
    ----------
    address
        The server.
    buffer
        BUFFER_BYTES that all connections of one loop share: a read is copied out of it before the next one begins.
    """

    def __init__(self, address: Address, buffer: bytearray) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._view = memoryview(buffer)
        self._transport: asyncio.Transport | None = None
        self._reads: deque[Read] = deque()
        self._reader: ReplyReader | None = None
        self._ended: asyncio.Future[bool] | None = None  # whether the server closed the connection in order
        self._scheduled = False
        self.cut: Exchange | None = None  # what there was of a request that was cancelled

    async def request(self, message: bytes, timeout_s: float, connect_timeout_s: float = 10.0) -> Exchange:
        """Send a request and return its reply, whatever becomes of it.

        Parameters
        ----------
        message
            Head and body of the request.
        timeout_s
            Time for the whole reply [s].
        connect_timeout_s
            Time for a new connection [s].
        """
        reused = self._transport is not None and not self._transport.is_closing()
        exchange = await self._attempt(message, timeout_s, connect_timeout_s)
        if reused and exchange.reply.end_ns is None and exchange.reply.error_kind is None:
            # The server closed the kept connection before it saw the request, as servers do at any time.
            exchange = await self._attempt(message, timeout_s, connect_timeout_s)
        return exchange

    async def _attempt(self, message: bytes, timeout_s: float, connect_timeout_s: float) -> Exchange:
        connect_ns = 0
        if self._transport is None or self._transport.is_closing():
            before_ns = time.monotonic_ns()
            try:
                await asyncio.wait_for(self._connect(), connect_timeout_s)
            except TimeoutError:
                return _refused(f"no connection within {connect_timeout_s:g} s")
            except ssl.SSLError as error:
                return _refused(f"TLS: {error.reason or error}")
            except OSError as error:
                return _refused(os.strerror(error.errno) if error.errno else str(error))
            connect_ns = time.monotonic_ns() - before_ns
        transport = self._transport
        if transport is None:  # closed as soon as it was opened
            return _refused("the server closed the connection")
        self._reader, self._ended = ReplyReader(), self._loop.create_future()
        sent_ns = time.monotonic_ns()
        transport.write(message)
        try:
            closed = await asyncio.wait_for(self._ended, timeout_s)
        except TimeoutError:
            reply = self._reader.finish(closed=False)
            if reply.error_kind is None:
                reply.error_kind, reply.error = "timeout", f"no complete reply within {timeout_s:g} s"
            self.close()
            return Exchange(sent_ns, reply, connect_ns)
        except asyncio.CancelledError:
            self.cut = Exchange(sent_ns, self._reader.finish(closed=False), connect_ns)
            self.close()
            raise
        finally:
            reader, self._reader, self._ended = self._reader, None, None
        if not closed and not reader.reusable:
            self.close()
        return Exchange(sent_ns, reader.finish(closed=closed), connect_ns)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self._reads.clear()

    async def _connect(self) -> None:
        address = self._address
        name = address.host if address.tls is not None else None
        self._reads.clear()
        await self._loop.create_connection(
            lambda: self, address.ip, address.port, ssl=address.tls, server_hostname=name
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has set TCP_NODELAY."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's signature)
        """Return the buffer that every read uses."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Stamp a read; it is parsed in the loop's next round."""
        self._reads.append(Read(time.monotonic_ns(), bytes(self._view[:nbytes])))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._parse)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the reply in progress after what was read of it; a broken connection ends no body without a length."""
        self._transport = None
        self._parse()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(exc is None)

    def _parse(self) -> None:
        self._scheduled = False
        reader, ended = self._reader, self._ended
        if reader is None or ended is None or ended.done():
            if self._reads:  # nobody asked for these bytes
                self.close()
            return
        while self._reads:
            reader.feed(self._reads.popleft())
        if reader.complete:
            ended.set_result(False)


def _refused(why: str) -> Exchange:
    return Exchange(time.monotonic_ns(), Reply(error=why, error_kind="refused"))
