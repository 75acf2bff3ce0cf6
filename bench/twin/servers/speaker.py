"""What every protocol of a simulated unit shares: one request, one answer, and a count of what came in."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from bench.twin.lies import Reception
from bench.twin.unit import Shown, Unit

LATE_S = 21.0  # [s] of real time, after which a late answer comes
MOST_BYTES = 65_536  # of one request
MARK = "simulated by perwatt twin"
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\r?\ncontent-length:[ \t]*(\d{1,6})", re.IGNORECASE)
_BRACKETS = ((b"{", b"}"), (b"[", b"]"))


@dataclass(slots=True)
class Traffic:
    """What a unit received: bytes that ask for a change are counted by themselves."""

    reads: int = 0
    read_bytes: int = 0
    changes: int = 0  # requests that change the device, or would if they were right
    change_bytes: int = 0

    def add(self, received: int, *, changes: bool) -> None:
        """Count one request."""
        if changes:
            self.changes, self.change_bytes = self.changes + 1, self.change_bytes + received
        else:
            self.reads, self.read_bytes = self.reads + 1, self.read_bytes + received


class Said(NamedTuple):
    """The answer to a request."""

    body: bytes | None  # None to close the connection without an answer
    changes: bool = False  # whether the request asked for a change
    after_s: float = 0.0  # [s] of real time
    silent: bool = False  # whether the connection stays open without an answer


SILENCE = Said(None, silent=True)


class Speaker(Protocol):
    """What speaks one protocol at one socket."""

    traffic: Traffic

    def request(self, received: bytearray) -> int:
        """Return the length of the whole request at the start of what came; 0 if more must come."""
        ...

    def answer(self, request: bytes) -> Said:
        """Return the answer to a whole request."""
        ...


class UnitSpeaker(ABC):
    """A protocol of one unit.

    Parameters
    ----------
    unit
        The simulated unit.
    clock
        Simulated time [s, Unix].
    traffic
        Where its requests are counted; one unit may have several sockets.
    """

    def __init__(self, unit: Unit, clock: Callable[[], float], traffic: Traffic) -> None:
        self.unit, self.clock, self.traffic = unit, clock, traffic

    @abstractmethod
    def request(self, received: bytearray) -> int:
        """Return the length of the whole request at the start of what came; 0 if more must come."""

    @abstractmethod
    def answer(self, request: bytes) -> Said:
        """Return the answer to a whole request."""

    def shown(self) -> Shown | None:
        """Return what the unit shows now, or None if it does not answer."""
        return self.unit.shown(self.clock())

    def obey(self, level_w: float, accepted: bytes) -> Said:
        """Let the unit take a command, and return how it answers."""
        match self.unit.command(level_w, self.clock()):
            case Reception.DONE | Reception.WITHOUT_EFFECT:
                return Said(accepted, changes=True)
            case Reception.LATE:
                return Said(accepted, changes=True, after_s=LATE_S)
            case Reception.CLOSED | Reception.CLOSED_WITHOUT_EFFECT:
                return Said(None, changes=True)
        return SILENCE._replace(changes=True)


def whole_json(received: bytearray) -> int:
    """Return the length of a JSON request or a line of text that came whole; 0 if more must come."""
    body = bytes(received).strip()
    if body[:1] not in {b"{", b"["}:
        return len(received) if body and (received.endswith((b"\n", b"|")) or b"|" in received) else 0
    closed = all(body.count(opening) == body.count(closing) for opening, closing in _BRACKETS)
    return len(received) if closed else 0


def whole_frame(received: bytearray) -> int:
    """Return the length of a frame with four bytes of length, the lowest first; 0 if more must come."""
    if len(received) < 4:
        return 0
    length = 4 + int.from_bytes(received[:4], "little")
    return length if len(received) >= length else 0


def whole_http(received: bytearray) -> int:
    """Return the length of an HTTP request with its body; 0 if more must come."""
    head = _HEAD_END.search(received)
    if head is None:
        return 0
    stated = _LENGTH.search(received[: head.end()])
    length = head.end() + (int(stated[1]) if stated else 0)
    return length if len(received) >= length else 0


class HttpRequest(NamedTuple):
    """One HTTP request."""

    method: str
    path: str  # without the query
    query: str
    headers: dict[str, str]  # by their names in small letters
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return the JSON object of the body; an empty one if it is none."""
        try:
            read = json.loads(self.body)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


def parse_http(request: bytes) -> HttpRequest:
    """Return the parts of a whole HTTP request; what is no HTTP has an empty method."""
    head, _, body = request.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    words = first.split(" ")
    if len(words) != 3:
        return HttpRequest("", "", "", {}, b"")
    path, _, query = words[1].partition("?")
    named = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    return HttpRequest(words[0].upper(), path, query, headers, body)


_REASONS = {200: "OK", 204: "No Content", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            412: "Precondition Failed", 422: "Unprocessable Entity", 503: "Service Unavailable"}  # fmt: skip


def http(
    status: int, content: Any = b"", kind: str = "application/json", headers: dict[str, str] | None = None
) -> bytes:
    """Return an HTTP answer, which says that it is simulated; a content that is no bytes is sent as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    named = {
        "Content-Type": kind, "Content-Length": str(len(body)), "X-Simulated": MARK, "Connection": "close",
        **(headers or {}),
    }  # fmt: skip
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
