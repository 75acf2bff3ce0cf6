"""Atomic writers of files and folders, and file names made from names of sites."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from hardware_profiles.opening import AnonymousFileError, file_kind, is_folder, is_there, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

MAX_SLUG_LENGTH = 80
_NO_FOLDER_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Answers of file systems that cannot flush a folder: CIFS before Linux 4.17, sshfs, vboxsf, DrvFs."""

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Answers of file systems without hard links, such as FAT."""


class PartlyWrittenError(OSError):
    """A FIFO or a device took a part of the content at most."""


class UnflushedError(OSError):
    """The target is complete under its name, but the system could not flush the folder that holds it."""


def check_new(target: Path) -> None:
    """Raise InputError if a path exists or is below a file."""
    if os.path.lexists(target):
        raise InputError(
            f"{target}: expected a path that does not exist yet (nothing is overwritten), got an existing one"
        )
    _check_parents(target)


def check_folder(target: Path) -> None:
    """Raise InputError if a path is not a folder and a folder cannot be made there."""
    if is_there(target) and not is_folder(target):
        raise InputError(f"{target}: expected a folder, got a file")
    _check_parents(target)


def _check_parents(target: Path) -> None:
    for parent in target.parents:
        if is_there(parent) and not is_folder(parent):
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
    """Write a file completely or not at all, replacing an existing regular file of the user, whose mode is kept.

    A link is followed to its target as `resolved` does. A FIFO, a character device and a pipe such as /dev/stdout are
    written through; they are never replaced.

    Raises
    ------
    InputError
        The parent is not a writable folder, or the target is a folder, a socket, a block device, another user's file
        or a link to nothing.
    PartlyWrittenError
        A FIFO or device refused the content after a part of it.
    OSError
        The system refuses (a full disk); the error names the target. An earlier file is unchanged.
    UnflushedError
        The target is complete, but a crash of the machine may lose it.
    """
    target = Path(target)
    try:
        status = _existing(target)
        if status is not None and not stat.S_ISREG(status.st_mode):
            _write_through(target, content)
            return
        real = target if status is None else Path(resolved(target))
        if status is None:
            real.parent.mkdir(parents=True, exist_ok=True)
        work = _temporary(real)
        file = work.open("xb")  # a new name, so no link is followed
    except PartlyWrittenError:
        raise
    except OSError as error:
        raise InputError(f"{target}: expected a file that can be written, got {_obstacle(target, error)}") from None
    try:
        with file:
            if status is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            _fill(file, content)
        _existing(real)  # again, because it may have changed
        work.replace(real)
    except OSError as error:
        work.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(target)) from error
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    _flush_parent(real)


def write_new(target: Path, content: bytes) -> None:
    """Write a file that does not exist yet, completely or not at all; an existing one is never replaced.

    Raises
    ------
    InputError
        The target exists, or its parent is not a writable folder.
    OSError
        The system refuses (a full disk); the error names the target.
    UnflushedError
        The target is complete, but a crash of the machine may lose it.
    """
    target = Path(target)
    check_new(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = _temporary(target)
        file = work.open("xb")
    except OSError as error:
        raise InputError(f"{target}: expected a file that can be written, got {_obstacle(target, error)}") from None
    try:
        with file:
            _fill(file, content)
        _link(work, target)
    except FileExistsError:
        check_new(target)
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        work.unlink(missing_ok=True)
    _flush_parent(target)


def _existing(target: Path) -> os.stat_result | None:
    """Return the status of a target that exists and may be written; None if there is nothing."""
    if not os.path.lexists(target):
        return None
    try:
        status = os.lstat(resolved(target))
    except AnonymousFileError:
        return target.stat()
    except FileNotFoundError:
        raise InputError(f"{target}: expected a file, got a link to no file") from None
    kind = file_kind(status.st_mode)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode)):
        raise InputError(f"{target}: expected a file, got {kind}")
    if status.st_uid != os.geteuid() and not stat.S_ISCHR(status.st_mode):
        raise InputError(f"{target}: expected a file of the user, got {kind} of user {status.st_uid}")
    return status


def _link(work: Path, target: Path) -> None:
    """Give a file its name unless the name exists; a file system without hard links cannot rule out a race."""
    try:
        os.link(work, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        check_new(target)
        work.rename(target)


def _fill(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _write_through(target: Path, content: bytes) -> None:
    """Write to a FIFO, a device or a pipe; a FIFO that nobody reads is refused at once."""
    descriptor = os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        raise PartlyWrittenError(error.errno, error.strerror, str(target)) from error


def _temporary(target: Path, prefix: str = "") -> Path:
    return target.with_name(f"{prefix or f'.{target.name}.'}{secrets.token_hex(8)}.tmp")


def _obstacle(target: Path, error: OSError) -> str:
    for parent in target.parents:
        if is_there(parent) and not is_folder(parent):
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
        if error.errno in _NO_FOLDER_FLUSH and is_folder(path):
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
