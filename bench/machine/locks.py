"""One run per power domain at a time: a lock per meter, and a mark for who shares the machine (method rule 16)."""

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
    """The domains of a run: those it holds, and those that another run holds."""

    since: float
    held: dict[str, Path] = field(default_factory=dict)
    busy: tuple[str, ...] = ()

    def requested_by_others(self) -> tuple[str, ...]:
        """Return the domains that another run has asked for since this one holds them."""
        return tuple(name for name, path in self.held.items() if _mark_time(path) >= self.since)


def folder() -> Path:
    """Return the folder of the locks; all users of a machine share it, for they share its meters."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "perwatt-locks")


@contextlib.contextmanager
def hold(domains: Iterable[str]) -> Iterator[Held]:
    """Hold the locks of these domains where they are free; never waits.

    A domain that another run holds is named in `busy`, and the holder finds a mark that somebody asked. Where the
    folder cannot be written nothing is held and nothing is busy.
    """
    from filelock import FileLock, Timeout

    place = folder()
    held = Held(time.time())
    locks: list[FileLock] = []
    busy: list[str] = []
    try:
        for domain in dict.fromkeys(domains):
            path = place / f"{_file_name(domain)}.lock"
            try:
                _make_shared(place)
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


def _make_shared(place: Path) -> None:
    if not place.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        _open_to_all(place, 0o1777)


def _open_to_all(path: Path, mode: int) -> None:
    """Let other users take part, whatever the umask says; where the path is theirs it is open already."""
    with contextlib.suppress(OSError):
        path.chmod(mode)


def device_domain(kind: str) -> str:
    """Return the domain of a device that runs share without spoiling a meter: they only slow each other down."""
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
