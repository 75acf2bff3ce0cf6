"""One connection's socket: lines cut from bytes, and every limit that a hostile client meets."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from bench.stratum.limits import Allowance, Limits
from bench.stratum.messages import MalformedLineError, read_request

if TYPE_CHECKING:
    from bench.stratum.session import Session

_HTTP = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"PRI * HTTP/2")
_DEAD_AFTER_S = 90.0  # [s] without an acknowledgement of what was sent, as after a power cut
_TLS_HANDSHAKE = b"\x16\x03"


class Connection(asyncio.Protocol):
    """The bytes of one connection.

    Parameters
    ----------
    limits
        What the client may use.
    clock
        The present [s, monotonic].
    open_session
        Returns the session of a new connection, or None if there are too many.
    closed
        Is called with the connection after it was closed.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        open_session: Callable[["Connection", tuple[str, int]], "Session | None"],
        closed: Callable[["Connection"], None],
    ) -> None:
        self.session: Session | None = None
        self._limits, self._clock, self._open_session, self._closed = limits, clock, open_session, closed
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that hold no line feed
        self._line_since_s = 0.0  # [s, monotonic] when the unfinished line began
        self._malformed = 0
        self._allowance = Allowance(limits.messages_s, limits.burst_messages, clock())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the session, or close the connection at once if there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        host, port, *_ = self._transport.get_extra_info("peername") or ("unknown", 0)
        with contextlib.suppress(OSError, AttributeError):  # not on every system
            client: socket.socket = self._transport.get_extra_info("socket")
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000.0 * _DEAD_AFTER_S))
        self.session = self._open_session(self, (str(host), int(port)))
        if self.session is None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """End the session; an unfinished line is noted."""
        if self.session is None:
            return
        if not self.session.end_reason:
            self.session.end_reason = "closed by the client"
            if self._buffer:
                self.session.note("half a line", f"{len(self._buffer)} bytes")
            elif not self.session.working:
                self.session.note("closed before it was authorized")
        self._buffer = bytearray()
        self._closed(self)

    def data_received(self, data: bytes) -> None:
        """Handle every whole line."""
        if self.session is None or self.session.end_reason:
            return
        now_s = self._clock()
        if not self._buffer:
            self._line_since_s = now_s
        self._buffer += data
        start = 0
        while not self.session.end_reason:
            end = self._buffer.find(b"\n", max(start, self._searched))
            line_bytes = (end if end >= 0 else len(self._buffer)) - start
            if line_bytes > self._limits.line_bytes:
                self.close("line too long", f"more than {self._limits.line_bytes} bytes")
                return
            if end < 0:
                break
            self._handle_line(bytes(self._buffer[start:end]), now_s)
            start, self._line_since_s = end + 1, now_s
        del self._buffer[:start]
        self._searched = len(self._buffer)

    def send(self, lines: list[bytes]) -> None:
        """Send lines; a client that reads none of its answers is closed."""
        if self._transport is None or self._transport.is_closing() or not lines:
            return
        self._transport.write(b"".join(lines))
        if self._transport.get_write_buffer_size() > self._limits.unsent_bytes:
            self.close("takes no answers")

    def check_times(self, now_s: float) -> None:
        """Close the connection if it is late with its subscription or with the rest of a line."""
        if self.session is None or self.session.end_reason:
            return
        if not self.session.working and now_s - self.session.connected_s > self._limits.subscribe_s:
            self.close("not authorized in time", f"within {self._limits.subscribe_s:g} s")
        elif self._buffer and now_s - self._line_since_s > self._limits.half_line_s:
            self.close("line not ended in time", f"within {self._limits.half_line_s:g} s")

    def close(self, reason: str, detail: str = "") -> None:
        """Close the connection, with a notice of the reason; answers that were not sent are dropped."""
        if self.session is not None and not self.session.end_reason:
            self.session.end_reason = reason
            self.session.note(reason, detail)
        self._buffer = bytearray()
        if self._transport is not None:
            self._transport.abort()

    def shut(self) -> None:
        """Close the connection because the server stops; no notice."""
        if self.session is not None and not self.session.end_reason:
            self.session.end_reason = "the server stopped"
        if self._transport is not None:
            self._transport.abort()

    def _handle_line(self, line: bytes, now_s: float) -> None:
        session = self.session
        if session is None:
            return
        if not self._allowance.take(1.0 + len(line) // 1024, now_s):
            self.close("too many messages", f"more than {self._limits.messages_s:g} a second")
            return
        stripped = line.strip()
        if not stripped:
            return
        try:
            request = read_request(stripped)
        except MalformedLineError as error:
            self._count_malformed(stripped, str(error))
            return
        if request is not None:
            self.send(list(session.handle(request, now_s)))

    def _count_malformed(self, line: bytes, fault: str) -> None:
        if line.startswith(_HTTP):
            self.close("speaks HTTP")
        elif line.startswith(_TLS_HANDSHAKE):
            self.close("speaks TLS")
        elif self.session is not None:
            self.session.note("malformed line", fault)
            self._malformed += 1
            if self._malformed >= self._limits.malformed_lines:
                self.close("too many malformed lines", f"{self._malformed}")
