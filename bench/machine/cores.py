"""The cores that this process may use: offline ones, kinds of hybrid CPUs, affinity and cpuset, and the CPU quota."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import cgroups
from bench.machine.sysfs import cpu_list, read, whole_number

_CPU = "sys/devices/system/cpu"
_INTEL_KINDS = {"cpu_core": "performance", "cpu_atom": "efficiency", "cpu_lowpower": "low-power"}
"""Linux gives each kind of core of a hybrid Intel CPU a device of its own for performance counters."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of this machine, and those that this process may use."""

    usable: tuple[int, ...]
    online: tuple[int, ...]
    offline: tuple[int, ...]
    kinds: dict[str, tuple[int, ...]]  # of a hybrid CPU; empty if all cores are alike
    limited_by: str | None  # cause of fewer usable than online cores: `cpuset` or `affinity`
    quota: cgroups.Quota | None

    @property
    def default_threads(self) -> int:
        """The number of threads that these cores and the quota can keep busy, at least one."""
        whole = len(self.usable) if self.quota is None else min(len(self.usable), int(self.quota.cores))
        return max(1, whole)

    @property
    def usable_kinds(self) -> dict[str, int]:
        """The number of usable cores of each kind, if they are of several."""
        counts = {kind: len(set(cores) & set(self.usable)) for kind, cores in self.kinds.items()}
        counts = {kind: count for kind, count in counts.items() if count}
        return counts if len(counts) > 1 else {}

    def notes(self) -> list[tuple[str, str]]:
        """Return a reason code with its detail for each limit that a reader of a result must know."""
        notes = []
        if self.quota is not None and self.quota.cores < len(self.usable):
            detail = f"{self.quota.cores:g} of {len(self.usable)} cores, by {self.quota.group}"
            notes.append(("cpu_quota", detail))
        if self.limited_by is not None:
            notes.append(("cores_limited", f"{len(self.usable)} of {len(self.online)} cores, by {self.limited_by}"))
        if self.offline:
            notes.append(("cores_offline", f"offline: {as_list(self.offline)}"))
        if self.usable_kinds:
            notes.append(("hybrid_cores", ", ".join(f"{count} {kind}" for kind, count in self.usable_kinds.items())))
        return notes

    def document(self) -> dict[str, object]:
        """Return the cores as JSON-ready data for a record."""
        return {
            "usable_cores": list(self.usable),
            "online_cores": list(self.online),
            "offline_cores": list(self.offline),
            "core_kinds": {kind: list(cores) for kind, cores in self.kinds.items()},
            "cores_limited_by": self.limited_by,
            "quota_cores": None if self.quota is None else self.quota.cores,
            "quota_group": None if self.quota is None else self.quota.group,
            "default_threads": self.default_threads,
        }


def cores(root: Path = cgroups.ROOT, usable: Sequence[int] | None = None) -> Cores:
    """Return the cores of this machine.

    Parameters
    ----------
    root
        Root of the file system.
    usable
        Cores of the affinity mask; None asks the kernel.
    """
    allowed = tuple(sorted(os.sched_getaffinity(0) if usable is None else usable))
    online = tuple(cpu_list(read(root / _CPU / "online"))) or allowed
    offline = set(cpu_list(read(root / _CPU / "present"))) - set(online)
    limited_by = None
    if set(online) - set(allowed):
        limited_by = "cpuset" if set(cgroups.cpuset(root) or online) <= set(allowed) else "affinity"
    return Cores(allowed, online, tuple(sorted(offline)), core_kinds(root), limited_by, cgroups.quota(root))


def default_threads() -> int:
    """Return the number of threads that the cores and the quota of this process can keep busy, at least one."""
    return cores().default_threads


def core_kinds(root: Path = cgroups.ROOT) -> dict[str, tuple[int, ...]]:
    """Return the cores of each kind of a hybrid CPU, or nothing if all are alike.

    Intel's kinds have names. Arm's differ in the capacity that the kernel reports, 1024 for the fastest.
    """
    kinds = {
        name: tuple(listed)
        for device, name in _INTEL_KINDS.items()
        if (listed := cpu_list(read(root / "sys/devices" / device / "cpus")))
    }
    if not kinds:
        by_capacity: dict[int, list[int]] = {}
        for file in (root / _CPU).glob("cpu[0-9]*/cpu_capacity"):
            if (capacity := whole_number(read(file))) is not None:
                by_capacity.setdefault(capacity, []).append(int(file.parent.name.removeprefix("cpu")))
        kinds = {f"of capacity {capacity}": tuple(sorted(by_capacity[capacity])) for capacity in sorted(by_capacity)}
    return kinds if len(kinds) > 1 else {}


def cores_in_words(cores: Cores) -> str:
    """Return one line about the usable cores for `doctor`."""
    parts = [f"{len(cores.usable)} of {len(cores.online)} online cores usable"]
    parts += [f"limited by {cores.limited_by}"] if cores.limited_by else []
    if cores.quota is not None:
        parts.append(f"a CPU quota of {cores.quota.cores:g} cores ({cores.quota.group})")
    parts += [f"offline: {as_list(cores.offline)}"] if cores.offline else []
    parts += [f"{count} {kind} cores" for kind, count in cores.usable_kinds.items()]
    parts.append(f"threads by default: {cores.default_threads}")
    return "; ".join(parts)


def as_list(numbers: Sequence[int]) -> str:
    """Return core numbers as the kernel writes them: `0-3,8`."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
