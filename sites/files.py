"""Atomic writers of files and folders, and file names made from names of sites."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_SLUG_LENGTH = 80
_NO_FOLDER_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Answers of file systems that cannot flush a folder: CIFS before Linux 4.17, sshfs, vboxsf, DrvFs."""


class UnflushedError(OSError):
    """The target is complete under its name, but the system could not flush the folder that holds it."""


def check_new(target: Path) -> None:
    """Raise InputError if a path exists or is below a file."""
    if target.exists() or target.is_symlink():
        raise InputError(
            f"{target}: expected a path that does not exist yet (nothing is overwritten), got an existing one"
        )
    _check_parents(target)


def check_folder(target: Path) -> None:
    """Raise InputError if a path is not a folder and a folder cannot be made there."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: expected a folder, got a file")
    _check_parents(target)


def _check_parents(target: Path) -> None:
    for parent in target.parents:
        if parent.exists() and not parent.is_dir():
            raise InputError(f"{target}: expected a folder that can be made, got {parent}, which is a file")


@contextmanager
def new_folder(target: Path, prefix: str = "") -> Iterator[Path]:
    """Yield a temporary folder, which is flushed and renamed to the target when the body ends without an error.

    After an error the temporary folder is removed, and the target does not exist, except after `UnflushedError`.

    Parameters
    ----------
    prefix
        Beginning of the temporary folder's name; by default the target's name after a dot.

    Raises
    ------
    InputError
        The target exists, or its parent is not a writable folder.
    UnflushedError
        The target is complete, but a crash of the machine may lose it.
    """
    target = Path(target)
    check_new(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = _temporary(target, prefix)
        work.mkdir()
    except OSError as error:
        raise InputError(f"{target}: expected a folder that can be made, got {_obstacle(target, error)}") from None
    try:
        yield work
        for path in sorted(work.rglob("*"), reverse=True):
            flush(path)
        flush(work)
        work.rename(target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    _flush_parent(target)


def write_file(target: Path, content: bytes) -> None:
    """Write a file completely or not at all, replacing an existing one.

    Raises
    ------
    InputError
        The parent is not a writable folder, or the target is a folder.
    OSError
        The system refuses (a full disk); the error names the target.
    UnflushedError
        The target is complete, but a crash of the machine may lose it.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = _temporary(target)
        file = work.open("xb")
    except OSError as error:
        raise InputError(f"{target}: expected a file that can be written, got {_obstacle(target, error)}") from None
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        work.replace(target)
    except IsADirectoryError:
        work.unlink(missing_ok=True)
        raise InputError(f"{target}: expected a file, got a folder") from None
    except OSError as error:
        work.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(target)) from error
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    _flush_parent(target)


def _temporary(target: Path, prefix: str = "") -> Path:
    return target.with_name(f"{prefix or f'.{target.name}.'}{secrets.token_hex(4)}.tmp")


def _obstacle(target: Path, error: OSError) -> str:
    for parent in target.parents:
        if parent.exists() and not parent.is_dir():
            return f"{parent}, which is a file"
    return str(error.strerror or error)


def flush(path: Path) -> bool:
    """Flush a file or a folder to the disk, and return whether its file system can flush this kind.

    Some file systems cannot flush a folder. The files in it are flushed all the same, so that is not an error.

    Raises
    ------
    OSError
        The system could not flush it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in _NO_FOLDER_FLUSH and path.is_dir():
            return False
        raise
    finally:
        os.close(handle)
    return True


def _flush_parent(target: Path) -> None:
    """Flush the folder that holds a target, so that the target's new name survives a crash of the machine."""
    try:
        flush(target.parent)
    except OSError as error:
        raise UnflushedError(error.errno, error.strerror, str(target)) from error


def slug(name: str) -> str:
    """Return a name as a file name: lower case, digits and dashes, at most 80 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold())[:MAX_SLUG_LENGTH].strip("-") or "site"


def slugs(names: Iterable[str]) -> list[str]:
    """Return a different slug for each name; repeated ones get the suffix -2, -3 or the next free number."""
    bases = [slug(name) for name in names]
    unique: list[str] = []
    for base in bases:
        candidate, number = base, 1
        while candidate in unique or (number > 1 and candidate in bases):
            number += 1
            candidate = f"{base}-{number}"
        unique.append(candidate)
    return unique
