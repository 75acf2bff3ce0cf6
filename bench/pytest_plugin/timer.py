"""The timer of pytest-benchmark where energy is measured: it keeps its stamps and marks the meters with them."""

import time
from collections.abc import Callable

_stamps: list[float] = []
_marks: list[Callable[[], None]] = []


def stamp() -> float:
    """Return the monotonic clock [s] and keep it, for `--benchmark-timer=bench.pytest_plugin.timer.stamp`.

    pytest-benchmark calls its timer exactly twice per round, so the last 2·rounds stamps of `pedantic` are the measured
    ones. A meter with cheap readings is read just before a round starts and just after it ends.
    """
    if len(_stamps) % 2 == 0:
        for mark in _marks:
            mark()
    now = time.monotonic()
    _stamps.append(now)
    if len(_stamps) % 2 == 0:
        for mark in _marks:
            mark()
    return now


def begin(marks: list[Callable[[], None]]) -> None:
    """Forget the stamps of the previous test and use these marks from now on."""
    _stamps.clear()
    _marks[:] = marks


def stamps() -> list[float]:
    """Return the stamps since `begin`."""
    return list(_stamps)
