"""The CPU time that Linux control groups, of version 1 or 2, leave to this process: quota, throttling, cpuset."""

import re
from dataclasses import dataclass
from pathlib import Path

from bench.machine.sysfs import cpu_list, read, whole_number

ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Quota:
    """The tightest CPU quota of this process's group and its parents."""

    cores: float  # CPU time over time
    group: str  # folder of the group


@dataclass(frozen=True, slots=True)
class Throttling:
    """The times since boot at which a group had used up its quota."""

    periods: int  # periods in which the group ran
    throttled_periods: int
    throttled_s: float  # [s] summed over the cores

    def since(self, before: "Throttling") -> "Throttling":
        """Return what was added since an earlier reading."""
        return Throttling(
            self.periods - before.periods,
            self.throttled_periods - before.throttled_periods,
            self.throttled_s - before.throttled_s,
        )


def quota(root: Path = ROOT) -> Quota | None:
    """Return the tightest CPU quota, or None if there is none that this process can see.

    Parameters
    ----------
    root
        Root of the file system.
    """
    quotas = [
        Quota(cores, f"/{folder.relative_to(root)}")
        for folder in groups("cpu", root)
        if (cores := _quota_of(folder)) is not None
    ]
    return min(quotas, key=lambda each: each.cores, default=None)


def throttling(root: Path = ROOT) -> dict[str, Throttling]:
    """Return the throttling of this process's group and its parents, by folder.

    `cpu.stat.local` (Linux 6.6) also counts the throttling by a parent that a container hides.
    """
    by_folder = {}
    for folder in groups("cpu", root):
        own, local = _statistics(folder / "cpu.stat"), _statistics(folder / "cpu.stat.local")
        if own or local:
            by_folder[f"/{folder.relative_to(root)}"] = Throttling(
                own.get("nr_periods", 0), own.get("nr_throttled", 0), max(_throttled_s(own), _throttled_s(local))
            )
    return by_folder


def _statistics(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in (read(path) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _throttled_s(values: dict[str, int]) -> float:
    """Return the time in version 2 (microseconds) or 1 (nanoseconds) [s]."""
    return values["throttled_usec"] / 1e6 if "throttled_usec" in values else values.get("throttled_time", 0) / 1e9


def cpuset(root: Path = ROOT) -> list[int] | None:
    """Return the cores that the cpuset of this process's group allows, or None without a cpuset."""
    for folder in groups("cpuset", root):
        for name in ("cpuset.cpus.effective", "cpuset.effective_cpus"):
            if text := read(folder / name):
                return cpu_list(text)
    return None


def groups(controller: str, root: Path = ROOT) -> list[Path]:
    """Return the folders of this process's groups under a controller, its own first, then its parents.

    In a container the path in /proc may be that of the host. A group that is not below the mount is not visible; then
    the mount itself is the group.
    """
    paths = _own_paths(root)
    folders: list[Path] = []
    for kind, mount_root, mount, options in _mounts(root):
        if kind == "cgroup" and controller in options:
            own = next((path for names, path in paths if controller in names), None)
        elif kind == "cgroup2":
            own = next((path for names, path in paths if not names), None)
        else:
            continue
        if own is None:
            continue
        top = root / mount.lstrip("/")
        prefix = mount_root.rstrip("/")
        inside = own.removeprefix(prefix) if f"{own}/".startswith(f"{prefix}/") else own
        folder = top / inside.lstrip("/")
        if ".." in folder.parts or not folder.is_dir():
            folder = top
        folders += [folder, *(parent for parent in folder.parents if parent == top or top in parent.parents)]
    return folders


def _own_paths(root: Path) -> list[tuple[frozenset[str], str]]:
    """Return the controllers and the path of each line of /proc/self/cgroup; version 2 has no controllers there."""
    paths = []
    for line in (read(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2) if line.count(":") >= 2 else ("", "", "")
        if path:
            paths.append((frozenset(filter(None, controllers.split(","))), path))
    return paths


def _mounts(root: Path) -> list[tuple[str, str, str, frozenset[str]]]:
    """Return type, root, mount point and options of each mounted hierarchy, from /proc/self/mountinfo."""
    mounts = []
    for line in (read(root / "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if len(left) >= 5 and right[0] in {"cgroup", "cgroup2"}:
            options = frozenset(right[-1].split(","))
            mounts.append((right[0], _unescaped(left[3]), _unescaped(left[4]), options))
    return mounts


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _quota_of(folder: Path) -> float | None:
    if text := read(folder / "cpu.max"):
        limit, _, period = text.partition(" ")
    else:
        limit, period = read(folder / "cpu.cfs_quota_us") or "", read(folder / "cpu.cfs_period_us") or ""
    limit_us, period_us = whole_number(limit), whole_number(period)
    return limit_us / period_us if limit_us and period_us and limit_us > 0 else None
