"""Locks that allow one run per power domain at a time, with a mark when another run requests it (method rule 16)."""

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER_VARIABLE = "PERWATT_LOCKS"


@dataclass(slots=True)
class Held:
    """The power domains of a run."""

    since: float  # [s since 1970]
    held: dict[str, Path] = field(default_factory=dict)  # domain -> lock file, those that this run holds
    busy: tuple[str, ...] = ()  # those that another run holds

    def requested_by_others(self) -> tuple[str, ...]:
        """Return the domains that another run has requested since this one holds them."""
        return tuple(name for name, path in self.held.items() if _mark_time(path) >= self.since)


def folder() -> Path:
    """Return the folder of the locks, which all users of a machine share because they share its meters."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "perwatt-locks")


@contextlib.contextmanager
def hold(domains: Iterable[str]) -> Iterator[Held]:
    """Hold the locks of those domains that are free, without waiting.

    A domain that another run holds is listed in `busy`, and that run finds a mark of the request. If the folder cannot
    be written, no domain is held and none is busy.
    """
    from filelock import FileLock, Timeout

    locks_folder = folder()
    held = Held(time.time())
    locks: list[FileLock] = []
    busy: list[str] = []
    try:
        for domain in dict.fromkeys(domains):
            path = locks_folder / f"{_file_name(domain)}.lock"
            try:
                _make_shared(locks_folder)
                lock = FileLock(path, timeout=0, mode=0o666)
                lock.acquire()
                _open_to_all(path, 0o666)
            except Timeout:
                busy.append(domain)
                with contextlib.suppress(OSError):
                    _mark_path(path).touch()
            except OSError:
                continue
            else:
                locks.append(lock)
                held.held[domain] = path
        held.busy = tuple(busy)
        yield held
    finally:
        for lock in locks:
            lock.release()


def _make_shared(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        _open_to_all(path, 0o1777)


def _open_to_all(path: Path, mode: int) -> None:
    """Let all users write the path despite the umask; a path of another user is open already."""
    with contextlib.suppress(OSError):
        path.chmod(mode)


def device_domain(kind: str) -> str:
    """Return the domain of a device, which runs may share: they slow each other down but do not spoil a meter."""
    return f"device:{kind}"


def _file_name(domain: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", domain)[:60]
    return f"{readable}-{hashlib.sha256(domain.encode()).hexdigest()[:8]}"


def _mark_path(lock: Path) -> Path:
    return lock.with_suffix(".asked")


def _mark_time(lock: Path) -> float:
    try:
        return _mark_path(lock).stat().st_mtime
    except OSError:
        return 0.0
