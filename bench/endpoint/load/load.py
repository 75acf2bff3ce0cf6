"""A running load: its processes, their reports, and the tokens between any two times."""

import math
import subprocess
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from pydantic import TypeAdapter, ValidationError

from bench.endpoint.load.messages import BIN_NS, Report, Request
from bench.endpoint.load.plan import LoadPlan
from bench.errors import RunFailedError
from bench.machine.processes import start_python

SLOTS_PER_PROCESS = 250
STOP_S = 60.0  # [s] for a process to report what is unfinished, on however busy a machine
_CODE = "from bench.endpoint.load.worker import main\nmain()\n"
_PLAN, _REPORT = TypeAdapter(LoadPlan), TypeAdapter(Report)


@dataclass(slots=True)
class ClientState:
    """What the processes of the client say of themselves."""

    cpu_s: float = 0.0  # [s] CPU time so far
    largest_lag_s: float = 0.0  # [s] by which an event loop was late, at most
    in_flight: int = 0
    waited_s: float = 0.0  # [s] for which they were ready and waited for a core so far
    last_text_s: float = 0.0  # [s, monotonic] when the last text came; 0 if none has

    @property
    def busy_s(self) -> float:
        """Time for which they worked or would have [s]: a process that waits for a core is no less the limit."""
        return self.cpu_s + self.waited_s


class Load:
    """The processes of one load; `requests` and the tokens grow while it runs."""

    def __init__(self, plans: Sequence[LoadPlan]) -> None:
        self.requests: list[Request] = []
        self._tokens: defaultdict[int, float] = defaultdict(float)
        self._totals: tuple[list[int], list[float]] | None = None  # bins, and the tokens before each
        self._states = [ClientState() for _ in plans]
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._damaged = ""
        self.stopped = False
        for number, plan in enumerate(plans):
            process = start_python(_CODE)
            self._processes.append(process)
            if process.stdin is not None:
                process.stdin.write(_PLAN.dump_json(plan) + b"\n")
                process.stdin.flush()
            thread = threading.Thread(target=self._listen, args=(number, process), daemon=True, name=f"load {number}")
            thread.start()
            self._threads.append(thread)

    @property
    def processes(self) -> int:
        """Number of processes."""
        return len(self._processes)

    @property
    def state(self) -> ClientState:
        """The processes together: CPU time and requests in flight added up, the largest delay, the last text."""
        with self._lock:
            return ClientState(
                sum(state.cpu_s for state in self._states),
                max(state.largest_lag_s for state in self._states),
                sum(state.in_flight for state in self._states),
                sum(state.waited_s for state in self._states),
                max(state.last_text_s for state in self._states),
            )

    def forget_lag(self) -> None:
        """Begin anew to look for the largest delay: a window is about to begin."""
        with self._lock:
            for state in self._states:
                state.largest_lag_s = 0.0

    def check(self) -> None:
        """Raise if a process of the load has ended by itself.

        Raises
        ------
        RunFailedError
            It has.
        """
        dead = [process.returncode for process in self._processes if process.poll() is not None]
        if dead or self._damaged:
            raise RunFailedError(f"a process of the load ended by itself: {self._damaged or f'status {dead[0]}'}")

    def tokens_between(self, start_s: float, end_s: float) -> float:
        """Return the tokens that came between two times [s, monotonic], by the millisecond.

        The tokens of a request are known once it has ended; a window is complete after `stop`.
        """
        first, last = math.floor(start_s * 1e9 / BIN_NS), math.floor(end_s * 1e9 / BIN_NS)
        with self._lock:
            if self._totals is None:
                bins = sorted(self._tokens)
                self._totals = bins, [0.0, *accumulate(self._tokens[bin_] for bin_ in bins)]
            bins, totals = self._totals
            return totals[bisect_left(bins, last)] - totals[bisect_left(bins, first)]

    def stop(self) -> None:
        """End the load; the processes report what is unfinished. May be called twice."""
        self.stopped = True
        for process in self._processes:
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()
        for process, thread in zip(self._processes, self._threads, strict=True):
            thread.join(STOP_S)
            if thread.is_alive():
                process.kill()
                thread.join()
            process.wait()

    def _listen(self, number: int, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                try:
                    report = _REPORT.validate_json(line)
                except ValidationError as error:
                    self._damaged = f"damaged report: {error.errors()[0]['msg']}"
                    return
                with self._lock:
                    self.requests += report.requests
                    self._totals = None
                    for bin_, tokens in report.tokens:
                        self._tokens[bin_] += tokens
                    state = self._states[number]
                    state.cpu_s, state.in_flight = report.cpu_s, report.in_flight
                    state.waited_s, state.last_text_s = report.waited_s, report.last_text_ns * 1e-9
                    state.largest_lag_s = max(state.largest_lag_s, report.largest_lag_s)


def split_slots(plan: LoadPlan, slots: int, processes: int | None = None) -> list[LoadPlan]:
    """Return the plans of the processes that share `slots` of a closed loop.

    Parameters
    ----------
    plan
        The plan of the whole load; its slots and indices are replaced.
    slots
        Requests at a time.
    processes
        Number of processes, at most one for each slot; None takes one for every SLOTS_PER_PROCESS slots.
    """
    count = min(processes or math.ceil(slots / SLOTS_PER_PROCESS), slots)
    return [
        replace(plan, slots=tuple(range(part, slots, count)), first_index=part, index_step=count)
        for part in range(count)
    ]


def split_arrivals(plan: LoadPlan, arrivals_s: Sequence[float], processes: int = 1) -> list[LoadPlan]:
    """Return the plans of the processes that share the schedule of an open loop."""
    return [
        replace(plan, arrivals_s=tuple(arrivals_s[part::processes]), first_index=part, index_step=processes)
        for part in range(processes)
    ]
