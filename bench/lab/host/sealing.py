"""The sealing of a job that has ended: its ending, the digests of its files, and its final name, each flushed.

A job whose keeper was killed is sealed by whoever looks next, so that the results that it wrote can be collected.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.lab.host import layout
from bench.lab.host.identity import code_version, room_bytes, stamp
from bench.machine.identity import boot_id, machine_key
from bench.results.integrity.digests import digests_text, file_digest
from bench.results.labs.ending import Ending, Stamp
from bench.results.labs.plan import Job
from bench.results.layout import RECORD_FILE
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, is_there, read_input
from hardware_profiles.reading import validate
from sites.files import flush, write_file

JOB_JSON = Kind("file of a lab job", MIB, stdin=False)
LARGEST_LOG_BYTES = MIB
_TRAVEL = frozenset({layout.JOB_FILE, layout.END_FILE, layout.LOG_FILE, layout.METER_FILE, layout.DESCRIPTION_FILE})
FULL_BYTES = 64 * 1024  # [byte] of free room below which a disk is full


def read_job(job_folder: Path) -> Job:
    """Return the job of a folder; raise InputError if its file is missing or faulty."""
    path = job_folder / layout.JOB_FILE
    return validate(Job, parse_json(read_input(path, JOB_JSON), path, JOB_JSON.name), path)


def read_ending(job_folder: Path) -> Ending:
    """Return the ending of a job's folder; raise InputError if its file is missing or faulty."""
    path = job_folder / layout.END_FILE
    return validate(Ending, parse_json(read_input(path, JOB_JSON), path, JOB_JSON.name), path)


def read_started(job_folder: Path) -> tuple[Stamp | None, int | None]:
    """Return when the measurement of a job was started and the process of its keeper; None for what is not known."""
    path = job_folder / layout.STARTED_FILE
    try:
        content = parse_json(read_input(path, JOB_JSON), path, JOB_JSON.name)
        return validate(Stamp, content["stamp"], path), int(content["keeper_pid"])
    except (InputError, KeyError, TypeError, ValueError):
        return None, None


class Outcome(NamedTuple):
    """How the measurement of a job went."""

    exit_status: int | None  # of `perwatt run`; None if nobody saw it
    reason: str = ""  # code why nothing was measured
    detail: str = ""


def ending_of(job_folder: Path, job: Job, outcome: Outcome, started: Stamp | None) -> Ending:
    """Return the ending of a job that ends now."""
    return Ending(
        job=job.id,
        host=job.host,
        host_id=machine_key(),
        perwatt_version=code_version(),
        exit_status=outcome.exit_status,
        reason=outcome.reason,
        detail=outcome.detail[:2000],
        started=started,
        ended=stamp(),
        results=tuple(result_ids(job_folder)),
    )


def seal(job_folder: Path, ending: Ending | None = None) -> Path:
    """Seal a job's folder and return its final path; what an earlier attempt at it did is kept.

    Parameters
    ----------
    job_folder
        Its partial folder; the caller holds its lock.
    ending
        How it ended; None if end.json is there already.

    Raises
    ------
    OSError
        The system refuses; the folder stays partial, and a later attempt may succeed.
    """
    (job_folder / layout.ROOM_FILE).unlink(missing_ok=True)
    _shorten(job_folder / layout.LOG_FILE)
    if ending is not None and not is_there(job_folder / layout.END_FILE):
        write_file(job_folder / layout.END_FILE, ending.model_dump_json(indent=1).encode() + b"\n")
    digests = {name: file_digest(job_folder / name) for name in sorted(file_names(job_folder))}
    write_file(job_folder / layout.MANIFEST_FILE, digests_text(digests).encode())
    for name in digests:
        flush(job_folder / name)
    final = job_folder.with_name(job_folder.name.removesuffix(layout.PARTIAL))
    job_folder.rename(final)
    flush(final.parent)
    return final


def settle(job_folder: Path) -> Path:
    """Seal the folder of a job whose keeper is dead, with the reason that can be known, and return its final path.

    Raises
    ------
    InputError
        Its job.json is faulty.
    OSError
        The system refuses.
    """
    if is_there(job_folder / layout.END_FILE):
        return seal(job_folder)
    job = read_job(job_folder)
    started, _ = read_started(job_folder)
    if started is None:
        outcome = Outcome(None, "killed", "before the measurement began")
    elif started.boot_id != boot_id():
        outcome = Outcome(None, "reboot")
    elif (room_bytes(job_folder) or 0) < FULL_BYTES:
        outcome = Outcome(None, "disk_full")
    else:
        outcome = Outcome(None, "killed", "its keeper does not run any more")
    ending = ending_of(job_folder, job, outcome, started)
    return seal(job_folder, ending.model_copy(update={"ended": None}))


def result_ids(job_folder: Path) -> Iterator[str]:
    """Yield the ids of the complete results of a job."""
    results = job_folder / layout.RESULTS_FOLDER
    if is_there(results):
        for path in sorted(results.iterdir()):
            if not path.name.startswith(".") and is_there(path / RECORD_FILE):
                yield path.name


def file_names(job_folder: Path) -> Iterator[str]:
    """Yield the files of a job that travel, relative to its folder; nothing whose name begins with a dot."""
    for path in sorted(job_folder.iterdir()):
        if path.name in _TRAVEL and _is_plain_file(path):
            yield path.name
    for id_ in result_ids(job_folder):
        for path in sorted((job_folder / layout.RESULTS_FOLDER / id_).iterdir()):
            if not path.name.startswith(".") and _is_plain_file(path):
                yield f"{layout.RESULTS_FOLDER}/{id_}/{path.name}"


def size_bytes(job_folder: Path) -> int:
    """Return the size of the files of a job that travel [byte]."""
    return sum((job_folder / name).stat().st_size for name in file_names(job_folder))


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _shorten(log: Path) -> None:
    """Keep the end of a long log, where the error stands."""
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        with log.open("rb") as file:
            file.seek(-LARGEST_LOG_BYTES, os.SEEK_END)
            write_file(log, b"(the beginning is cut off)\n" + file.read())
