"""The powercap zones of RAPL, and the choice of those that may be summed (method rule 7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.meters.system_files import read_text
from hardware_profiles.provenance import Boundary

POWERCAP = "/sys/class/powercap"

# domain -> boundary, hardware that it covers
DOMAINS: dict[str, tuple[Boundary, str]] = {
    "package": ("package", "all CPU packages; their cores are inside, memory is not"),
    "psys": ("node", "the platform as its firmware defines it; packages are inside"),
    "dram": ("board", "memory, without the CPU packages"),
    "core": ("chip", "the cores of all packages, without their uncore"),
}
_DIE = re.compile(r"package-(\d+)-die-\d+")
_LEVELS = ("", "intel-rapl*/", "intel-rapl*/intel-rapl*/", "intel-rapl*/intel-rapl*/intel-rapl*/")


@dataclass(frozen=True, slots=True)
class Zone:
    """One powercap zone."""

    folder: Path
    name: str
    mmio: bool  # whether it is the memory-mapped twin of another zone
    parent: str = ""  # name of the zone that contains it

    @property
    def socket(self) -> str:
        """The socket whose dies are listed one by one, or this zone alone."""
        die = _DIE.fullmatch(self.name) or _DIE.fullmatch(self.parent)
        return f"package-{die[1]}" if die else self.folder.name

    @property
    def title(self) -> str:
        """The name for people, with that of the zone that contains it if the name alone is not unique."""
        return f"{self.name} of {self.parent}" if _DIE.fullmatch(self.parent) else self.name


def find_zones(root: Path) -> list[Zone]:
    """Return every RAPL zone whose name can be read, below `/sys/class/powercap` or a mounted copy of its zones."""
    folders: dict[str, Path] = {}
    for level in _LEVELS:
        for folder in sorted(root.glob(f"{level}intel-rapl*:*")):
            folders.setdefault(folder.name, folder)
    names = {name: read_text(folder / "name") for name, folder in sorted(folders.items())}
    return [
        Zone(folders[key], name, key.startswith("intel-rapl-mmio"), names.get(key.rpartition(":")[0]) or "")
        for key, name in names.items()
        if name
    ]


def choose(zones: Sequence[Zone], domain: str) -> list[Zone]:
    """Return the zones of one domain that may be summed: one domain only, and only one twin of each zone."""
    of_domain = [zone for zone in zones if zone.name == domain or zone.name.startswith(f"{domain}-")]
    # Twins of one name would count twice: memory-mapped ones, and a package that is listed under psys too.
    distinct: dict[tuple[str, str], Zone] = {}
    for zone in sorted(of_domain, key=lambda zone: zone.mmio):
        parent = zone.parent if domain in {"dram", "core"} else ""
        distinct.setdefault((zone.name, parent), zone)
    return list(distinct.values())


def by_socket(zones: Sequence[Zone]) -> list[list[Zone]]:
    """Return the zones in groups: the dies of one socket together, every other zone alone."""
    groups: dict[str, list[Zone]] = {}
    for zone in zones:
        groups.setdefault(zone.socket, []).append(zone)
    return list(groups.values())
