"""The ledger of a lab run: one line of JSON for each event, appended and flushed before anything acts on it.

Several commands may append to one ledger. A command that is killed, or a disk that is full, leaves at most one torn
line at the end: it was acknowledged to nobody, so it is read as absent, and the next append removes it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from bench.errors import not_written
from bench.results.labs.plan import HOST_NAME, JOB_ID
from bench.results.part import Part
from hardware_profiles.decoding import parse_json
from hardware_profiles.opening import MIB, Kind, read_input
from hardware_profiles.reading import validate

LEDGER = Kind("ledger of a lab run", 256 * MIB, stdin=False)
EventKind = Literal[
    "planned", "checked", "accepted", "refused", "starting", "started", "seen", "ended", "lost", "cancelled",
    "uncollected", "collected", "clock", "note",
]  # fmt: skip


class Event(Part):
    """One line of a ledger."""

    utc: AwareDatetime = Field(description="by the clock of the controller")
    kind: EventKind
    job: str = Field(default="", pattern=f"^$|{JOB_ID}")
    host: str = Field(default="", pattern=f"^$|{HOST_NAME}")
    code: str = Field(default="", description="reason, from bench/results/labs/reasons.py")
    detail: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class Ledger:
    """The ledger of one run.

    Parameters
    ----------
    path
        Its file, which the first append makes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[Event]:
        """Return all events, oldest first, without a torn line at the end.

        Raises
        ------
        InputError
            The file is not readable, or a line before the last one is no event.
        """
        if not self.path.exists():
            return []
        *whole, torn = read_input(self.path, LEDGER).split(b"\n")
        lines = [line + b"\n" for line in whole] + ([torn] if torn else [])
        if lines and not _is_whole(lines[-1]):
            lines.pop()
        return list(self._parsed(lines))

    def _parsed(self, lines: list[bytes]) -> Iterator[Event]:
        for number, line in enumerate(lines, 1):
            place = f"{self.path}: line {number}"
            yield validate(Event, parse_json(line, place, "an event of a lab run"), place)

    def append(
        self, kind: EventKind, *, job: str = "", host: str = "", code: str = "", detail: str = "", **data: Any
    ) -> Event:
        """Append an event and flush it to the disk; only then may the caller act on it.

        Raises
        ------
        RunFailedError
            The disk refuses it; the ledger is as it was.
        """
        event = Event(utc=datetime.now(UTC), kind=kind, job=job, host=host, code=code, detail=detail, data=data)
        line = json.dumps(event.model_dump(mode="json"), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            with self._locked() as descriptor:
                end = _mended(descriptor)
                try:
                    _write_all(descriptor, line, end)
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, end)
                    raise
        except OSError as error:
            raise not_written(self.path, error) from None
        return event

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _mended(descriptor: int) -> int:
    """Return the length of the file after removing a torn last line [byte]."""
    size = os.fstat(descriptor).st_size
    if size and not _is_whole(last := _last_line(descriptor, size)):
        size -= len(last)
        os.ftruncate(descriptor, size)
    return size


def _last_line(descriptor: int, size: int) -> bytes:
    """Return the last line with its line feed, if it has one."""
    tail, at = b"", size
    while at and tail.find(b"\n", 0, -1) < 0:
        step = min(at, 64 * 1024)
        at -= step
        tail = os.pread(descriptor, step, at) + tail
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]


def _is_whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _write_all(descriptor: int, content: bytes, at: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, at)
        at += written
        rest = rest[written:]
