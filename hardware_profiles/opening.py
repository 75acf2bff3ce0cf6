"""The one place where files of users are opened: regular files within a limit of size, through links that are ours.

A file that the user names may be any regular file, or `-` for standard input. A file that another file names (a series
of a site file) is somebody else's wish: it must be smaller and must not be in /proc, /sys or /dev.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from io import BufferedReader

MIB = 2**20
STDIN = Path("-")
_SYSTEM_FOLDERS = ("/proc", "/sys", "/dev")
_MOST_LINKS = 40  # as Linux
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW  # O_NONBLOCK: a FIFO never hangs
_ANONYMOUS = {"pipe:": "a FIFO", "socket:": "a socket", "anon_inode:": "a handle of the kernel"}
_KINDS = (
    (stat.S_ISREG, "a regular file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a device"),
)


class Kind(NamedTuple):
    """A kind of input file."""

    name: str  # for messages
    limit_bytes: int
    by_user: bool = True  # False: a file names it, so the stricter rules hold
    stdin: bool = True  # whether the user may name standard input


TOML = Kind("TOML file", 8 * MIB)
CSV = Kind("CSV file", 256 * MIB)
JSON = Kind("JSON file", 64 * MIB)
PARQUET = Kind("Parquet file", 256 * MIB)
NAMED_LIMIT_BYTES = 64 * MIB  # of a file that a file names
HOURLY_SERIES = Kind("hourly series", NAMED_LIMIT_BYTES, by_user=False)
CARBON_TABLE = Kind("carbon table", NAMED_LIMIT_BYTES, by_user=False)
DIFFICULTY_TABLE = Kind("table of difficulty", NAMED_LIMIT_BYTES, by_user=False)
FORWARD_CURVE = Kind("forward curve", NAMED_LIMIT_BYTES, by_user=False)


class AnonymousFileError(OSError):
    """A path leads to a pipe, a socket or another object of the kernel that has no name of its own."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(errno.EINVAL, kind, path)


class ForeignLinkError(OSError):
    """A path leads through a link that another user made in a folder that everybody can write to."""

    def __init__(self, link: str) -> None:
        super().__init__(
            errno.EPERM, f"{link}, a link that another user made in a folder that everybody can write to", link
        )


def read_input(path: Path, kind: Kind) -> bytes:
    """Return the bytes of a file, or of standard input for `-` where the user names the file.

    Raises
    ------
    InputError
        The file does not exist, is not a regular file, is larger than the limit of its kind, is unreadable, or is
        reached through another user's link.
    """
    if kind.by_user and kind.stdin and Path(path) == STDIN:
        return _limited(_standard_input(path, kind), path, kind)
    with open_input(path, kind) as file:
        try:
            return _limited(file.read(kind.limit_bytes + 1), path, kind)
        except OSError as error:
            raise _unreadable(path, kind, error) from None


def _standard_input(path: Path, kind: Kind) -> bytes:
    if sys.stdin is None:  # closed by `<&-`
        raise InputError(f"{path}: expected an open standard input, got a closed one")
    try:
        return sys.stdin.buffer.read(kind.limit_bytes + 1)
    except OSError as error:  # a folder, or a terminal that has hung up
        raise _unreadable(path, kind, error) from None


def open_input(path: Path, kind: Kind) -> BufferedReader:
    """Return a regular file, opened for reading bytes; the caller closes it.

    Raises
    ------
    InputError
        As `read_input`.
    """
    try:
        real = resolved(path)
        _check(path, kind, real, os.lstat(real))  # before the opening, which some devices act on
        descriptor = os.open(real, _FLAGS)
    except InputError:  # which is a ValueError too
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: expected a readable {kind.name}, got no such file") from None
    except AnonymousFileError as error:
        raise _irregular(path, kind, str(error.strerror)) from None
    except OSError as error:
        raise _unreadable(path, kind, error) from None
    except ValueError as error:  # a NUL byte in the path
        raise InputError(f"{shown(str(path))}: expected a path, got {error}") from None
    file = os.fdopen(descriptor, "rb")
    try:
        _check(path, kind, real, os.fstat(descriptor))  # after it, because the path may have changed
    except BaseException:
        file.close()
        raise
    return file


