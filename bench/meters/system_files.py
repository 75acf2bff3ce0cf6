"""The root of the files in which the system describes its sensors: `/`, or a recorded tree in a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_ROOT: ContextVar[Path] = ContextVar("root of the system's files", default=Path("/"))


def system_path(path: str) -> Path:
    """Return an absolute path of the system, such as `/sys/class/hwmon`, below the root in force."""
    return _ROOT.get() / path.removeprefix("/")


@contextmanager
def system_root(root: Path) -> Iterator[None]:
    """Let all meters find the system's files below another root within the context."""
    token = _ROOT.set(root)
    try:
        yield
    finally:
        _ROOT.reset(token)


def read_text(path: Path) -> str | None:
    """Return the stripped text of a file, or None if it is empty or cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
