"""The server itself, in a thread of its own: slots with a queue, an exact token clock, and counters that are exact."""

import asyncio
import contextlib
import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from doubles.endpoint.faults import FAULTS
from doubles.endpoint.pages import PAGES
from doubles.endpoint.reply import answer


@dataclass
class Setup:
    """How the server answers."""

    token_s: float = 0.005  # from one token to the next
    first_token_s: float = 0.02  # from the slot to the first token
    per_chunk: int = 1  # tokens of a chunk
    slots: int | None = None  # requests worked on at a time; the others wait in its queue
    cap: int | None = None  # requests that a proxy lets through at a time; the server does not see the others
    style: str = "vllm"  # of its page of metrics, or empty for none
    counts: str = "token_ids"  # or `continuous`, `usage`, `none`
    stop_after: int | None = None  # tokens after which every answer ends by itself
    prefix_cache: bool = False
    other_tokens_per_s: float = 0.0  # of another client, in the counters alone
    other_running: int = 0
    rejected: tuple[str, ...] = ()  # fields of a request that it answers with 400
    fault: str = ""  # of FAULTS
    faulty: object = staticmethod(lambda _number: True)  # whether the request of this number meets the fault


@dataclass
class Served:
    """The truth about one request [s, monotonic]."""

    arrived_s: float
    prompt_tokens: int
    sent_s: list[float] = field(default_factory=list)  # of the chunks
    sent_tokens: list[int] = field(default_factory=list)


class Double:
    """The server of one event loop."""

    def __init__(self, setup):
        self.setup = setup
        self.served = []
        self.connections = set()
        self.most_connections = self.opened = 0
        self.requests = 0  # completions that came
        self.bodies = []
        self.prompt_tokens = self.output_tokens = self.ended = self.hits = 0
        self.running, self.begun, self.queued_s = 0, 0, 0.0
        self.queue, self.behind_proxy = deque(), deque()
        self._through = 0
        self.whole = {}  # replies that are sent at once, so that the server costs nothing
        self._seen = set()
        self._server = None
        self._began_s = time.monotonic()

    async def start(self, port=0, tls=None):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Stream(self), "127.0.0.1", port, ssl=tls, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self):
        """Go away: the port and every connection."""
        self._server.close()
        for stream in tuple(self.connections):
            stream.transport.abort()

    def sent_between(self, start_s, end_s):
        """Return the tokens that were sent between two times by the server's own clock [s, monotonic]."""
        sent = (pair for one in self.served for pair in zip(one.sent_s, one.sent_tokens, strict=True))
        return sum(tokens for at_s, tokens in sent if start_s <= at_s < end_s)

    def page(self):
        since_s = time.monotonic() - self._began_s
        return PAGES[self.setup.style](
            self, self.output_tokens + round(since_s * self.setup.other_tokens_per_s), self.running
            + self.setup.other_running
        )  # fmt: skip

    def cached(self, prompt):
        """Return the tokens of a prompt that the prefix cache holds, and keep it."""
        key = tuple(prompt) if isinstance(prompt, list) else prompt
        known, tokens = key in self._seen, length(prompt)
        self._seen.add(key)
        hits = tokens - 1 if known and self.setup.prefix_cache else 0
        self.hits += hits
        return hits

    def admit(self, stream):
        """Begin with a request, or let it wait."""
        if self.setup.cap is not None and self._through >= self.setup.cap:
            self.behind_proxy.append(stream)
            return
        self._through += 1
        self._enqueue(stream)

    def leave(self, stream, *, ended):
        """Take note that a request has ended or was cut."""
        for queue in (self.behind_proxy, self.queue):
            if stream in queue:
                queue.remove(stream)
                self._through -= queue is self.queue
                return
        self.running -= 1
        self._through -= 1
        self.ended += ended
        if self.queue and (self.setup.slots is None or self.running < self.setup.slots):
            self._run(self.queue.popleft())
        if self.behind_proxy:
            self._through += 1
            self._enqueue(self.behind_proxy.popleft())

    def _enqueue(self, stream):
        if self.setup.slots is not None and self.running >= self.setup.slots:
            self.queue.append(stream)
        else:
            self._run(stream)

    def _run(self, stream):
        self.running += 1
        self.begun += 1
        self.queued_s += time.monotonic() - stream.served.arrived_s
        stream.begin()


