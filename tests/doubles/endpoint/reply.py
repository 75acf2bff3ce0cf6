"""One reply of the server as a timed script: its events, and how HTTP carries them. Faults change the script."""

import gzip
import json
from dataclasses import dataclass, field

DONE = b"data: [DONE]\n\n"


@dataclass
class Part:
    """One event, sent at a time after the server began with the request."""

    at_s: float
    data: bytes
    tokens: int = 0


@dataclass
class Script:
    """A whole reply."""

    parts: list[Part]
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream; charset=utf-8"})
    framing: str = "chunked"  # or `length`, or `close`
    length_error: int = 0  # bytes that the stated length is off
    compressed: bool = False
    end: str = "keep"  # or `close`, `reset`, `silent`
    piece_bytes: int = 0  # of one write; 0 writes an event at once

    def head(self):
        headers = dict(self.headers)
        if self.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif self.framing == "length":
            body = sum(len(part.data) for part in self.parts)
            headers["Content-Length"] = str(body + self.length_error)
        else:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def framed(self):
        """Yield time, bytes on the wire and tokens of each part."""
        chunked = self.framing == "chunked"
        for part in self.parts:
            if part.data:
                data = b"%x\r\n%b\r\n" % (len(part.data), part.data) if chunked else part.data
                yield part.at_s, data, part.tokens
        if chunked and self.end == "keep":
            yield (self.parts[-1].at_s if self.parts else 0.0), b"0\r\n\r\n", 0

    def compress(self):
        """Compress the body into one part; the head says so."""
        body = gzip.compress(b"".join(part.data for part in self.parts))
        self.parts = [Part(self.parts[-1].at_s, body, sum(part.tokens for part in self.parts))]
        self.headers["Content-Encoding"] = "gzip"


def event(document):
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def answer(body, setup, prompt_tokens, cached):
    """Return the script of a request's honest reply.

    Parameters
    ----------
    body
        The JSON of the request.
    setup
        How the server answers.
    prompt_tokens, cached
        Tokens of the prompt, and those of them that come from the prefix cache.
    """
    wanted = body.get("max_completion_tokens") or body.get("max_tokens") or 16
    tokens = wanted if setup.stop_after is None else min(wanted, setup.stop_after)
    options = body.get("stream_options") or {}
    first_s = setup.first_token_s * (0.1 if cached else 1.0)
    parts = []
    chat = "messages" in body
    if chat:
        parts.append(Part(0.0, event(_choice({"role": "assistant", "content": ""}, None, chat=True))))
    continuous = setup.counts == "continuous" and options.get("continuous_usage_stats")
    for done in range(0, tokens, setup.per_chunk):
        count = min(setup.per_chunk, tokens - done)
        text = " tok" * count
        document = _choice({"content": text} if chat else text, None, chat=chat)
        if setup.counts == "token_ids" and body.get("return_token_ids"):
            document["choices"][0]["token_ids"] = list(range(count))
        if continuous:
            document["usage"] = _usage(prompt_tokens, done + count, cached)
        parts.append(Part(first_s + (done + count - 1) * setup.token_s, event(document), count))
    last_s = parts[-1].at_s if tokens else first_s
    finish = "stop" if setup.stop_after is not None and tokens < wanted else "length"
    parts.append(Part(last_s, event(_choice({} if chat else "", finish, chat=chat))))
    if setup.counts != "none" and options.get("include_usage"):
        parts.append(Part(last_s, event({"choices": [], "usage": _usage(prompt_tokens, tokens, cached)})))
    parts.append(Part(last_s, DONE))
    return Script(parts)


def _choice(content, finish, *, chat):
    return {"id": "x", "choices": [{"index": 0, "delta" if chat else "text": content, "finish_reason": finish}]}


def _usage(prompt, output, cached):
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
