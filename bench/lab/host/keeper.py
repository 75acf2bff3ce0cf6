"""The keeper of one job: a small process of its own session that starts `perwatt run`, waits, and seals the job.

It survives the loss of the connection, of a Dask worker and of the controller. Nothing of the job outlives it: the
kernel kills `perwatt run` if the keeper is killed, and at the deadline the keeper ends the whole group. So after the
deadline the host is surely idle, even if nobody can reach it to ask.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.lab.host import layout
from bench.lab.host.identity import devices, room_bytes, stamp
from bench.lab.host.sealing import FULL_BYTES, Outcome, ending_of, read_job, seal
from bench.machine.endings import endings_raise, endings_wait
from bench.machine.identity import NAME_VARIABLE
from bench.machine.locks import hold
from bench.machine.processes import start_tied
from bench.machine.variables import SUPERSEDES
from bench.results.labs.ending import Stamp
from bench.results.labs.plan import Job
from sites.files import write_file

LEASE = "lab:lease"
"""Lock of the machine that the keeper of the one running job holds, whatever user and folder it has."""
GRACE_S = 10.0  # [s] between the request to end and the kill
_SUBREAPER = 36  # prctl: orphans of the job become children of the keeper
_RUN = "from bench.__main__ import main\nmain()\n"


def main() -> None:
    """Keep the job of a partial folder; arguments: the folder, the descriptors of its lock and of the report, the time.

    The measurement does not start after that monotonic time.
    """
    folder, _, report, by_s = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    job = read_job(folder)
    lease = f"lab:{job.device}" if job.is_log else LEASE  # a log is no measurement of this host
    with hold([lease]) as held:
        if lease in held.unlocked:
            _report(report, {"refused": "no_lease", "detail": held.unlocked[lease]})
        elif lease in held.busy:
            _report(report, {"refused": "busy", "detail": ""})
        else:
            _keep(folder, job, report, by_s)


def _keep(folder: Path, job: Job, report: int, by_s: float) -> None:
    try:
        arguments = run_arguments(job, folder / layout.RESULTS_FOLDER)
    except LookupError as fault:
        _report(report, {"refused": "device_missing", "detail": str(fault)})
        return
    reason, status = "", None
    started = stamp()
    if started.monotonic_s > by_s:
        _report(report, {"refused": "late", "detail": ""})
        return
    variables = {NAME_VARIABLE: job.host, SUPERSEDES: job.supersedes_result or ""}
    note = {"stamp": started.model_dump(), "keeper_pid": os.getpid()}
    write_file(folder / layout.STARTED_FILE, json.dumps(note).encode())
    with (folder / layout.LOG_FILE).open("wb") as log:
        child: subprocess.Popen[bytes] | None = None
        try:
            with endings_raise():
                child = start_tied(_RUN, *arguments, output=log, variables=variables)
                _report(report, {"state": "running", "started": started.model_dump()})
                reason = "" if _wait(child, started.monotonic_s + job.deadline_s) else "deadline"
        except KeyboardInterrupt:
            reason = "cancelled"
        with endings_wait():
            status = _end(child, at_once=not reason)
    with endings_wait():
        _seal(folder, job, started, reason, status)


def _seal(folder: Path, job: Job, started: Stamp, reason: str, status: int | None) -> None:
    detail = "" if status == 0 else _last_line(folder / layout.LOG_FILE)
    if not reason and status != 0:
        reason = "killed" if status is not None and status < 0 else "measurement_failed"
        is_full = "No space left" in detail or (room_bytes(folder) or 0) < FULL_BYTES  # the log is then empty
        reason = "disk_full" if is_full else reason
    with contextlib.suppress(OSError):  # whoever asks for the state next tries again
        seal(folder, ending_of(folder, job, Outcome(status, reason, detail), started))


def run_arguments(job: Job, results: Path) -> list[str]:
    """Return the arguments of perwatt for a job on this host.

    Raises
    ------
    LookupError
        The GPU of the job is not in this host.
    """
    if job.is_log:
        return ["meter", "log", *job.argv, "--out", str(results.parent / layout.METER_FILE)]
    device: list[str] = []
    if job.device.startswith("gpu:"):
        index = next((seen.index for seen in devices() if seen.device == job.device), None)
        if index is None:
            raise LookupError(job.device)
        device = ["--device", f"gpu:{index}"]
    return ["run", *job.argv, *device, "--out", str(results)]


def _wait(child: subprocess.Popen[bytes], until_s: float) -> bool:
    """Wait for the end of a child, without polling; return False if it is still there at a monotonic time [s]."""
    handle = os.pidfd_open(child.pid)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        while (left_s := until_s - time.monotonic()) > 0:
            if poller.poll(min(left_s, 3600.0) * 1000):
                return True
        return False
    finally:
        os.close(handle)


def _end(child: subprocess.Popen[bytes] | None, *, at_once: bool) -> int | None:
    """End all that is left of a job, and return the exit status of its first process; None if it never was."""
    status = None
    if child is not None:
        if not at_once:
            _signal_group(child.pid, signal.SIGTERM)
            _wait(child, time.monotonic() + GRACE_S)
        _signal_group(child.pid, signal.SIGKILL)
        status = child.wait()
    _kill_orphans()
    return status


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _kill_orphans() -> None:
    """Kill the descendants that have left the group of the job; they are children of this process by now."""
    import psutil

    for orphan in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            orphan.kill()


def _last_line(log: Path) -> str:
    try:
        lines = log.read_bytes()[-4000:].decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:500]


def _report(descriptor: int, answer: dict[str, Any]) -> None:
    """Tell the process that started this one how it went; it may be gone."""
    with contextlib.suppress(OSError):
        os.write(descriptor, json.dumps(answer).encode() + b"\n")
        os.close(descriptor)
