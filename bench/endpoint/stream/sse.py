"""Server-sent events, from bytes that may be split anywhere.

References
----------
WHATWG HTML, section 9.2 (Server-sent events): https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
LARGEST_EVENT = 16 * 2**20  # [byte]


class EventTooLongError(ValueError):
    """An event is longer than LARGEST_EVENT."""


class Event(NamedTuple):
    """One event: its data lines joined by newlines, and its name."""

    data: bytes
    name: bytes = b""


class EventParser:
    """The events of one stream; what `feed` returns in total does not depend on how the bytes are split."""

    def __init__(self) -> None:
        self.comments = 0  # lines that begin with a colon: they keep the connection alive and carry no token
        self._pending = bytearray()
        self._searched = 0  # bytes of `_pending` that hold no end of an event
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes complete.

        Raises
        ------
        EventTooLongError
            An event is too long.
        """
        if not self._pending and _is_one_event(data):
            self._after_cr = self._at_start = False
            return [Event(data[5:-2].removeprefix(b" "))]
        if self._after_cr and data[:1] == b"\n":  # the second half of a CR LF
            data = data[1:]
            self._after_cr = False
        if not data:
            return []
        self._after_cr = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._pending += data
        if self._at_start:
            self._drop_bom()
        events = []
        while (end := self._pending.find(b"\n\n", self._searched)) >= 0:
            event = self._event(bytes(self._pending[:end]))
            del self._pending[: end + 2]
            self._searched = 0
            if event is not None:
                events.append(event)
        self._searched = max(0, len(self._pending) - 1)
        if self._searched > LARGEST_EVENT:
            raise EventTooLongError(f"an event is longer than {LARGEST_EVENT} bytes")
        return events

    def finish(self) -> list[Event]:
        """Return the last event if the stream ended without the blank line after it, which some gateways drop."""
        event = self._event(bytes(self._pending))
        self._pending.clear()
        return [] if event is None else [event]

    def _drop_bom(self) -> None:
        if len(self._pending) < len(_BOM) and _BOM.startswith(self._pending):
            return  # the rest of the mark may follow
        self._at_start = False
        if self._pending.startswith(_BOM):
            del self._pending[: len(_BOM)]

    def _event(self, block: bytes) -> Event | None:
        if block.startswith(b"data:") and b"\n" not in block:  # nearly every event
            return Event(block[5:].removeprefix(b" "))
        data: list[bytes] = []
        name = b""
        for line in block.split(b"\n"):
            field, colon, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif not field and colon:
                self.comments += 1
            elif field == b"event":
                name = value.removeprefix(b" ")
        return Event(b"\n".join(data), name) if data else None


def _is_one_event(data: bytes) -> bool:
    """Return whether bytes are just one event of one line, as nearly every read."""
    return (
        data.startswith(b"data:") and data.endswith(b"\n\n") and data.find(b"\n") == len(data) - 2 and b"\r" not in data
    )
