"""The files of a job on its host.

`FOLDER/jobs/ID.partial/` while it runs, `FOLDER/jobs/ID/` when it is whole. Names that begin with a dot stay there.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.results.labs.plan import JOB_ID

JOB_FILE, END_FILE, LOG_FILE, MANIFEST_FILE = "job.json", "end.json", "log.txt", "MANIFEST.sha256"
RESULTS_FOLDER = "results"
METER_FILE, DESCRIPTION_FILE = "meter.csv", "meter.csv.json"  # log of a meter
STARTED_FILE, LOCK_FILE, ROOM_FILE = ".started.json", ".keeper.lock", ".room"
PARTIAL = ".partial"


def jobs_folder(folder: Path) -> Path:
    """Return the folder that holds the jobs."""
    return folder / "jobs"


def whole(folder: Path, id_: str) -> Path:
    """Return the folder of a job that has ended."""
    return jobs_folder(folder) / id_


def partial(folder: Path, id_: str) -> Path:
    """Return the folder of a job that has not ended."""
    return jobs_folder(folder) / f"{id_}{PARTIAL}"


def job_names(folder: Path) -> list[tuple[str, bool]]:
    """Return the id of every job of a host and whether it has ended."""
    try:
        names = sorted(entry.name for entry in os.scandir(jobs_folder(folder)))
    except FileNotFoundError:
        return []
    return [
        (name.removesuffix(PARTIAL), not name.endswith(PARTIAL))
        for name in names
        if re.fullmatch(JOB_ID, name.removesuffix(PARTIAL))
    ]


def take_lock(job_folder: Path) -> int | None:
    """Return the descriptor of a job's lock, which its keeper holds while it lives; None if somebody holds it."""
    descriptor = os.open(job_folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(job_folder: Path) -> Iterator[bool]:
    """Hold a job's lock within the body, if it is free; yield whether it was."""
    descriptor = take_lock(job_folder)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)
