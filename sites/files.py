"""Files and folders written completely or not at all, and file names made from names of sites."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 80


def check_new(target: Path) -> None:
    """Raise InputError when a path exists, or lies below a file, so that nothing new can be written there."""
    if target.exists() or target.is_symlink():
        raise InputError(
            f"{target}: expected a path that does not exist yet (nothing is overwritten), got one that does"
        )
    _check_parents(target)


def check_folder(target: Path) -> None:
    """Raise InputError when a path is no folder, and none can be made there."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: expected a folder, got a file")
    _check_parents(target)


def _check_parents(target: Path) -> None:
    for parent in target.parents:
        if parent.exists() and not parent.is_dir():
            raise InputError(f"{target}: expected a folder that can be made, got {parent}, which is a file")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside the target, which becomes the target when the body ends without an error.

    Everything in it is flushed to disk before the rename. On an error it is removed, and the target does not exist.

    Raises InputError when the target exists, or its parent is no folder that can be written to.
    """
    target = Path(target)
    check_new(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    except OSError as error:
        raise InputError(f"{target}: expected a folder that can be made, got {_obstacle(target, error)}") from None
    try:
        yield work
        for path in sorted(work.rglob("*"), reverse=True):
            _flush(path)
        _flush(work)
        work.chmod(0o755)
        work.rename(target)
        _flush(target.parent)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def write_file(target: Path, content: bytes) -> None:
    """Write one file whole or not at all, replacing what was there.

    Raises InputError when its parent is no folder that can be written to, OSError naming the target where the system
    refuses (a full disk); nothing half-written is left.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise InputError(f"{target}: expected a file that can be written, got {_obstacle(target, error)}") from None
    work = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        work.chmod(0o644)
        work.replace(target)
        _flush(target.parent)
    except IsADirectoryError:
        work.unlink(missing_ok=True)
        raise InputError(f"{target}: expected a file, got a folder") from None
    except OSError as error:
        work.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(target)) from error
    except BaseException:
        work.unlink(missing_ok=True)
        raise


def _obstacle(target: Path, error: OSError) -> str:
    for parent in target.parents:
        if parent.exists() and not parent.is_dir():
            return f"{parent}, which is a file"
    return str(error.strerror or error)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def slug(name: str) -> str:
    """Name as a file name: lower case, digits and dashes, at most 80 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold())[:LONGEST].strip("-") or "site"


def slugs(names: Iterable[str]) -> list[str]:
    """Slug of each name, no two the same: the second of one slug gets -2, the third -3, past any name that is that."""
    wanted = [slug(name) for name in names]
    taken: set[str] = set()
    found = []
    for base in wanted:
        one, number = base, 1
        while one in taken or (number > 1 and one in wanted):
            number += 1
            one = f"{base}-{number}"
        taken.add(one)
        found.append(one)
    return found
