"""One persistent connection to a server: requests in turn, each read of a reply stamped before it is parsed.

All connections of a loop read into one buffer that is used again. The stamp is taken first and the parsing is put off
to the loop's next round, so that the reads that are ready together are all stamped before any of them is parsed.
"""

import asyncio
import os
import ssl
import time
from dataclasses import dataclass

from bench.endpoint.stream.reply import Read, Reply, ReplyReader

BUFFER_BYTES = 2**18
END_S = 2.0  # [s] from the end mark of a stream to the end of its HTTP body, at most


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


class Intake:
    """What the connections of one loop share: the buffer of their reads, and the reads that wait to be parsed."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(BUFFER_BYTES))  # a read is copied out of it before the next one begins
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Connection, ReplyReader | None, Read]] = []

    def add(self, connection: "Connection", reader: ReplyReader | None, nbytes: int) -> None:
        """Stamp a read of `nbytes`; it is parsed in the loop's next round, with all others of this one."""
        if not self._waiting:
            self._loop.call_soon(self.parse)
        self._waiting.append((connection, reader, Read(time.monotonic_ns(), bytes(self.view[:nbytes]))))

    def parse(self) -> None:
        """Parse what was read so far."""
        waiting, self._waiting = self._waiting, []
        for connection, reader, read in waiting:
            connection.take(reader, read)


class Connection(asyncio.BufferedProtocol):
    """A connection that is opened when a request needs it and kept until the server closes it.

    Parameters
    ----------
    address
        The server.
    intake
        The intake that all connections of one loop share.
    """

    def __init__(self, address: Address, intake: Intake) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._intake, self._view = intake, intake.view
        self._transport: asyncio.Transport | None = None
        self._reader: ReplyReader | None = None
        self._ended: asyncio.Future[bool] | None = None  # whether the server closed the connection in order
        self._late: asyncio.TimerHandle | None = None  # when the body of a stream that has its end mark must have ended
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
            if why := await self._open(connect_timeout_s):
                return _refused(why)
            connect_ns = time.monotonic_ns() - before_ns
        transport = self._transport
        if transport is None:  # closed as soon as it was opened
            return _refused("the server closed the connection")
        self._reader, self._ended = ReplyReader(), self._loop.create_future()
        sent_ns = time.monotonic_ns()
        transport.write(message)
        try:
            async with asyncio.timeout(timeout_s):  # `wait_for` drops a cancellation that comes with the reply
                closed = await self._ended
        except TimeoutError:
            self._intake.parse()
            reply = self._reader.finish(closed=False)
            if reply.error_kind is None:
                reply.error_kind, reply.error = "timeout", f"no complete reply within {timeout_s:g} s"
            self.close()
            return Exchange(sent_ns, reply, connect_ns)
        except asyncio.CancelledError:
            self._intake.parse()
            self.cut = Exchange(sent_ns, self._reader.finish(closed=False), connect_ns)
            self.close()
            raise
        finally:
            reader, self._reader, self._ended = self._reader, None, None
            if self._late is not None:
                self._late.cancel()
                self._late = None
        if not closed and not reader.reusable:
            self.close()
        return Exchange(sent_ns, reader.finish(closed=closed), connect_ns)

    @property
    def last_text_ns(self) -> int:
        """When the last text of the reply in progress came [ns, monotonic]; 0 if none has."""
        chunks = self._reader.reply.chunks if self._reader is not None else None
        return chunks[-1].time_ns if chunks else 0

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    async def _open(self, timeout_s: float) -> str:
        """Open a connection; return why there is none, or an empty text."""
        address = self._address
        name = address.host if address.tls is not None else None
        try:
            async with asyncio.timeout(timeout_s):
                await self._loop.create_connection(
                    lambda: self, address.ip, address.port, ssl=address.tls, server_hostname=name
                )
        except TimeoutError:
            return f"no connection within {timeout_s:g} s"
        except ssl.SSLError as error:
            return f"TLS: {error.reason or error}"
        except OSError as error:
            return os.strerror(error.errno) if error.errno else str(error)
        return ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has set TCP_NODELAY."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's signature)
        """Return the buffer that every read uses."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Stamp a read."""
        self._intake.add(self, self._reader, nbytes)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the reply in progress after what was read of it; a broken connection ends no body without a length."""
        self._intake.parse()
        self._transport = None
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(exc is None)

    def take(self, reader: ReplyReader | None, read: Read) -> None:
        """Parse a read of the reply that `reader` reads; it was the present one when the bytes came."""
        if reader is None:
            self.close()  # nobody asked for these bytes
        elif reader is self._reader and self._ended is not None:
            reader.feed(read)
            if reader.complete:
                self._end()
            elif reader.reply.done and self._late is None:
                self._late = self._loop.call_later(END_S, self._end_late)

    def _end_late(self) -> None:
        """End a reply whose body goes on after its end mark, so that it does not hold its slot until the timeout."""
        self._intake.parse()
        self._late = None
        if self._reader is not None and self._reader.reply.done and not self._reader.complete:
            self._reader.give_up()
            self._end()

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(False)


def _refused(why: str) -> Exchange:
    return Exchange(time.monotonic_ns(), Reply(error=why, error_kind="refused"))
