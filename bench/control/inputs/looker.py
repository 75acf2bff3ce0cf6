"""A thread that looks at a source whenever the loop's clock says so, so that the loop never waits for a source."""

import threading
from collections.abc import Callable

from hardware_profiles.errors import shown

_END_S = 5.0  # [s] for the thread to end, which may wait for a source


class Looker:
    """Calls a function with the time [s, Unix] every `period_s` seconds of the caller's clock, in a thread of its own.

    A look that takes longer than the period delays the next one; looks never overlap.
    """

    def __init__(self, name: str, look: Callable[[float], None], period_s: float) -> None:
        self.fault = ""  # of the last look, if it ended with an error that it did not expect
        self._name, self._look, self._period_s = name, look, period_s
        self._next_s: float | None = None
        self._due, self._idle = threading.Event(), threading.Event()
        self._idle.set()
        self._now_s = 0.0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def tick(self, now_s: float) -> None:
        """Start a look if one is due; a clock that went back starts one too."""
        is_due = self._next_s is None or now_s >= self._next_s or now_s < self._next_s - self._period_s
        if is_due and self._idle.is_set():
            self._next_s, self._now_s = now_s + self._period_s, now_s
            self._idle.clear()
            self._due.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until no look is under way [s, real time]; return whether that is so."""
        return self._idle.wait(timeout_s)

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._due.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._ended:
                return
            try:
                self._look(self._now_s)
                self.fault = ""
            except Exception as error:  # noqa: BLE001 (no source may end the loop, whatever it sends)
                self.fault = f"{self._name}: cannot be read: {type(error).__name__} {shown(str(error))}"
            finally:
                self._idle.set()
