"""What a Dask worker runs on its host: it starts a job, or finds it started, and watches until it has ended.

The measurement itself is no part of the worker: its keeper goes on when the worker dies. So a task that Dask runs a
second time watches the job that is there, and never measures twice.
"""

import io
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from bench.lab.host.answer import answer
from bench.lab.host.bundle import write_bundle

WATCH_S = 2.0  # [s] between two looks at the job; each is one try of a file lock
PIECE_BYTES = 2**25


def measure(folder: str, job: dict[str, Any], start_by_s: float) -> dict[str, Any]:
    """Start a job and return how it ended, as in the answer of `state`, or the refusal.

    Parameters
    ----------
    folder
        Where this host keeps jobs.
    job
        The job.
    start_by_s
        Wall clock after which it must not start any more [s].
    """
    job_id = str(job["id"])
    seen = _seen(folder, job_id)
    if seen["state"] in {"absent", "unknown"}:
        if time.time() > start_by_s:
            return {"refused": "late", "detail": ""}
        began = answer("start", folder, {"job": job, "within_s": start_by_s - time.time()})
        if "refused" in began and began["refused"] != "job_exists":
            return began
        seen = _seen(folder, job_id)
    if seen["state"] == "running":
        _leave_pool()
    while seen["state"] in {"running", "unknown"}:
        time.sleep(WATCH_S)
        seen = _seen(folder, job_id)
    return seen


def bundle_piece(folder: str, job_ids: list[str], offset: int) -> bytes:
    """Return the next bytes of the tar of finished jobs, which is the same at every call; none at its end.

    Parameters
    ----------
    folder
        Where this host keeps jobs.
    job_ids
        The jobs.
    offset
        Number of bytes that are known already.
    """
    piece = _Piece(offset)
    with suppress(_FullError):
        write_bundle(Path(folder).expanduser(), job_ids, cast("BinaryIO", piece))
    return bytes(piece.content)


class _FullError(Exception):
    """A piece is full."""


class _Piece(io.RawIOBase):
    """A stream that keeps some bytes of what is written to it."""

    def __init__(self, offset: int) -> None:
        self.content = bytearray()
        self._skip = offset

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, content: Any, /) -> int:
        """Keep what lies in the piece."""
        passed = min(self._skip, len(content))
        self._skip -= passed
        self.content += content[passed : passed + PIECE_BYTES - len(self.content)]
        if len(self.content) == PIECE_BYTES:
            raise _FullError
        return len(content)


def _seen(folder: str, job_id: str) -> dict[str, Any]:
    said = answer("state", folder, {"jobs": [job_id]})
    if "refused" in said:
        return {"state": "unknown"}
    seen: dict[str, Any] = next(iter(said["jobs"]), {"state": "absent"})
    return seen


def _leave_pool() -> None:
    """Leave the only thread of the worker to short requests while this one waits."""
    from distributed import secede

    secede()
