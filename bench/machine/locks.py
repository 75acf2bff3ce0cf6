"""Locks that allow one run per power domain at a time, with a mark when another run requests it (method rule 16).

All users of a machine share its meters, so their locks are in a folder that all of them write to. Nothing there is
trusted: each name is opened relative to the open folder, for reading only, without following links, and it is used only
if it is a regular file with one name. No existing file is changed, and a run removes files of its own user only.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER_VARIABLE = "PERWATT_LOCKS"
SHARED_FOLDERS = ("/run/lock", "/tmp")  # noqa: S108 (used only where it is root's and sticky)
_TRIES = 50  # how often a lock is opened that another run removes at the same time
_SAFE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeError(Exception):
    """A folder or file that cannot serve for locks; `str()` says why."""


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock that this run holds."""

    name: str
    descriptor: int
    marks: frozenset[str]  # that were there when it was taken


@dataclass(slots=True)
class Held:
    """The power domains of a run."""

    folder: "_Folder | None" = None
    held: dict[str, _Lock] = field(default_factory=dict)  # domain -> lock, those that this run holds
    busy: tuple[str, ...] = ()  # those that another run holds
    unlocked: dict[str, str] = field(default_factory=dict)  # domain -> why it cannot be locked

    def requested_by_others(self) -> tuple[str, ...]:
        """Return the domains that another run has requested since this one holds them, or whose lock was replaced."""
        folder = self.folder
        if folder is None:
            return ()
        return tuple(
            domain
            for domain, lock in self.held.items()
            if folder.marks(lock.name) - lock.marks or not folder.is_current(lock.name, lock.descriptor)
        )


@contextlib.contextmanager
def hold(domains: Iterable[str]) -> Iterator[Held]:
    """Hold the locks of those domains that are free, without waiting.

    A domain that another run holds is listed in `busy`, and that run finds a mark of the request. A domain that cannot
    be locked is listed in `unlocked`.
    """
    held = Held()
    distinct = tuple(dict.fromkeys(domains))
    with contextlib.ExitStack() as stack:
        try:
            held.folder = stack.enter_context(_open_folder())
        except UnsafeError as error:
            held.unlocked = dict.fromkeys(distinct, str(error))
        else:
            for domain in distinct:
                _take(domain, held, held.folder, stack)
        yield held


def _take(domain: str, held: Held, folder: "_Folder", stack: contextlib.ExitStack) -> None:
    """Add a domain to those that are held (until the stack ends), busy or unlocked."""
    name = f"{_file_name(domain)}.lock"
    try:
        descriptor = folder.lock(name)
    except UnsafeError as error:
        held.unlocked[domain] = f"{name}: {error}"
        return
    if descriptor is None:
        held.busy += (domain,)
        folder.mark(name)
        return
    stack.callback(folder.release, name, descriptor)
    folder.unmark(name)
    held.held[domain] = _Lock(name, descriptor, folder.marks(name))


@contextlib.contextmanager
def hold_in(folder: Path, name: str) -> Iterator[bool]:
    """Hold one lock in a folder of this user, without waiting, and yield whether it is held.

    Raises
    ------
    UnsafeError
        The folder or the file cannot serve for locks.
    """
    descriptor = _descriptor(str(folder), str(folder), shared=False)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        inside = _Folder(descriptor)
        lock = inside.lock(name)
        if lock is not None:
            stack.callback(inside.release, name, lock)
        yield lock is not None


def device_domain(kind: str, unit: str = "") -> str:
    """Return the domain of a device, which runs may share: they slow each other down but do not spoil a meter.

    Parameters
    ----------
    kind
        Kind of the device.
    unit
        What tells one from another, where there are several that do not slow each other down.
    """
    return f"device:{kind}:{unit}" if unit else f"device:{kind}"


