"""A server that computes nothing and writes prepared chunks, at a pace or as fast as they are taken.

What the client reaches against it, with as many streams and as large chunks as in a run, is the most that it could have
seen in the run. Inference servers write each chunk by itself; gateways and full sockets join several.
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import re
import sys
from dataclasses import dataclass

from bench.machine.processes import open_many_files

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
_LENGTH = re.compile(rb"(?im)^content-length: *([0-9]{1,9})")
_WANTED = re.compile(rb'"max_(?:completion_)?tokens": ?([0-9]{1,9})')
_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """The replies of the server, all alike."""

    tokens: int = 0  # in each reply; 0 takes the length that the request asks for
    tokens_per_chunk: int = 1
    chunk_bytes: int = 0  # [byte] of an event with its frame, at least
    chunks_per_write: int = 1
    chat: bool = False
    token_s: float = 0.0  # [s] from one chunk to the next; 0 writes as fast as the client reads
    first_token_s: float = 0.0  # [s] from the request to the first chunk


class NullServer:
    """The server of one event loop."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.chunk, self.last_chunk = chunk(answer), chunk(answer, "length") + _END
        self.chunks = self.chunk * answer.chunks_per_write  # of a write
        self.streams: set[_Stream] = set()
        self._server: asyncio.Server | None = None
        self._due: list[tuple[float, int, _Stream]] = []  # a heap: the time of the next chunk of each stream
        self._turn = itertools.count()
        self._timer: asyncio.Handle | None = None

    async def start(self, host: str = "127.0.0.1") -> int:
        """Listen on a free port of an address and return the port."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Stream(self), host, 0, backlog=_BACKLOG)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        for stream in tuple(self.streams):
            stream.close()

    def enqueue(self, stream: "_Stream", due_s: float) -> None:
        """Write the next chunk of a stream at a time of the loop's clock."""
        heapq.heappush(self._due, (due_s, next(self._turn), stream))
        if self._timer is None or due_s <= self._due[0][0]:
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._due[0][0], self._write_due) if self._due else None

    def _write_due(self) -> None:
        """Write the next chunks to each stream whose time has come, in turn; no delay adds up."""
        now_s = asyncio.get_running_loop().time()
        due, pace_s = self._due, self.answer.token_s
        for _ in range(len(due)):
            due_s, _, stream = due[0]
            if due_s > now_s:
                break
            if stream.write():
                heapq.heapreplace(due, (due_s + pace_s if pace_s else now_s, next(self._turn), stream))
            else:
                heapq.heappop(due)
        self._timer = None
        self._wait()


class _Stream(asyncio.Protocol):
    """One connection, which carries one request after the other."""

    def __init__(self, server: NullServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._chunks_left = 0
        self._is_full = False  # whether the client reads too slowly for another chunk

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._server.streams.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._server.streams.discard(self)
        self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._chunks_left:
            self._server.enqueue(self, self._loop.time())

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        head, mark, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not mark or (length is not None and len(body) < int(length[1])):
            return
        self._received = b""
        answer = self._server.answer
        wanted = _WANTED.search(body)
        tokens = answer.tokens or (int(wanted[1]) if wanted is not None else 1)
        self._chunks_left = max(1, round(tokens / answer.tokens_per_chunk))
        if self._transport is not None:
            self._transport.write(_HEAD)
        self._server.enqueue(self, self._loop.time() + answer.first_token_s)

    def write(self) -> bool:
        """Write the next chunks at once; return whether others may follow."""
        if self._transport is None:
            return False
        server = self._server
        self._chunks_left -= server.answer.chunks_per_write
        if self._chunks_left > 0:
            self._transport.write(server.chunks)
            return not self._is_full
        earlier = self._chunks_left + server.answer.chunks_per_write - 1
        self._chunks_left = 0
        self._transport.write(server.chunk * earlier + server.last_chunk)
        return False


def chunk(answer: Answer, finish_reason: str | None = None) -> bytes:
    """Return the frame of one event, with the ids of its tokens as a server states them."""
    text = " tok" * answer.tokens_per_chunk
    content = {"delta": {"content": text}} if answer.chat else {"text": text}
    ids = list(range(1000, 1000 + answer.tokens_per_chunk))
    choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish_reason, "token_ids": ids}
    document = {"id": "null-0", "object": "text_completion", "created": 0, "model": "null", "choices": [choice]}
    event = _event(document)
    missing = answer.chunk_bytes - len(_framed(event))
    return _framed(event if missing <= 0 else _event({**document, "system_fingerprint": "x" * missing}))


def _event(document: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


async def _serve(answer: Answer) -> None:
    server = NullServer(answer)
    sys.stdout.write(f"{await server.start()}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.stop()


def main() -> None:
    """Serve on a free port, which goes to standard output, until standard input ends."""
    open_many_files()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Answer(**json.loads(sys.argv[1]))))
