"""The HTTP server of the page: GET alone, on the loopback address alone, with server-sent events.

References
----------
WHATWG HTML, section 9.2 (Server-sent events). A page of another site cannot read it: the Host header must name this
machine, so that a name that was pointed at 127.0.0.1 (DNS rebinding) is refused.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from bench.live.follow import Follower, as_event
from hardware_profiles.errors import InputError

HOST = "127.0.0.1"
LOOK_S = 0.5  # [s] between looks at the log
_BUSY = 20.0  # a look is followed by a pause of this many times its own length: at most 5 % of a core
BEAT_S = 15.0  # [s] between comments on a silent stream, which tell a closed connection
SEND_S = 20.0  # [s] that a browser may take to accept what waits for it
MOST_STREAMS = 16
_REQUEST_S, _REQUEST_BYTES = 10.0, 16_384
_WAITING_BYTES = 65_536  # that the server, and the system for it, hold for a slow browser
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    f"Content-Security-Policy: {_POLICY}",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cache-Control: no-store",
    "Connection: close",
)
_WORDS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 421: "Misdirected Request"}
_WORDS |= {503: "Service Unavailable"}


class _Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]  # by name in small letters


async def serve_page(log_path: Path, port: int, started: Callable[[int], None] | None = None) -> None:
    """Serve the page of a site until this task is cancelled.

    Parameters
    ----------
    log_path
        The audit log, which need not exist yet; or the folder of a site, in which `current` names the folder in use.
    port
        Port on 127.0.0.1; 0 for any that is free.
    started
        Called with the port once the page is served.

    Raises
    ------
    InputError
        The port is not free.
    """
    follower = Follower(log_path)
    await asyncio.to_thread(follower.look)  # a browser that comes back at once finds the place that it names
    page = _Page(follower)
    try:
        server = await asyncio.start_server(page.answer, HOST, port, limit=_REQUEST_BYTES)
    except OSError as error:
        raise InputError.at("--page", expected=f"a port that is free ({error.strerror})", got=port) from None
    async with server:
        page.port = server.sockets[0].getsockname()[1]
        if started is not None:
            started(page.port)
        try:
            await page.follow()
        finally:
            page.close()


class _Page:
    """What all connections share."""

    def __init__(self, follower: Follower) -> None:
        self.port = 0
        self._follower = follower
        self._grown = asyncio.Condition()
        self._streams = 0
        self._connections: set[asyncio.Task[None]] = set()
        folder = resources.files("bench.live")
        self._files = {at: (folder.joinpath(name).read_bytes(), kind) for at, (name, kind) in _FILES.items()}

    async def follow(self) -> None:
        """Look at the log again and again, in a thread, so that a long row stops nothing else."""
        while True:
            began_s = time.monotonic()
            is_new = await asyncio.to_thread(self._follower.look)
            if is_new:
                async with self._grown:
                    self._grown.notify_all()
            await asyncio.sleep(max(LOOK_S, _BUSY * (time.monotonic() - began_s)))

    def close(self) -> None:
        """End the connections."""
        for connection in self._connections:
            connection.cancel()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection."""
        connection = asyncio.current_task()
        if connection is not None:
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)
        writer.transport.set_write_buffer_limits(_WAITING_BYTES)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING_BYTES)
        try:
            await self._serve(await asyncio.wait_for(_read(reader), _REQUEST_S), writer)
        except ConnectionError:  # the browser has left
            pass
        except (TimeoutError, asyncio.CancelledError):  # a browser that takes nothing, or the end of the page
            writer.transport.abort()  # closing would wait until what is left is taken
        finally:
            writer.close()

    async def _serve(self, request: _Request | None, writer: asyncio.StreamWriter) -> None:
        refusal = self._refusal(request)
        if request is None or refusal:
            await _send(writer, refusal or 400, f"{_WORDS[refusal or 400]}\n".encode())
        elif request.path == "/events" and request.method == "GET":
            self._streams += 1
            try:
                await self._stream(request.headers.get("last-event-id", ""), writer)
            finally:
                self._streams -= 1
        else:
            content, kind = self._files.get(request.path, (b"", "text/event-stream"))
            await _send(writer, 200, content, kind, is_head=request.method == "HEAD")

    def _refusal(self, request: _Request | None) -> int:
        """Return the status with which a request is refused; 0 if it is not."""
        if request is None:
            return 400
        if request.headers.get("host", "").lower() not in {f"{name}:{self.port}" for name in (HOST, "localhost")}:
            return 421
        if request.method not in {"GET", "HEAD"}:
            return 405
        if request.path not in {*_FILES, "/events"}:
            return 404
        return 503 if request.path == "/events" and self._streams >= MOST_STREAMS else 0

    async def _stream(self, last: str, writer: asyncio.StreamWriter) -> None:
        """Send the history, then each cycle as it comes; what a slow browser misses is left out, never stored."""
        writer.write(_head(200, "text/event-stream"))
        writer.write(b"retry: 1000\n\n")
        seen, log = next(
            ((each.number, self._follower.log) for each in self._follower.shown if each.place == last), (0, "")
        )
        while True:
            shown = self._follower.shown
            if log != self._follower.log or (shown and seen < shown[0].number - 1):
                log = self._follower.log
                seen = shown[-1].number if shown else self._follower.number
                writer.write(as_event("history", shown[-1].place if shown else "", [each.figures for each in shown]))
            for each in shown:
                if each.number > seen:
                    writer.write(as_event("cycle", each.place, each.figures))
                    seen = each.number
            await asyncio.wait_for(writer.drain(), SEND_S)
            async with self._grown:
                try:
                    await asyncio.wait_for(self._grown.wait_for(lambda: self._has_news(seen, log)), BEAT_S)  # noqa: B023
                except TimeoutError:
                    writer.write(b": the log is silent\n\n")

    def _has_news(self, seen: int, log: str) -> bool:
        return self._follower.number > seen or self._follower.log != log


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """Return a request, or None if it is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    words = first.split(" ")
    fields = [line.partition(":") for line in lines]
    names = [name.lower() for name, _, _ in fields]
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or names.count("host") != 1:
        return None
    headers = {name.lower(): value.strip() for name, _, value in fields}
    return _Request(words[0], words[1].partition("?")[0], headers)


def _head(status: int, kind: str, *more: str) -> bytes:
    lines = (f"HTTP/1.1 {status} {_WORDS[status]}", f"Content-Type: {kind}", *_HEADERS, *more)
    return "\r\n".join((*lines, "", "")).encode("ascii")


async def _send(
    writer: asyncio.StreamWriter, status: int, content: bytes, kind: str = "text/plain", *, is_head: bool = False
) -> None:
    allow = ("Allow: GET, HEAD",) if status == 405 else ()
    writer.write(_head(status, kind, f"Content-Length: {len(content)}", *allow))
    if not is_head:
        writer.write(content)
    await asyncio.wait_for(writer.drain(), SEND_S)
