"""A clock that moves only when somebody sleeps: seconds of a run take none, and no stall of the machine shows in it."""

import dataclasses
import importlib
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache
from types import ModuleType

import pytest

from bench.measure.audit import cpu
from bench.meters.kinds.trace import Trace
from bench.meters.stream import PolledMeter
from doubles.workload import FakeWorkload

REAL = {"time": time, "threading": threading, "datetime": datetime}
PLACES = ("bench.measure", "bench.meters", "bench.pytest_plugin")
# These wait for a real socket, for real seconds.
SOCKETS = tuple(f"bench.meters.transports.{name}" for name in ("kasa", "ptdaemon", "scpi"))


@cache
def timed() -> list[tuple[ModuleType, str]]:
    """Return the modules of the measuring code, each with the name under which it knows the time or threads."""
    modules = [
        importlib.import_module(found.name)
        for place in PLACES
        for found in pkgutil.walk_packages(importlib.import_module(place).__path__, f"{place}.")
        if found.name not in SOCKETS
    ]
    return [(module, name) for module in modules for name, real in REAL.items() if getattr(module, name, 0) is real]


@contextmanager
def installed(clock: "VirtualClock") -> Iterator["VirtualClock"]:
    """Let the measuring code and its meters take their time from this clock."""
    with pytest.MonkeyPatch.context() as changed:
        for module, name in timed():
            changed.setattr(module, name, clock)
        # The machine that runs the tests is busy with others: of that a record says nothing.
        real_state, real_open, real_trace_open = cpu._state, PolledMeter.open, Trace.open
        idle = {"busy_s": 0.0, "own_s": 0.0, "stolen_s": 0.0, "processes": {}}
        changed.setattr(cpu, "_state", lambda: dataclasses.replace(real_state(), **idle))

        def open_(meter: PolledMeter) -> None:
            meter._clock, meter._stop = clock.monotonic, clock.Event()
            real_open(meter)

        def open_trace(trace: Trace) -> None:
            trace._wall_clock = clock.time
            real_trace_open(trace)

        changed.setattr(PolledMeter, "open", open_)
        changed.setattr(Trace, "open", open_trace)
        changed.setattr(FakeWorkload, "clock", clock)
        try:
            yield clock
        finally:
            clock.close()


class VirtualClock:
    """Stands for the modules `time`, `threading` and the class `datetime` of the code under test.

    One thread runs at a time: a thread that was started here runs when the clock reaches the moment until which it
    sleeps or waits, and whoever moved the clock goes on when that thread sleeps again. So readings of a meter come at
    their own moments, however busy the machine is. What the clock does not define comes from the real modules.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.step_s = time.time() - self.now_s
        self.asleep_s = 0.0  # CLOCK_BOOTTIME goes on while a machine sleeps, the monotonic clock does not
        self.ended = False
        self._threads: dict[int, VirtualThread] = {}
        self._waiting: list[VirtualThread] = []
        self._back = threading.Semaphore(0)

    def __getattr__(self, name: str) -> object:
        return next(getattr(real, name) for real in REAL.values() if hasattr(real, name))

    def monotonic(self) -> float:
        return self.now_s

    perf_counter = monotonic

    def time(self) -> float:
        return self.now_s + self.step_s

    def clock_gettime(self, _: int) -> float:
        return self.now_s + self.asleep_s

    def now(self, zone: tzinfo = UTC) -> datetime:
        return datetime.fromtimestamp(self.time(), zone)

    def sleep(self, seconds: float) -> None:
        self.wait(seconds, None)

    def Event(self) -> "VirtualEvent":  # noqa: N802 (the name in `threading`)
        return VirtualEvent(self)

    def Thread(self, *, target: Callable[[], None], **_: object) -> "VirtualThread":  # noqa: N802 (likewise)
        return VirtualThread(self, target)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something in so many seconds."""
        self.Thread(target=lambda: (self.sleep(seconds), call())).start()

    def wait(self, seconds: float, event: "VirtualEvent | None") -> None:
        """Sleep, at most until the event is set."""
        until_s = self.now_s + max(seconds, 0.0)
        thread = self._threads.get(threading.get_ident())
        if thread is not None:
            thread.sleep(until_s, event)
            return
        while event is None or not event.is_set():
            due = min((one for one in self._waiting if one.due_s <= until_s), key=lambda one: one.due_s, default=None)
            if due is None:
                self.now_s = max(self.now_s, until_s)
                return
            self.now_s = max(self.now_s, due.due_s)
            self.run(due)

    def run(self, thread: "VirtualThread") -> None:
        """Let a thread run until it sleeps again or ends."""
        self._waiting.remove(thread)
        thread.turn.release()
        self._back.acquire()

    def wake(self, event: "VirtualEvent") -> None:
        """Make the threads that wait for an event due."""
        for thread in self._waiting:
            if thread.event is event:
                thread.due_s = self.now_s

    def close(self) -> None:
        """End the threads that a test left behind."""
        self.ended = True
        while self._waiting:
            self.run(self._waiting[0])


class ClockEnded(BaseException):
    """Ends a thread that a test left behind."""


class VirtualThread:
    """A real thread that runs only when the clock gives it the turn."""

    def __init__(self, clock: VirtualClock, target: Callable[[], None]) -> None:
        self.clock, self.target = clock, target
        self.turn = threading.Semaphore(0)
        self.due_s, self.event = clock.now_s, None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.due_s = self.clock.now_s
        self.clock._waiting.append(self)
        self.thread.start()

    def sleep(self, until_s: float, event: "VirtualEvent | None") -> None:
        self.due_s, self.event = until_s, event
        if event is not None and event.is_set():
            return
        self.clock._waiting.append(self)
        self.clock._back.release()
        self.turn.acquire()
        if self.clock.ended:
            raise ClockEnded

    def join(self, timeout: float = 1e9) -> None:
        until_s = self.clock.now_s + timeout
        while self in self.clock._waiting and self.due_s <= until_s:
            self.clock.now_s = max(self.clock.now_s, self.due_s)
            self.clock.run(self)

    def is_alive(self) -> bool:
        return self.thread.is_alive()

    def _run(self) -> None:
        self.clock._threads[threading.get_ident()] = self
        self.turn.acquire()
        try:
            if not self.clock.ended:
                self.target()
        except ClockEnded:
            pass
        finally:
            del self.clock._threads[threading.get_ident()]
            self.clock._back.release()


class VirtualEvent:
    """An event whose waiting takes the clock's time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self._set = clock, False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self.clock.wake(self)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float = 1e9) -> bool:
        self.clock.wait(timeout, self)
        return self._set