class Stream(asyncio.Protocol):
    """One connection."""

    def __init__(self, server):
        self.server = server
        self.loop = asyncio.get_running_loop()
        self.received = b""
        self.busy = False
        self.timer = None

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.add(self)
        self.server.opened += 1
        self.server.most_connections = max(self.server.most_connections, len(self.server.connections))

    def connection_lost(self, _exc):
        self.server.connections.discard(self)
        if self.timer is not None:
            self.timer.cancel()
        if self.busy:
            self.busy = False
            self.server.leave(self, ended=False)

    def data_received(self, data):
        self.received += data
        head, mark, rest = self.received.partition(b"\r\n\r\n")
        length_ = re.search(rb"(?im)^content-length: *([0-9]+)", head)
        size = int(length_[1]) if length_ else 0
        if not mark or len(rest) < size:
            return
        self.received = rest[size:]
        method, path, _ = head.split(b" ", 2)
        if method == b"POST" and path.endswith((b"/completions", b"/chat/completions")):
            self.complete(json.loads(rest[:size]))
        else:
            self.get(path.decode().partition("?")[0])

    def get(self, path):
        kind, text, status = "application/json", "", "200 OK"
        if path.endswith("/v1/models"):
            text = json.dumps({"data": [{"id": "double", "max_model_len": 100_000}]})
        elif path.endswith("/metrics") and self.server.setup.style:
            kind, text = "text/plain", self.server.page()
        else:
            status = "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        self.transport.write((head + text).encode())
        self.transport.close()

    def complete(self, body):
        server = self.server
        server.bodies.append(body)
        prompt = body.get("prompt") if "prompt" in body else body["messages"][0]["content"]
        tokens = length(prompt)
        bad = [name for name in server.setup.rejected if name in body]
        cached = server.cached(prompt)
        self.served = Served(time.monotonic(), tokens)
        self.key = json.dumps({**body, "prompt": tokens, "messages": "messages" in body, "cached": cached})
        if self.key in server.whole:
            self.script = server.whole[self.key][0]
        else:
            self.script = answer(body, server.setup, tokens, cached)
        if bad:
            FAULTS["status 400"](self.script)
        elif server.setup.fault and server.setup.faulty(server.requests):
            FAULTS[server.setup.fault](self.script)
        server.requests += 1
        server.prompt_tokens += tokens
        server.served.append(self.served)
        self.busy = True
        server.admit(self)

    def begin(self):
        """Play the script from now on."""
        setup = self.server.setup
        if setup.token_s == 0.0 and setup.first_token_s == 0.0 and not setup.fault and not setup.rejected:
            self.send_whole()
            return
        self.began_s = self.loop.time()
        self.writes = self.script.framed()
        self.transport.write(self.script.head())
        self.next = next(self.writes, None)
        self.play()

    def send_whole(self):
        """Send the whole reply in one write, which is prepared once for all requests alike."""
        if self.key not in self.server.whole:
            parts = list(self.script.framed())
            data = self.script.head() + b"".join(data for _, data, _ in parts)
            self.server.whole[self.key] = self.script, data, sum(tokens for _, _, tokens in parts)
        _, data, tokens = self.server.whole[self.key]
        self.transport.write(data)
        self.served.sent_s.append(time.monotonic())
        self.served.sent_tokens.append(tokens)
        self.server.output_tokens += tokens
        self.finish()

    def play(self):
        """Write what is due; the times are those of the script, so that no delay adds up."""
        if self.transport.is_closing():
            return
        while self.next is not None:
            at_s, data, tokens = self.next
            due_s = self.began_s + at_s
            if due_s > self.loop.time() and at_s > 0.0:
                self.timer = self.loop.call_at(due_s, self.play)
                return
            if tokens:
                self.served.sent_s.append(time.monotonic())
                self.served.sent_tokens.append(tokens)
                self.server.output_tokens += tokens
            if self.script.piece_bytes:
                self.loop.create_task(self.dribble(data))
                return
            self.transport.write(data)
            self.next = next(self.writes, None)
        self.finish()

    async def dribble(self, data):
        """Write in small pieces; the other side may read each by itself."""
        for at in range(0, len(data), self.script.piece_bytes):
            self.transport.write(data[at : at + self.script.piece_bytes])
            await asyncio.sleep(0)
        self.next = next(self.writes, None)
        self.play()

    def finish(self):
        end = self.script.end
        if end == "silent":
            return
        self.busy = False
        self.server.leave(self, ended=end == "keep")
        if end == "reset":
            self.transport.abort()
        elif end == "close" or self.script.framing == "close":
            self.transport.close()


def length(prompt):
    """Return the tokens of a prompt: its ids, or two for each word and three for the template."""
    return len(prompt) if isinstance(prompt, list) else 3 + 2 * len(prompt.split())


@contextlib.contextmanager
def serving(setup=None, *, port=0, tls=None):
    """Run the server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = Double(setup or Setup())
    server.loop = loop
    asyncio.run_coroutine_threadsafe(server.start(port, tls), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server):
    server.stop()
    await asyncio.sleep(0.01)