def _check(path: Path, kind: Kind, real: str, status: os.stat_result) -> None:
    """Refuse what is not a regular file within the limit, and a file of the system that another file names."""
    if not kind.by_user and any(f"{real}/".startswith(f"{folder}/") for folder in _SYSTEM_FOLDERS):
        raise InputError.at(path, expected=f"a file outside {', '.join(_SYSTEM_FOLDERS)}", got=real)
    if not stat.S_ISREG(status.st_mode):
        raise _irregular(path, kind, file_kind(status.st_mode))
    if status.st_size > kind.limit_bytes:
        raise _too_large(path, kind, f"{status.st_size} bytes")


def resolved(path: Path | str) -> str:
    """Return the absolute path without links. Every link is checked.

    In a folder that everybody can write to, a link is followed only if it belongs to the user or to the owner of the
    folder, as Linux does with `fs.protected_symlinks`.

    Raises
    ------
    ForeignLinkError
        A link is another user's.
    AnonymousFileError
        The path is that of a pipe or of another object without a name, as /dev/stdin may be.
    OSError
        A part of the path does not exist or is not accessible, or there are too many links.
    """
    text = os.fspath(path)
    current = "/" if text.startswith("/") else str(Path.cwd())
    parts = deque(text.split("/"))
    links = 0
    while parts:
        part = parts.popleft()
        if part == "..":
            current = os.path.dirname(current)  # noqa: PTH120 (a string, for speed)
        elif part not in ("", "."):
            step = f"{current.rstrip('/')}/{part}"
            status = os.lstat(step)
            if not stat.S_ISLNK(status.st_mode):
                current = step
                continue
            links += 1
            target = _target(step, status, current)
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), text)
            parts.extendleft(reversed(target.split("/")))
            current = "/" if target.startswith("/") else current
    return current


def _target(link: str, status: os.stat_result, folder: str) -> str:
    """Return the target of a link that may be followed."""
    parent = os.lstat(folder)
    if parent.st_mode & stat.S_IWOTH and status.st_uid not in (os.geteuid(), parent.st_uid):
        raise ForeignLinkError(link)
    target = os.readlink(link)  # noqa: PTH115 (a string, for speed)
    if link.startswith("/proc/"):
        for start, kind in _ANONYMOUS.items():
            if target.startswith(start):
                raise AnonymousFileError(link, kind)
    return target


def is_there(path: Path | str) -> bool:
    """Return whether a path leads to something; one that is too long or cannot be searched leads to nothing.

    Unlike the methods of `Path` of these names, this function and the next two raise no error.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path | str) -> bool:
    """Return whether a path leads to a regular file."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path | str) -> bool:
    """Return whether a path leads to a folder."""
    return os.path.isdir(path)  # noqa: PTH112


def file_kind(mode: int) -> str:
    """Return what a file is by its mode: `a regular file`, `a folder`, `a FIFO`, `a socket` or a device."""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "a file of an unknown kind")


def _limited(data: bytes, path: Path, kind: Kind) -> bytes:
    if len(data) > kind.limit_bytes:
        raise _too_large(path, kind, "more")
    return data


def _too_large(path: Path, kind: Kind, size: str) -> InputError:
    return InputError(f"{path}: expected at most {kind.limit_bytes} bytes ({kind.name}), got {size}")


def _irregular(path: Path, kind: Kind, got: str) -> InputError:
    if got == "a folder":
        return InputError(f"{path}: expected a {kind.name}, got a folder")
    hint = " (standard input is -)" if kind.by_user and kind.stdin and got == "a FIFO" else ""
    return InputError(f"{path}: expected a {kind.name}, which is a regular file, got {got}{hint}")


def _unreadable(path: Path, kind: Kind, error: OSError) -> InputError:
    return InputError(f"{path}: expected a readable {kind.name}, got {error.strerror or error}")
