"""The load of a host: whether it is quiet now, and how busy it was between two moments."""

import os
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from bench import limits
from bench.lab.look.messages import Load, Quiet
from bench.machine.identity import boot_id
from bench.measure.audit.cpu import CpuAudit, busy_time_s
from bench.measure.audit.gpu import GpuAudit
from bench.results.record import Reason

if TYPE_CHECKING:
    from bench.measure.audit.protocol import Audit

LOOK_S = 1.0  # [s] of one look
_UNQUIET = frozenset({"foreign_load", "cpu_stolen", "cpu_throttled", "cpu_throttled_by_quota", "throttled_hardware"})


def quiet(limit_s: float) -> Quiet:
    """Return whether this host has a quiet second within some time [s], by what makes a run doubtful.

    The login and the start of this program are load themselves, so the first second alone would say little.
    """
    until_s = time.monotonic() + limit_s
    for _ in count():
        reasons = _look()
        if not reasons:
            return Quiet(is_quiet=True)
        if time.monotonic() >= until_s:
            break
    return Quiet(is_quiet=False, detail="; ".join(f"{one.code}: {one.detail}" for one in reasons)[:2000])


def load() -> Load:
    """Return how busy this host was since its boot."""
    return Load(
        busy_s=busy_time_s(),
        cores=os.cpu_count() or 1,
        monotonic_s=time.monotonic(),
        boot_id=boot_id(),
        gpu_processes=tuple(gpu_processes()),
    )


def not_idle(before: Load, after: Load) -> str:
    """Return in words why a host was not idle between two moments, or an empty text."""
    if before.boot_id != after.boot_id:
        return "it was booted"
    span_s = after.monotonic_s - before.monotonic_s
    if span_s <= 0.0:
        return "it was not asked before and after"
    if used := (*before.gpu_processes, *after.gpu_processes):
        return f"a GPU was in use: {used[0]}"
    share = (after.busy_s - before.busy_s) / (span_s * max(after.cores, 1))
    return f"its CPU was busy for {share:.0%}" if share > limits.FOREIGN_LOAD_FRAC else ""


def gpu_processes() -> Iterator[str]:
    """Yield the programs that compute on a GPU of this host."""
    from kernels.gpu.device import GpuError, gpus

    try:
        states = gpus()
    except GpuError:
        return
    for state in states:
        for process in state.processes:
            yield f"gpu:{state.index} by {process.name or 'a program'} (pid {process.pid})"


def _look() -> list[Reason]:
    audits: list[Audit] = [CpuAudit(), *(GpuAudit(index) for index in _gpu_indices())]
    for audit in audits:
        audit.start()
    start_s = time.monotonic()
    threading.Event().wait(LOOK_S)
    reasons = []
    for audit in audits:
        audit.window(start_s, time.monotonic())
        reasons += audit.finish()[1]
    return [reason for reason in reasons if reason.code in _UNQUIET]


def _gpu_indices() -> list[int]:
    from kernels.gpu.device import GpuError, gpus

    try:
        return [state.index for state in gpus()]
    except GpuError:
        return []
