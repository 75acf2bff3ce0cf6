"""A growing audit log, followed by its place in bytes: what was added since the last look, as figures for the page."""

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from bench.live.figures import cycle
from hardware_profiles.errors import InputError
from hardware_profiles.opening import Kind, is_folder, open_input, read_input

LOG = Kind("audit log", 2**50, stdin=False)
_CURRENT = Kind("name of a folder", 4096, stdin=False)
HISTORY = 240  # cycles that the page draws
MOST_BYTES = 32 * 2**20  # of the end of the log that one look reads
_MOST_ROWS = 20  # that one look takes, unless it is the first: of a faster log, the newest ones
_IDENTITY_BYTES = 4096  # of the first row, which identifies the log


class Shown(NamedTuple):
    """One cycle as it is sent."""

    number: int  # counted by the server
    place: str  # the log and the byte after the row
    figures: dict[str, Any]


class Follower:
    """The end of a log.

    Parameters
    ----------
    path
        The log; or the folder of a site, in which `current` names the folder that is in use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.shown: tuple[Shown, ...] = ()  # replaced as a whole, because another thread reads it
        self.number = 0  # of the last cycle
        self.log = ""  # identity of the log that is followed; empty without one
        self._at = 0  # [byte] after the last whole row

    def look(self) -> bool:
        """Read what was added; return whether there is anything new. A log that is absent has nothing new."""
        file = self._current()
        try:
            with open_input(file, LOG) as log:
                size = os.fstat(log.fileno()).st_size
                identity = sha256(log.read(_IDENTITY_BYTES).partition(b"\n")[0]).hexdigest()[:12] if size else ""
                is_first = identity != self.log or size < self._at
                if is_first:
                    self._begin(identity)
                start = max(self._at, size - MOST_BYTES)
                log.seek(start)
                content = log.read(size - start)
        except (InputError, OSError):
            return False
        return self._add(content, start, is_cut=start > self._at, most=HISTORY if is_first else _MOST_ROWS)

    def _begin(self, identity: str) -> None:
        self.log, self._at = identity, 0
        self.shown = ()

    def _current(self) -> Path:
        if not is_folder(self._path):
            return self._path
        folder = self._path / "current"
        if not is_folder(folder):
            try:
                folder = self._path / Path(read_input(folder, _CURRENT).decode("utf-8", "replace").strip()).name
            except InputError:
                return self._path / "audit.jsonl"
        return folder / "audit.jsonl"

    def _add(self, content: bytes, start: int, *, is_cut: bool, most: int) -> bool:
        rows = list(_rows(content, start, is_cut=is_cut))
        if not rows:
            return False
        self._at = rows[-1][1]
        fresh: list[tuple[str, dict[str, Any]]] = []
        for line, end in reversed(rows):
            if (figures := cycle(line)) is not None:
                fresh.append((f"{self.log}-{end}", figures))
            if len(fresh) == most:
                break
        numbered = enumerate(reversed(fresh), self.number + 1)
        self.shown = (*self.shown, *(Shown(number, *each) for number, each in numbered))[-HISTORY:]
        self.number += len(fresh)
        return bool(fresh)


def _rows(content: bytes, start: int, *, is_cut: bool) -> Iterator[tuple[bytes, int]]:
    """Yield each whole row with the byte after it [byte of the log]; the first one is left out if its start is."""
    at = content.find(b"\n") + 1 if is_cut else 0
    while (end := content.find(b"\n", at)) >= 0:
        yield content[at:end], start + end + 1
        at = end + 1


def as_event(name: str, place: str, data: object) -> bytes:
    """Return a server-sent event."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # on one line
    return f"id: {place}\nevent: {name}\ndata: {text}\n\n".encode()
