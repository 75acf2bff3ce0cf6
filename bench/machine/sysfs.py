"""Readers of the small files of procfs and sysfs; a file that is missing or empty gives None."""

from pathlib import Path


def read(path: Path) -> str | None:
    """Return the text of a file without blanks around it."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def whole_number(text: str | None) -> int | None:
    """Return text as a whole number, or None if it is not one."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def cpu_list(text: str | None) -> list[int]:
    """Return the cores of a list such as `0-3,8`; text of another form gives none."""
    cores: list[int] = []
    for part in (text or "").split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last or first).isdigit():
            cores += range(int(first), int(last or first) + 1)
    return cores
