"""One reply of an inference server: its text chunks with times, its token counts and its outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from bench.endpoint.stream.http import BadHttpError, ResponseDecoder
from bench.endpoint.stream.sse import LARGEST_EVENT, Event, EventParser, EventTooLongError

Outcome = Literal["ok", "short", "truncated", "empty", "error_http", "error_stream", "malformed", "timeout", "refused"]
"""`ok` has the requested length; `short` ended by itself before it; the others have no latency."""
_UNSAID: dict[str, str] = {
    "short": "the answer ended before the requested length",
    "truncated": "the reply ended before its end mark",
    "empty": "the reply has no text and no tokens",
}
_DONE = b"[DONE]"
_LONGEST_DETAIL = 200
_ANSWER, _OTHER = frozenset({"text", "content"}), frozenset({"reasoning_content", "reasoning", "tool_calls"})


class Read(NamedTuple):
    """The bytes of one read from the socket."""

    time_ns: int  # monotonic, taken before the bytes are looked at
    data: bytes


class Chunk(NamedTuple):
    """One event that carried text or tokens. A chunk is not a token: servers send one to many in each."""

    time_ns: int  # of the read that completed the event
    answer_chars: int  # characters of the answer
    other_chars: int  # characters of reasoning and of tool calls
    token_ids: int | None  # number of token ids, where the server sends them
    usage_tokens: int | None  # output tokens up to here, where the server counts on


@dataclass(slots=True)
class Reply:
    """What came back for one request."""

    status: int | None = None  # HTTP status
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)
    finish_reason: str = ""
    prompt_tokens: int | None = None
    output_tokens: int | None = None  # as the server's usage states at the end
    cached_tokens: int | None = None  # prompt tokens from the server's prefix cache
    comments: int = 0  # lines that only keep the connection alive
    done: bool = False  # whether an end mark came: `[DONE]`, or the count of tokens after the last choice
    complete: bool = False  # whether the body came whole
    error: str = ""  # the server's words, or what is wrong with the reply
    error_kind: Outcome | None = None
    end_ns: int | None = None  # the last read
    read_bytes: int = 0  # [byte] of the whole reply, on the wire

    @property
    def first_text_ns(self) -> int | None:
        """Time of the first chunk that is not empty [ns]; a chunk with only a role is empty."""
        return self.chunks[0].time_ns if self.chunks else None

    @property
    def first_answer_ns(self) -> int | None:
        """Time of the first text of the answer itself, after any reasoning [ns]."""
        return next((chunk.time_ns for chunk in self.chunks if chunk.answer_chars), None)

    def outcome(self, requested_tokens: int | None = None) -> Outcome:
        """Return how the request ended.

        Parameters
        ----------
        requested_tokens
            The output length that was asked for, or None if the model was free to end.
        """
        if self.error_kind is not None:
            return self.error_kind
        if not self.chunks and not self.output_tokens:
            return "empty"
        if not self.complete or not (self.done or self.finish_reason):
            return "truncated"
        if requested_tokens is None:
            return "ok"
        if self.output_tokens is not None:  # a server that ended for its length may not count the token that ends it
            return "ok" if self.output_tokens + (self.finish_reason == "length") >= requested_tokens else "short"
        return "ok" if self.finish_reason in ("length", "") else "short"


class ReplyReader:
    """The reader of one reply; damage in it is an outcome, not an exception."""

    def __init__(self) -> None:
        self.reply = Reply()
        self._decoder, self._events = ResponseDecoder(), EventParser()
        self._body = bytearray()  # of a reply that is not a stream
        self._is_stream = False  # known once the head has come
        self._has_head = False

    @property
    def complete(self) -> bool:
        """Whether nothing more can come: the body is whole, or damaged."""
        return self._decoder.complete or self.reply.error_kind == "malformed"

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        connection = self._decoder.headers.get("connection", "").lower()
        return self._decoder.complete and not self._decoder.surplus and "close" not in connection

    def feed(self, read: Read) -> None:
        """Take the bytes of one read."""
        reply = self.reply
        reply.end_ns = read.time_ns
        reply.read_bytes += len(read.data)
        try:
            piece = self._decoder.feed(read.data)
            if not self._has_head:
                self._look_at_head()
            if self._is_stream:
                for event in self._events.feed(piece):
                    _take(reply, event, read.time_ns)
            else:
                self._body += piece[: LARGEST_EVENT - len(self._body)]  # what is longer is no JSON
        except (BadHttpError, EventTooLongError) as error:
            _fail(reply, "malformed", str(error))

    def give_up(self) -> None:
        """Note that the body does not end, although the end mark of the stream has come."""
        _fail(self.reply, "malformed", "the body does not end after the end mark of its stream")

    def finish(self, *, closed: bool) -> Reply:
        """Return the reply; `closed` says whether the server closed the connection."""
        reply, decoder = self.reply, self._decoder
        if closed:
            decoder.close()
        if decoder.surplus:
            _fail(reply, "malformed", "bytes follow the end of the reply: its stated length is wrong")
        if self._is_stream and reply.end_ns is not None:
            for event in self._events.finish():
                _take(reply, event, reply.end_ns)
        reply.status, reply.headers = decoder.status, decoder.headers
        reply.comments, reply.complete = self._events.comments, decoder.complete
        if decoder.status is not None and not self._is_stream:
            _take_whole(reply, bytes(self._body))
        return reply

    def _look_at_head(self) -> None:
        decoder = self._decoder
        self._has_head = decoder.status is not None
        kind = decoder.headers.get("content-type", "")
        self._is_stream = decoder.status == 200 and kind.lower().startswith("text/event-stream")


def what_went_wrong(outcome: Outcome, error: str) -> str:
    """Return the error of a reply in words; where neither the server nor the reader has any, those of the outcome."""
    return error or _UNSAID.get(outcome, outcome)


def read_reply(reads: Iterable[Read]) -> Reply:
    """Return the reply of a connection that the server closed after these reads."""
    reader = ReplyReader()
    for read in reads:
        reader.feed(read)
    return reader.finish(closed=True)


def _take_whole(reply: Reply, body: bytes) -> None:
    """Read a reply that is not a stream: an error, or an answer in one piece."""
    if reply.status != 200:
        detail = error_text(_document(body)) or body[:_LONGEST_DETAIL].decode("utf-8", "replace")
        _fail(reply, "error_http", f"HTTP status {reply.status}: {detail}".rstrip(": "))
    elif reply.complete and reply.end_ns is not None:
        kind = reply.headers.get("content-type", "no content type")
        if not kind.lower().startswith("application/json"):
            _fail(reply, "malformed", f"expected an event stream or JSON, got {kind[:60]}")
        else:
            _take(reply, Event(body), reply.end_ns)
            reply.done = True


def _take(reply: Reply, event: Event, time_ns: int) -> None:
    if event.data == _DONE:
        reply.done = True
        return
    if not event.data and event.name != b"error":  # it keeps the connection alive, as a comment does
        return
    document = _document(event.data)
    if not isinstance(document, dict):
        text = event.data[:_LONGEST_DETAIL].decode("utf-8", "replace")
        if event.name == b"error":
            _fail(reply, "error_stream", text)
        else:
            _fail(reply, "malformed", f"expected a JSON object in an event, got {text}")
        return
    if document.get("error") or document.get("object") == "error" or event.name == b"error":
        _fail(reply, "error_stream", error_text(document) or "event: error")
        return
    choices = _dicts(document.get("choices"))
    answer, other, ids = _take_choices(reply, choices)
    usage = document.get("usage")
    if usage is None:  # some servers put it in the choice
        usage = next((choice["usage"] for choice in choices if "usage" in choice), None)
    usage_tokens = _take_usage(reply, usage)
    if usage_tokens and not choices:
        reply.done = True
    if answer or other or ids:
        reply.done = False
        reply.chunks.append(Chunk(time_ns, answer, other, ids, usage_tokens))


def _take_choices(reply: Reply, choices: list[dict[str, Any]]) -> tuple[int, int, int | None]:
    """Return the characters of the answer, the others, and the number of token ids; keep the reason of the end."""
    answer = other = 0
    ids: int | None = None
    for choice in choices:
        delta = choice.get("delta") or choice.get("message") or choice
        if not isinstance(delta, dict):
            continue
        for name, value in delta.items():
            if name in _ANSWER and isinstance(value, str):
                answer += len(value)
            elif name in _OTHER and value:
                other += _other_characters(name, value, delta)
        token_ids, finish_reason = choice.get("token_ids"), choice.get("finish_reason")
        if isinstance(token_ids, list):
            ids = (ids or 0) + len(token_ids)
        if isinstance(finish_reason, str):
            reply.finish_reason = finish_reason
    return answer, other, ids


def _other_characters(name: str, value: object, delta: Mapping[str, object]) -> int:
    """Return the characters of reasoning or of tool calls; servers that change a name send both for a while."""
    if name == "tool_calls":
        functions = (call.get("function") for call in _dicts(value))
        return sum(_length(function.get("arguments")) for function in functions if isinstance(function, dict))
    return 0 if name == "reasoning" and _length(delta.get("reasoning_content")) else _length(value)


def _take_usage(reply: Reply, usage: object) -> int | None:
    """Keep the token counts, which are totals up to here and are never added up; return the output tokens."""
    if not isinstance(usage, dict):
        return None
    reply.prompt_tokens = _count(usage.get("prompt_tokens"), reply.prompt_tokens)
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        reply.cached_tokens = _count(details.get("cached_tokens"), reply.cached_tokens)
    tokens = _count(usage.get("completion_tokens"), None)
    if tokens is not None:
        reply.output_tokens = tokens
    return tokens


def _fail(reply: Reply, kind: Outcome, text: str) -> None:
    """Keep the first thing that went wrong."""
    if reply.error_kind is None:
        reply.error_kind, reply.error = kind, " ".join(text.split())[:_LONGEST_DETAIL]


def _document(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError:
        return None


def error_text(document: object) -> str:
    """Return the words of a document about an error, or an empty text."""
    error = (document.get("error") or document.get("message")) if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = error.get("message") or error
    return str(error) if error else ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 0


def _count(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
