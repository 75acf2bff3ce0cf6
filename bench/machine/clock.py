"""The core's clock, calibrated by a chain of dependent additions round each window."""

import statistics
import time

_LOOPS = 50_000
_TRIES = 5
_PROBE_LOOPS = 10_000

LONE_CYCLES_LIMIT = 1.35
"""What `neighbour_cycles` stays below on a core without a busy neighbour: measured on Golden Cove and Zen 4."""


def core_clock_hz() -> float | None:
    """Return the clock of the core this thread runs on [Hz], or None where no chain exists for this CPU.

    Notes
    -----
    Additions per second of thread CPU time, one addition a cycle. The fastest of a few tries counts: an interrupt or a
    hyperthread neighbour can only slow the chain down. Takes about 5 ms.
    """
    try:
        from kernels.scan_cpu.clock_probe import ADDS_PER_LOOP, dependent_adds

        dependent_adds(1)
    except (ImportError, KeyError):
        return None
    best_s = float("inf")
    for _ in range(_TRIES):
        before = time.thread_time_ns()
        dependent_adds(_LOOPS)
        best_s = min(best_s, (time.thread_time_ns() - before) * 1e-9)
    return _LOOPS * ADDS_PER_LOOP / best_s


def neighbour_cycles(clock_hz: float | None = None) -> float | None:
    """Return cycles per five independent additions, or None where there is no probe for this CPU.

    Notes
    -----
    A core alone takes 1.22 (Golden Cove) to 1.28 (Zen 4, whose four adders cannot do five in less than 1.25); when
    neighbours came, 1.4 to 2.3 were seen. One that leaves the adders alone may stay unseen. The fastest of a few
    tries counts. Takes about 2 ms, 7 where `clock_hz` must be read first.
    """
    try:
        from kernels.scan_cpu.clock_probe import FIVES_PER_LOOP, independent_adds

        independent_adds(1)
    except (ImportError, KeyError):
        return None
    clock_hz = clock_hz or core_clock_hz()
    if clock_hz is None:
        return None
    best_s = float("inf")
    for _ in range(_TRIES):
        before = time.thread_time_ns()
        independent_adds(_PROBE_LOOPS)
        best_s = min(best_s, (time.thread_time_ns() - before) * 1e-9)
    return best_s * clock_hz / (_PROBE_LOOPS * FIVES_PER_LOOP)


class ClockAudit:
    """Readings of the clock before and after each window; a window's clock is the mean of its two."""

    def __init__(self) -> None:
        self._before: float | None = None

    def calibrate(self) -> float | None:
        """Read the clock and return its mean with the reading before, [Hz], or None where it cannot be read."""
        now = core_clock_hz()
        mean = statistics.fmean((self._before, now)) if self._before and now else now
        self._before = now
        return mean
