"""The storing of a received job: results to the results folder, the rest to the book; complete, or not at all.

Every step can be interrupted: the next collecting meets what is there, finds it equal, and goes on.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bench.lab.collect.check import JobRefusedError
from bench.lab.host.layout import RESULTS_FOLDER
from bench.results.integrity.digests import file_digest
from hardware_profiles.opening import is_there
from sites.files import flush

_IN_THE_WAY = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR})


def flush_all(folder: Path) -> None:
    """Flush every file and folder of a received job."""
    for path in sorted(folder.rglob("*"), reverse=True):
        flush(path)
    flush(folder)


def store_job(folder: Path, results: Path, jobs: Path, id_: str, digests: Mapping[str, str]) -> None:
    """Give a received job its places.

    Parameters
    ----------
    folder
        Where it was unpacked, on the file system of the results, and flushed.
    results
        The results folder.
    jobs
        The folder of the collected jobs of the run.
    id_
        The job.
    digests
        SHA-256 digest of each of its files, by path.

    Raises
    ------
    JobRefusedError
        Something else of one of its names is there already; nothing was overwritten.
    OSError
        The system refuses.
    """
    of_results = {path: sha256 for path, sha256 in digests.items() if path.startswith(f"{RESULTS_FOLDER}/")}
    ids = sorted({path.split("/")[1] for path in of_results})
    for result in ids:  # all are checked before the first is moved
        _check_place(results / result, _below(of_results, f"{RESULTS_FOLDER}/{result}/"))
    for result in ids:
        _move(folder / RESULTS_FOLDER / result, results / result, _below(of_results, f"{RESULTS_FOLDER}/{result}/"))
    flush(results)
    with contextlib.suppress(OSError):
        (folder / RESULTS_FOLDER).rmdir()
    jobs.mkdir(exist_ok=True)
    _move(folder, jobs / id_, {path: sha256 for path, sha256 in digests.items() if path not in of_results})
    flush(jobs)


def _below(digests: Mapping[str, str], start: str) -> dict[str, str]:
    return {path.removeprefix(start): sha256 for path, sha256 in digests.items() if path.startswith(start)}


def _move(folder: Path, target: Path, digests: Mapping[str, str]) -> None:
    """Rename a folder, unless an equal one is there already."""
    if not _check_place(target, digests):
        try:
            folder.rename(target)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            _check_place(target, digests)  # another command was faster
        else:
            return
    shutil.rmtree(folder)


def _check_place(target: Path, digests: Mapping[str, str]) -> bool:
    """Return whether equal files are at a place already; refuse others. A signature may have been added since."""
    if not os.path.lexists(target):
        return False
    for name, sha256 in digests.items():
        path = target / name
        if not is_there(path) or path.is_symlink() or file_digest(path) != sha256:
            raise JobRefusedError("other_bytes", str(path))
    return True
