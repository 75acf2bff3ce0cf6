"""How much memory there is to work in."""

from __future__ import annotations

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """Memory [byte] that this process may still take: the machine's or its container's; None where neither says so."""
    found = [room for room in (_machine(), _container()) if room is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _container() -> int | None:
    try:
        most, used = ((CGROUP / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        return max(0, int(most) - int(used)) if most != "max" else None
    except (OSError, ValueError):
        return None
