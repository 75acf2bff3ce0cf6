"""A server that answers at once or at a fixed pace and computes nothing: the ceiling of the client itself.

What the client reaches against it, with as many streams and chunks as in a run, is the most that it could have seen.
"""

import asyncio
import json
import re
from dataclasses import dataclass

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of every reply."""

    tokens: int  # in each reply
    token_s: float = 0.0  # [s] from one token to the next; 0 sends a reply in one piece
    first_token_s: float = 0.0  # [s] from the request to the first token


class NullServer:
    """The server of one event loop."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.chunks = [_chunk(position, pace.tokens) for position in range(pace.tokens)]
        self.streams: set[_Stream] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1") -> int:
        """Listen on a free port of an address and return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Stream(self), host, 0, backlog=4096)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        for stream in tuple(self.streams):
            stream.close()


class _Stream(asyncio.Protocol):
    """One connection, which carries one request after the other."""

    def __init__(self, server: NullServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._received = b""
        self._due_s = 0.0  # of the next token, by the loop's clock
        self._position = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._server.streams.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._server.streams.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        head, mark, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length: *([0-9]+)", head)
        if not mark or (length is not None and len(body) < int(length[1])):
            return
        self._received = b""
        pace = self._server.pace
        if pace.token_s == 0.0 and pace.first_token_s == 0.0:
            self._write(_HEAD + b"".join(self._server.chunks) + _END)
            return
        self._write(_HEAD)
        self._position = 0
        self._due_s = self._loop.time() + pace.first_token_s
        self._timer = self._loop.call_at(self._due_s, self._send)

    def _send(self) -> None:
        """Send the token that is due; the schedule is that of the first token, so that no delay adds up."""
        chunk = self._server.chunks[self._position]
        self._position += 1
        if self._position == len(self._server.chunks):
            self._write(chunk + _END)
            return
        self._write(chunk)
        self._due_s += self._server.pace.token_s
        self._timer = self._loop.call_at(self._due_s, self._send)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _chunk(position: int, tokens: int) -> bytes:
    """Return the chunk of one token, with the running total as a server states it."""
    choice = {"index": 0, "text": " tok", "logprobs": None, "finish_reason": None}
    if position + 1 == tokens:
        choice["finish_reason"] = "length"
    usage = {"prompt_tokens": 1, "completion_tokens": position + 1, "total_tokens": position + 2}
    document = {"id": "null-0", "object": "text_completion", "model": "null", "choices": [choice], "usage": usage}
    event = b"data: " + json.dumps(document).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)
