"""The jobs of this host: start one, say how all are, stop one."""

import contextlib
import errno
import os
import secrets
import select
import shutil
import signal
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bench.lab.host import layout
from bench.lab.host.identity import code_version, folder_fault, room_bytes, stamp
from bench.lab.host.sealing import read_ending, read_started, settle, size_bytes
from bench.lab.messages import JobSeen, States
from bench.machine.identity import machine_key
from bench.machine.processes import start_detached
from bench.results.labs.plan import Job
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, is_there
from sites.files import write_file

LEAST_ROOM_BYTES = 256 * MIB  # [byte] a job needs at its start; most results take less than one MiB
_RESERVE_BYTES = MIB  # [byte] that a job keeps for its end, so that it can be sealed on a full disk
_KEEPER_LIMIT_S = 60.0  # [s] that a keeper has to report
_NEW = ".new-"  # beginning of the name of a folder that is being made
_STALE_S = 3600.0  # [s] after which nobody makes it any more
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_KEEP = "from bench.lab.host.keeper import main\nmain()\n"


def refusal(code: str, detail: str = "") -> dict[str, Any]:
    """Return the answer of a host that refuses."""
    return {"refused": code, "detail": detail}


def start(folder: Path, job: Job, by_s: float | None = None) -> dict[str, Any]:
    """Start a job under a keeper of its own, and return its state or the refusal.

    Parameters
    ----------
    folder
        Where this host keeps jobs.
    job
        The job.
    by_s
        Monotonic time of this host after which the measurement must not start any more [s].
    """
    if obstacle := _obstacle(folder, job):
        return obstacle
    try:
        lock = _make_folder(folder, job)
    except FileExistsError:
        return refusal("job_exists")
    except OSError as error:
        return refusal_of(error)
    try:
        answer = _start_keeper(layout.partial(folder, job.id), lock, by_s)
    finally:
        os.close(lock)
    if "refused" in answer:
        shutil.rmtree(layout.partial(folder, job.id), ignore_errors=True)
    return answer


def refusal_of(error: OSError) -> dict[str, Any]:
    """Return the refusal for an error of the system."""
    code = "disk_full" if error.errno in _FULL else "not_writable"
    return refusal(code, f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "))


def _obstacle(folder: Path, job: Job) -> dict[str, Any] | None:
    if job.host_id and job.host_id != machine_key():
        return refusal("answers_for", f"expected machine {job.host_id}, got {machine_key()}")
    if job.perwatt_version != (version := code_version()):
        return refusal("version_differs", f"expected {job.perwatt_version}, got {version}")
    if is_there(layout.whole(folder, job.id)) or is_there(layout.partial(folder, job.id)):
        return refusal("job_exists")
    if fault := folder_fault(folder):
        return refusal("not_writable", fault)
    room = room_bytes(folder)
    if room is not None and room < LEAST_ROOM_BYTES:
        return refusal("disk_full", f"expected {LEAST_ROOM_BYTES // MIB} MiB in {folder}, got {room // MIB} MiB")
    return None


def _make_folder(folder: Path, job: Job) -> int:
    """Make the partial folder of a job and return the descriptor of its lock, which is taken before it has its name."""
    jobs = layout.jobs_folder(folder)
    jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(jobs)
    work = jobs / f"{_NEW}{secrets.token_hex(8)}"
    work.mkdir(mode=0o700)
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, work, ignore_errors=True)
        lock = layout.take_lock(work)
        assert lock is not None
        undo.callback(os.close, lock)
        write_file(work / layout.JOB_FILE, job.model_dump_json(indent=1).encode() + b"\n")
        (work / layout.RESULTS_FOLDER).mkdir()
        with (work / layout.ROOM_FILE).open("xb") as room:
            os.posix_fallocate(room.fileno(), 0, _RESERVE_BYTES)
        if is_there(layout.whole(folder, job.id)):
            raise FileExistsError
        try:
            work.rename(layout.partial(folder, job.id))
        except OSError as error:
            raise FileExistsError if error.errno in {errno.ENOTEMPTY, errno.EEXIST} else error from None
        undo.pop_all()
    return lock


def _sweep(jobs: Path) -> None:
    """Remove what starts that were killed left long ago."""
    for work in jobs.glob(f"{_NEW}*"):
        with contextlib.suppress(OSError):
            if time.time() - work.stat().st_mtime > _STALE_S:
                shutil.rmtree(work)


def _start_keeper(job_folder: Path, lock: int, by_s: float | None) -> dict[str, Any]:
    """Start the keeper, which inherits the lock, and return its report."""
    reading, writing = os.pipe()
    try:
        by = "inf" if by_s is None else repr(by_s)
        start_detached(_KEEP, str(job_folder), str(lock), str(writing), by, keep=(lock, writing))
    finally:
        os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], _KEEPER_LIMIT_S)
        report = os.read(reading, 65536) if ready else b""
    finally:
        os.close(reading)
    if not report:  # the keeper may yet begin, or may be dead: the state of the job says so
        return {"state": "unknown"}
    answer: dict[str, Any] = parse_json(report, "keeper", "a report")
    return answer


def state(folder: Path, ids: Collection[str] | None = None) -> States:
    """Return every job of this host, or those of these ids; a job whose keeper is dead is sealed first."""
    seen = [_seen(folder, id_, ended=ended) for id_, ended in layout.job_names(folder) if ids is None or id_ in ids]
    return States(host_id=machine_key(), now=stamp(), room_bytes=room_bytes(folder), jobs=tuple(seen))


def _seen(folder: Path, id_: str, *, ended: bool) -> JobSeen:
    partial, whole = layout.partial(folder, id_), layout.whole(folder, id_)
    if not ended:
        try:
            with layout.locked(partial) as is_free:
                if not is_free:
                    return JobSeen(id=id_, state="running", started=read_started(partial)[0])
                settle(partial)
        except FileNotFoundError:
            if not is_there(whole):  # else its keeper has just sealed it
                return JobSeen(id=id_, state="dead", code="killed", detail="its folder is not whole")
        except OSError as error:
            answer = refusal_of(error)
            return JobSeen(id=id_, state="dead", code=answer["refused"], detail=answer["detail"])
        except InputError as fault:
            return JobSeen(id=id_, state="dead", code="killed", detail=str(fault)[:2000])
    try:
        ending = read_ending(whole)
        return JobSeen(id=id_, state="ended", started=ending.started, ending=ending, size_bytes=size_bytes(whole))
    except (InputError, OSError) as fault:
        return JobSeen(id=id_, state="dead", code="files_differ", detail=str(fault)[:2000])


def stop(folder: Path, id_: str) -> dict[str, Any]:
    """Ask the keeper of a job to end it, and return what it was doing; a job that has ended stays as it is."""
    partial = layout.partial(folder, id_)
    _, keeper = read_started(partial)
    if keeper is not None:
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(keeper)  # before the look at the lock: a later process of this number is not meant
            try:
                with layout.locked(partial) as is_free:
                    if not is_free:
                        signal.pidfd_send_signal(handle, signal.SIGTERM)
                        return {"stopped": True}
            finally:
                os.close(handle)
    return {"stopped": False}
