"""The timed part of a run: calibrate a call, keep the load on, take windows. The timed region holds only the work."""

import math
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from bench.machine.clock import ClockAudit
from bench.measure.steadiness import Call
from bench.meters.protocol import Meter
from bench.results.record import Window
from bench.workloads.protocol import Batch, Workload

BATCH_S = 0.05
"""Length of one call of `run` that calibration aims at [s]: long against the loop, short against a window.

A workload may ask for another by `batch_s`: between two calls a GPU waits for the host.
"""
PROGRESS_S = 0.2
"""Progress is told at most this often [s], for telling it is time that the work does not have."""

Stage = Literal["prepare", "verify", "calibrate", "idle", "lead", "window", "check", "meters", "write"]
Progress = Callable[[Stage, float], None]


class BadWorkError(RuntimeError):
    """A window gave no work, or work that is no number; `code` is its reason code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Taken:
    """What the timed part of one workload gathers; `spans` are [s, monotonic], `inside_s` time in the work itself."""

    windows: list[Window] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    calls: list[list[Call]] = field(default_factory=list)
    inside_s: float = 0.0
    polling_s: float = 0.0
    """CPU time of the meters' threads within the windows [s]."""

    @property
    def overhead_frac(self) -> float | None:
        """The runner's share [-]: time outside the work, and its meters' CPU time over the cores it may use."""
        total_s = sum(end - start for start, end in self.spans)
        if total_s <= 0.0:
            return None
        return max(0.0, 1.0 - self.inside_s / total_s) + self.polling_s / total_s / len(os.sched_getaffinity(0))


class WindowTaker:
    """Takes the windows of one workload, its calls spread by ±20 % in length so that they keep no sensor's step."""

    def __init__(self, workload: Workload, on_progress: Progress) -> None:
        self.workload = workload
        self.taken = Taken()
        self._progress = on_progress
        self._dither = random.Random(0)  # noqa: S311 (spreads the calls; guards nothing)
        self._n = 1
        self._clock = ClockAudit()
        self._told_s = -math.inf

    def calibrate(self) -> None:
        """Find how much to ask of one call so that it takes about BATCH_S, or what the workload asks for."""
        n, batch_s = 1, float(getattr(self.workload, "batch_s", BATCH_S))
        self._clock.calibrate()  # loads its loop now, not between the load and the first window
        while True:
            self._progress("calibrate", 0.0)
            before = time.monotonic()
            self.workload.run(n)
            taken = time.monotonic() - before
            if taken >= batch_s / 4 or n >= 1 << 40:
                break
            n *= 2 if taken > batch_s / 64 else 8
        self._n = max(1, round(n * batch_s / taken))

    def load(self, seconds: float) -> None:
        """Keep the load on, untimed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._progress("lead", 0.0)
            self._call()

    def take(self, window_s: float, planned: int, meters: Sequence[Meter]) -> None:
        """Take one window of at least `window_s`; the meters are marked at its edges, outside of it.

        Raises
        ------
        BadWorkError
            The work of a window is 0, negative or not a number.
        """
        index = len(self.taken.windows)
        calls: list[Call] = []
        cpu_time_s: float | None = 0.0
        inside_s = 0.0
        self._clock.calibrate()
        for meter in meters:
            meter.mark()
        polled_s = _polled_s(meters)
        start_utc = datetime.now(UTC)
        start = end = time.monotonic()
        while end - start < window_s or not calls:
            before = time.monotonic()
            batch = self._call()
            end = time.monotonic()
            inside_s += end - before
            calls.append(Call(before, end, batch.work))
            cpu_time_s = None if cpu_time_s is None or batch.cpu_time_s is None else cpu_time_s + batch.cpu_time_s
            self._tell(end, (index + min(1.0, (end - start) / max(window_s, 1e-9))) / planned)
        self.taken.polling_s += _polled_s(meters) - polled_s
        for meter in meters:
            meter.mark()
        clock_hz = self._clock.calibrate()
        work = _whole(math.fsum(call.work for call in calls), index)
        self.taken.inside_s += inside_s
        self.taken.spans.append((start, end))
        self.taken.calls.append(calls)
        self.taken.windows.append(
            Window(
                index=index,
                start_utc=start_utc,
                start_s=start,
                end_s=end,
                work=work,
                batches=len(calls),
                cpu_time_s=cpu_time_s,
                clock_hz=clock_hz,
            )
        )

    def _call(self) -> Batch:
        return self.workload.run(max(1, round(self._n * self._dither.uniform(0.8, 1.2))))

    def _tell(self, now: float, done: float) -> None:
        if now - self._told_s >= PROGRESS_S:
            self._told_s = now
            self._progress("window", done)


def _polled_s(meters: Sequence[Meter]) -> float:
    return sum(float(getattr(meter, "polling_s", 0.0)) for meter in meters)


def _whole(work: float, index: int) -> float:
    if not math.isfinite(work):
        raise BadWorkError(f"window {index}: work {work}", "not_finite")
    if work <= 0.0:
        raise BadWorkError(f"window {index}: work {work:g}", "no_work")
    return work
