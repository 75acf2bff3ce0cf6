"""The audit log of the controller: a line of JSON for each event, with the digest of the line before it.

A line is on the disk before anything acts on it. A controller that is killed leaves at most one torn line at the end,
which was acknowledged to nobody: it is read as absent, and the next run removes it.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Self

from bench.errors import not_written
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, is_there, open_input

AUDIT_FILE = "audit.jsonl"
AUDIT = Kind("audit log", 64 * 1024 * MIB, stdin=False)
FIRST = "0" * 64  # that stands for the digest of a line before the first one
_HEAD = re.compile(rb'\{"n":(\d{1,15}),"before":"([0-9a-f]{64})",')
_LONGEST_LINE = 256 * MIB
_TAIL = 4 * MIB


class Line(NamedTuple):
    """One line of a log."""

    number: int  # from 1
    content: bytes  # without the line feed
    sha256: str  # of the content

    @property
    def row(self) -> dict[str, Any]:
        """The JSON of the line; raise ValueError if it is none."""
        row = json.loads(self.content)
        if not isinstance(row, dict):
            raise ValueError("expected an object")  # noqa: TRY004 (a fault of a file)
        return row


class ChainError(ValueError):
    """A line of a log was changed, removed, added or moved; `str()` says which."""


def lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a log, oldest first, without a torn one at the end; none if there is no log.

    Raises
    ------
    InputError
        The file is not readable.
    ChainError
        The chain of digests is broken.
    """
    if not is_there(path):
        return
    before, number = FIRST, 0
    with open_input(path, AUDIT) as file:
        while content := file.readline(_LONGEST_LINE):
            if not content.endswith(b"\n"):
                return
            number += 1
            line = Line(number, content[:-1], sha256(content[:-1]).hexdigest())
            head = _HEAD.match(content)
            if head is None:
                raise ChainError(f"{path}: line {number}: expected a line of an audit log, got something else")
            if (int(head[1]), head[2].decode()) != (number, before):
                raise ChainError(
                    f"{path}: line {number}: expected line {number} after the digest {before[:12]}…, got line "
                    f"{int(head[1])} after {head[2].decode()[:12]}…: a line was changed, removed, added or moved"
                )
            yield line
            before = line.sha256


def last_row(folder: Path) -> dict[str, Any] | None:
    """Return the last whole line "cycle" of a folder's log; None if there is none among its last lines.

    Raises
    ------
    InputError
        The file is not readable.
    """
    path = folder / AUDIT_FILE
    if not is_there(path):
        return None
    with open_input(path, AUDIT) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        *whole, _ = file.read().split(b"\n")
    for content in reversed(whole):
        try:
            row = json.loads(content)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("kind") == "cycle":
            return row
    return None


class AuditLog:
    """A log that this process appends to; no other one does so meanwhile.

    Parameters
    ----------
    path
        Its file, which is made if there is none.

    Raises
    ------
    InputError
        Another process holds it, or a line of it was changed.
    RunFailedError
        The disk refuses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = self._opened()
        try:
            self._last = self._mended()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let other processes append."""
        os.close(self._descriptor)

    @property
    def head(self) -> tuple[int, str]:
        """Number and digest of the last line."""
        return self._last

    def append(self, kind: str, row: dict[str, Any]) -> None:
        """Append a line and flush it to the disk; only then may the caller act on it.

        Raises
        ------
        RunFailedError
            The disk refuses it; the log is as it was.
        """
        number, before = self._last
        head = {"n": number + 1, "before": before, "utc": datetime.now(UTC).isoformat(timespec="milliseconds")}
        text = json.dumps({**head, "kind": kind, **row}, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
        content = text.encode()
        end = os.fstat(self._descriptor).st_size
        try:
            self._write(content + b"\n", end)
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise not_written(self.path, error) from None
        self._last = number + 1, sha256(content).hexdigest()

    def _write(self, content: bytes, at: int) -> None:
        rest = memoryview(content)
        while rest:
            written = os.pwrite(self._descriptor, rest, at)
            at, rest = at + written, rest[written:]

    def _opened(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise not_written(self.path, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InputError(
                f"{self.path.parent}: expected a site that no other process controls, got one at work; "
                "`perwatt control SITE --status` shows it"
            ) from None
        return descriptor

    def _mended(self) -> tuple[int, str]:
        """Return number and digest of the last line, after removing a torn one."""
        number, digest, size = 0, FIRST, 0
        try:
            for line in lines(self.path):
                number, digest, size = line.number, line.sha256, size + len(line.content) + 1
        except ChainError as error:
            raise InputError(f"{error}; move the folder elsewhere to begin a new log") from None
        if size < os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, size)
        return number, digest
