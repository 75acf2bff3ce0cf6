"""The one clock of a twin: faster than real time by a factor, or stepped by a test."""

import time
from collections.abc import Callable


class SimulatedClock:
    """Simulated Unix time.

    Parameters
    ----------
    start_s
        Simulated time at the start [s, Unix].
    speed
        Simulated seconds a real second; 0 stands still until somebody steps it.
    real
        The real clock, which never goes back [s].
    """

    def __init__(self, start_s: float, speed: float, real: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._real, self._start_s, self._began_s = real, start_s, real()

    def __call__(self) -> float:
        """Return the simulated time now [s, Unix]."""
        return self._start_s + self.speed * (self._real() - self._began_s)

    def step(self, seconds: float) -> float:
        """Go forward by simulated seconds, and return the time then [s, Unix]."""
        if not seconds >= 0.0:
            raise ValueError("a clock does not go back")
        self._start_s += seconds
        return self()
