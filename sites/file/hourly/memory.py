"""A memory of the files of series that were read last, because the effect of each assumption builds the site again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from sites.hours.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
MOST_READ = 16  # files; a year of 5 minutes takes 3 MB


@dataclass(frozen=True, slots=True)
class _Request:
    """The reading of a file; equal requests give equal results."""

    path: str
    state: tuple[int, ...]  # of the file: device, number, size and time of the last change
    timezone: str
    facts: tuple[Hashable, ...]
    read: Callable[[Clock], Any] = field(compare=False)


def once(path: Path, clock: Clock, facts: tuple[Hashable, ...], read: Callable[[Clock], T]) -> T:
    """Return what is read of a file, from memory if the file has not changed since.

    Parameters
    ----------
    path
        The file.
    clock
        Clock of the site, which notes the columns of local times.
    facts
        All else that the result depends on.
    read
        Reads the file by a clock of the same zone.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # the reader has the message
        return read(clock)
    state = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    result, local_keys = _read(_Request(str(path), state, clock.zone.key, facts, read))
    clock.local_keys.update(dict.fromkeys(local_keys))
    kept: T = result
    return kept


@lru_cache(maxsize=MOST_READ)
def _read(request: _Request) -> tuple[Any, tuple[str, ...]]:
    clock = Clock.of(request.timezone)
    return request.read(clock), tuple(clock.local_keys)
