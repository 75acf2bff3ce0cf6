"""Bounded reading of the files of a results folder, which other people and programs can write to."""

import os
import stat
from pathlib import Path

from hardware_profiles.errors import InputError

RECORD_BYTES = 16 * 2**20  # [byte] of result.json; a long run takes 1 MiB
SAMPLES_BYTES = 2**30  # [byte] of samples.parquet
SMALL_BYTES = 2**16  # [byte] of a file of digests, of a signature or of allowed signers
_CHUNK_BYTES = 2**20
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind_of(mode: int) -> str:
    """Return the kind of a file from its mode, as an error message names it."""
    return _KINDS.get(stat.S_IFMT(mode), "a file")


def read_stored(path: Path | str, most_bytes: int) -> bytes:
    """Return the bytes of a regular file, without waiting for a writer and without reading more than a limit.

    Raises
    ------
    InputError
        The path is not a regular file, or is larger than the limit.
    OSError
        The system refuses.
    """
    _check_kind(path, os.stat(path).st_mode)  # noqa: PTH116 (a text is faster); before it is opened: opening a device can act on it
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 (a descriptor)
        status = os.fstat(handle)
        _check_kind(path, status.st_mode)  # it may have been exchanged
        _check_size(path, status.st_size, most_bytes)
        content = file.read(status.st_size)
        while part := file.read(_CHUNK_BYTES):  # it grows
            content += part
            _check_size(path, len(content), most_bytes)
    return content


def _check_kind(path: Path | str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: expected a regular file, got {kind_of(mode)}")


def _check_size(path: Path | str, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise InputError(f"{path}: expected at most {most_bytes:,} bytes, got more")
