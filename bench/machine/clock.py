"""The clock of the current core, measured by a chain of dependent additions around each window."""

import statistics
import time
from collections.abc import Iterable, Sequence

from bench import limits

_LOOPS = 50_000
_TRIES = 5
_PROBE_LOOPS = 10_000


def core_clock_hz() -> float | None:
    """Return the clock of the core that this thread runs on [Hz], or None if this CPU has no such chain.

    Notes
    -----
    The clock is the number of additions per second of thread CPU time, at one addition per cycle. The fastest of a few
    tries counts, because an interrupt or a hyperthread neighbour can only slow the chain down. It takes about 5 ms.
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
    """Return the cycles of five independent additions, or None if this CPU has no such probe.

    Notes
    -----
    A core without a busy neighbour needs 1.22 (Golden Cove) to 1.28 cycles (Zen 4, whose four adders need at least
    1.25); with neighbours 1.4 to 2.3 were measured. A neighbour that does not use the adders may go unnoticed. The
    fastest of a few tries counts. The probe takes about 2 ms, or 7 ms if it must measure `clock_hz` first.
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


def is_quiet(clocks_hz: Sequence[float | None], cycles: Sequence[float | None]) -> bool:
    """Return whether a slice was quiet, from the core clocks [Hz] and neighbour probes [cycle] on both sides of it."""
    known_clocks, known_cycles = _known(clocks_hz), _known(cycles)
    if len(known_clocks) < len(clocks_hz) or len(known_cycles) < len(cycles):
        return False
    steady = max(known_clocks) <= (1.0 + limits.SLICE_CLOCK_FRAC) * min(known_clocks)
    return steady and max(known_cycles) <= limits.LONE_CORE_CYCLES


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


class ClockAudit:
    """Readings of the core clock before and after each window; the clock of a window is their mean."""

    def __init__(self) -> None:
        self._before: float | None = None

    def calibrate(self) -> float | None:
        """Read the clock and return its mean with the previous reading [Hz], or None if it cannot be read."""
        now = core_clock_hz()
        mean = statistics.fmean((self._before, now)) if self._before and now else now
        self._before = now
        return mean
