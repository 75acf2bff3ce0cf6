"""The timed part of a run: it calibrates a call, keeps the load on and takes windows that hold only the work."""

import math
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from bench.machine.clock import ClockAudit
from bench.measure.steadiness import Call
from bench.meters.protocol import Meter, PollingMeter
from bench.results.record import Window
from bench.workloads.protocol import Batch, CheckedWindows, ContinuousWorkload, CountedWork, LongCalls, Workload

BATCH_S = 0.05  # [s] target length of one call of `run`: long against the loop, short against a window
_NOTHING_YET = 1e-12  # work of a window that is counted later
PROGRESS_S = 0.2  # [s] shortest time between two reports of progress: a report costs time that the work does not have

Stage = Literal["prepare", "verify", "calibrate", "idle", "lead", "window", "check", "meters", "write"]
Progress = Callable[[Stage, float], None]


class BadWorkError(RuntimeError):
    """A window did no work, or an amount of work that is not a finite number."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code  # its reason code


@dataclass(slots=True)
class TimedWork:
    """The windows of one workload, with their calls and times."""

    windows: list[Window] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)  # start and end of each window [s, monotonic]
    elapsed_s: list[float] = field(default_factory=list)  # length of each window by the clock that runs during sleep
    calls: list[list[Call]] = field(default_factory=list)
    inside_s: float = 0.0  # [s] time within the work itself
    polling_s: float = 0.0  # [s] CPU time of the meters' threads during the windows

    @property
    def overhead_frac(self) -> float | None:
        """The runner's share of the windows [-]: time outside the work, plus its meters' CPU time per usable core."""
        total_s = sum(end - start for start, end in self.spans)
        if total_s <= 0.0:
            return None
        return max(0.0, 1.0 - self.inside_s / total_s) + self.polling_s / total_s / len(os.sched_getaffinity(0))


class WindowTaker:
    """The timer of one workload's windows; it varies the length of the calls by ±20 % so that no sensor keeps step."""

    def __init__(self, workload: Workload, on_progress: Progress) -> None:
        self.workload = workload
        self.timed = TimedWork()
        self._progress = on_progress
        self._dither = random.Random(0)  # noqa: S311 (varies the calls; guards nothing)
        self._n = 1
        self._clock = ClockAudit()
        self._reported_s = -math.inf

    def calibrate(self) -> None:
        """Choose `n` so that one call takes about BATCH_S, or the length that the workload asks for."""
        n, batch_s = 1, self.workload.batch_s if isinstance(self.workload, LongCalls) else BATCH_S
        self._clock.calibrate()  # loads its loop now, not between the load and the first window
        while True:
            self._progress("calibrate", 0.0)
            before = time.monotonic()
            self.workload.run(n)
            call_s = time.monotonic() - before
            if call_s >= batch_s / 4 or n >= 1 << 40:
                break
            n *= 2 if call_s > batch_s / 64 else 8
        self._n = max(1, round(n * batch_s / call_s))

    def load(self, seconds: float) -> None:
        """Keep the load on, untimed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._progress("lead", 0.0)
            self._call()

    def take(self, window_s: float, planned: int, meters: Sequence[Meter]) -> None:
        """Take one window of at least `window_s`; the meters are marked just outside its edges.

        Raises
        ------
        BadWorkError
            The work of the window is 0, negative or not finite.
        """
        index = len(self.timed.windows)
        calls: list[Call] = []
        cpu_time_s: float | None = 0.0
        inside_s = 0.0
        self._clock.calibrate()
        for meter in meters:
            meter.mark()
        polling_before_s = _polling_s(meters)
        start_utc = datetime.now(UTC)
        awake_and_asleep_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        start = end = time.monotonic()
        while end - start < window_s or not calls:
            before = time.monotonic()
            batch = self._call()
            end = time.monotonic()
            inside_s += end - before
            calls.append(Call(before, end, batch.work))
            cpu_time_s = None if cpu_time_s is None or batch.cpu_time_s is None else cpu_time_s + batch.cpu_time_s
            self._report(end, (index + min(1.0, (end - start) / max(window_s, 1e-9))) / planned)
        self.timed.elapsed_s.append(time.clock_gettime(time.CLOCK_BOOTTIME) - awake_and_asleep_s)
        self.timed.polling_s += _polling_s(meters) - polling_before_s
        for meter in meters:
            meter.mark()
        clock_hz = self._clock.calibrate()
        work = math.fsum(call.work for call in calls)
        if not isinstance(self.workload, ContinuousWorkload):
            work = _checked_work(work, index)
        self.timed.inside_s += inside_s
        self.timed.spans.append((start, end))
        self.timed.calls.append(calls)
        self.timed.windows.append(
            Window(
                index=index,
                start_utc=start_utc,
                start_s=start,
                end_s=end,
                work=max(work, _NOTHING_YET),
                batches=len(calls),
                cpu_time_s=cpu_time_s,
                clock_hz=None if isinstance(self.workload, CountedWork) else clock_hz,
            )
        )

    def recount(self) -> None:
        """Count the windows of a continuous workload again, now that all its work is known.

        Raises
        ------
        BadWorkError
            The work of a window is 0, negative or not finite.
        RunFailedError
            The workload says why a window has no work.
        """
        workload, timed = self.workload, self.timed
        if not isinstance(workload, ContinuousWorkload):
            return
        if isinstance(workload, CheckedWindows):
            workload.check_windows(timed.spans)
        for index, (start_s, end_s) in enumerate(timed.spans):
            work = _checked_work(workload.work_between(start_s, end_s), index)
            timed.windows[index] = timed.windows[index].model_copy(update={"work": work})
            calls = timed.calls[index]
            edges_s = [start_s, *(call.end_s for call in calls[:-1]), end_s]  # what came between two calls counts too
            timed.calls[index] = [
                Call(call.start_s, call.end_s, workload.work_between(*edges))
                for call, edges in zip(calls, pairwise(edges_s), strict=True)
            ]

    def _call(self) -> Batch:
        return self.workload.run(max(1, round(self._n * self._dither.uniform(0.8, 1.2))))

    def _report(self, now: float, done: float) -> None:
        if now - self._reported_s >= PROGRESS_S:
            self._reported_s = now
            self._progress("window", done)


def _polling_s(meters: Sequence[Meter]) -> float:
    return sum(meter.polling_s for meter in meters if isinstance(meter, PollingMeter))


def _checked_work(work: float, index: int) -> float:
    if not math.isfinite(work):
        raise BadWorkError(f"window {index}: work {work}", "not_finite")
    if work <= 0.0:
        raise BadWorkError(f"window {index}: work {work:g}", "no_work")
    return work
