"""A watch over the counters of a server while it is under load: once a second, with the time of each reading."""

import threading
import time
from dataclasses import dataclass

from bench.endpoint.client.target import Target
from bench.endpoint.server.counters import Counters, read_counters
from bench.network.errors import ReadFailedError

PERIOD_S = 1.0
TIMEOUT_S = 2.0
PATHS = ("/metrics", "/prometheus/metrics")


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at one moment."""

    time_s: float  # [s, monotonic] in the middle of the request
    counters: Counters


class ServerWatch:
    """The readings of one server, from `start` to `stop`; a server without a page of metrics has none."""

    def __init__(self, target: Target) -> None:
        self.readings: list[Reading] = []
        self.missed = 0  # readings that failed while others did not
        self._target, self._device = target, target.device()
        self._path = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        first = next((page for path in PATHS if (page := self._read(path)) is not None), None)
        self.server = first.counters.server if first is not None else ""

    def start(self) -> None:
        """Read the counters now, and once a second from now on."""
        if self._path and self._thread is None:
            self._note()
            self._thread = threading.Thread(target=self._run, name="server counters", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Read the counters a last time; may be called twice."""
        if self._thread is not None and not self._stopped.is_set():
            self._stopped.set()
            self._thread.join()
            self._note()

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            self._note()

    def _note(self) -> None:
        reading = self._read(self._path)
        if reading is None:
            self.missed += 1
        else:
            self.readings.append(reading)

    def _read(self, path: str) -> Reading | None:
        headers = {"Accept": "text/plain"}
        if self._target.api_key:
            headers["Authorization"] = f"Bearer {self._target.api_key}"
        before_s = time.monotonic()
        try:
            answer = self._device.ask(self._target.path + path, TIMEOUT_S, headers=headers)
        except ReadFailedError:
            return None
        after_s = time.monotonic()
        counters = read_counters(answer.body.decode("utf-8", "replace")) if answer.status == 200 else None
        if counters is None:
            return None
        self._path = path
        return Reading((before_s + after_s) / 2.0, counters)