def _file_name(domain: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", domain)[:60]
    return f"perwatt-{readable}-{hashlib.sha256(domain.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def _open_folder() -> Iterator["_Folder"]:
    """Open the folder that PERWATT_LOCKS names, else the first shared folder of the system that is safe.

    Raises
    ------
    UnsafeError
        There is no such folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        with contextlib.suppress(OSError):
            Path(named).mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _descriptor(named, FOLDER_VARIABLE, shared=False)
    else:
        descriptor = _shared_folder()
    try:
        yield _Folder(descriptor)
    finally:
        os.close(descriptor)


def _shared_folder() -> int:
    faults = []
    for path in SHARED_FOLDERS:
        try:
            return _descriptor(path, path, shared=True)
        except UnsafeError as error:
            faults.append(str(error))
    raise UnsafeError("; ".join(faults))


def _descriptor(path: str, place: str, *, shared: bool) -> int:
    """Return the descriptor of a folder in which no other user can replace files of this one.

    Parameters
    ----------
    path
        The folder.
    place
        Its name in messages, which records keep: a path that the user chose is not shown.
    shared
        Whether it must be a folder that all users of the machine find and write to.
    """
    try:
        descriptor = os.open(path, _SAFE | os.O_DIRECTORY)
    except OSError as error:
        raise UnsafeError(f"{place}: expected a folder, got {error.strerror}") from None
    status = os.fstat(descriptor)
    sticky, open_to = bool(status.st_mode & stat.S_ISVTX), status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    safe = status.st_uid == 0 or (status.st_uid == os.geteuid() and not shared)
    if not safe or (open_to and not sticky) or (shared and not open_to & stat.S_IWOTH):
        os.close(descriptor)
        raise UnsafeError(
            f"{place}: expected a folder of root{'' if shared else ' or of this user'}, sticky if others write to it, "
            f"got owner {status.st_uid} and mode {stat.S_IMODE(status.st_mode):04o}"
        )
    return descriptor


@dataclass(frozen=True, slots=True)
class _Folder:
    """The open folder of the locks."""

    descriptor: int

    def lock(self, name: str) -> int | None:
        """Return the descriptor of a lock that is now ours, or None if another run holds it.

        Raises
        ------
        UnsafeError
            The name is no lock file, or cannot be opened.
        """
        for _ in range(_TRIES):
            try:
                descriptor = self._open(name)
            except FileNotFoundError:  # another run has just removed it
                continue
            except OSError as error:
                raise UnsafeError(str(error.strerror)) from None
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, descriptor)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return None
                except OSError as error:
                    raise UnsafeError(str(error.strerror)) from None
                if self.is_current(name, descriptor):
                    undo.pop_all()
                    return descriptor
        raise UnsafeError("expected a lock file, got one that is replaced again and again")

    def _open(self, name: str) -> int:
        """Return the descriptor of a lock file, new or of another run.

        Raises
        ------
        UnsafeError
            The name is a link, a pipe, a folder or a device, or it is one of several names of a file.
        """
        try:
            return self._create(name)
        except FileExistsError:
            # O_NONBLOCK: to open a pipe does not wait for its writer.
            descriptor = os.open(name, _SAFE | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=self.descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            os.close(descriptor)
            raise UnsafeError(f"expected a lock file, got something else, of owner {status.st_uid}")
        return descriptor

    def _create(self, name: str) -> int:
        descriptor = os.open(name, _SAFE | os.O_CREAT | os.O_EXCL, mode=0o644, dir_fd=self.descriptor)
        os.fchmod(descriptor, 0o644)  # despite the umask: other users must be able to open it for reading
        return descriptor

    def is_current(self, name: str, descriptor: int) -> bool:
        """Return whether the name still is the file of the descriptor."""
        try:
            now = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(now, os.fstat(descriptor))

    def release(self, name: str, descriptor: int) -> None:
        """Close a lock that this run holds, and remove its file if it is of this user."""
        if self.is_current(name, descriptor) and os.fstat(descriptor).st_uid == os.geteuid():
            self._remove(name)
        os.close(descriptor)

    def mark(self, name: str) -> None:
        """Leave a mark, for the run that holds a lock, that this run has requested it."""
        self.unmark(name)
        with contextlib.suppress(OSError):
            os.close(self._create(f"{name}.asked-{secrets.token_hex(8)}"))

    def unmark(self, name: str) -> None:
        """Remove the marks of this user, from this run or an earlier one."""
        for mark in self.marks(name):
            with contextlib.suppress(OSError):
                if os.stat(mark, dir_fd=self.descriptor, follow_symlinks=False).st_uid == os.geteuid():
                    self._remove(mark)

    def marks(self, name: str) -> frozenset[str]:
        """Return the names of all marks at a lock."""
        try:
            names = os.listdir(self.descriptor)  # noqa: PTH208 (of a descriptor)
            return frozenset(mark for mark in names if mark.startswith(f"{name}.asked-"))
        except OSError:
            return frozenset()

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self.descriptor)
