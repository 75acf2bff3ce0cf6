"""The clock that pytest-benchmark times with when energy is wanted: stamps are kept, meters marked beside them."""

import time
from collections.abc import Callable

_stamps: list[float] = []
_marks: list[Callable[[], None]] = []


def stamp() -> float:
    """Return the monotonic clock [s] and keep it: `--benchmark-timer=bench.pytest_plugin.timer.stamp`.

    pytest-benchmark calls its timer exactly twice a round, so the last 2·rounds stamps of `pedantic` are the measured
    ones. A meter whose reading is cheap is read before a round starts and after it has ended, outside of it.
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
    """Forget the stamps of the test before and take these marks."""
    _stamps.clear()
    _marks[:] = marks


def stamps() -> list[float]:
    """Return the stamps since `begin`."""
    return list(_stamps)
