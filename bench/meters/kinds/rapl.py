"""RAPL: the CPU's own energy counters through Linux powercap, each zone unwrapped by itself (method rule 7).

The counters are read as files here, because the packages for RAPL read only whole packages, or neither unwrap by each
zone's range nor report a zone that could not be read.

References
----------
Linux Documentation/power/powercap/powercap.rst (energy_uj, max_energy_range_uj).
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.machine.identity import machine_key
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import read_stated
from bench.meters.stream import PolledMeter, ReadFailedError
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import Boundary

ROOT = Path("/sys/class/powercap")
UPDATE_S = 0.001  # [s] update period of the counters
POLL_S = 1.0  # [s] longest time between two readings, so that no counter overflows twice
PLAUSIBLE_W = 1500.0  # [W] more than a CPU package draws
_CURE = "sudo chmod a+r {path} until the next boot, or run as root (since Linux 5.10 only root can read it)"
_ABSENT = "no RAPL here (a virtual machine, or a CPU or kernel without it); use a plug: --meter shelly:HOST"

# domain -> boundary, hardware that it covers
DOMAINS: dict[str, tuple[Boundary, str]] = {
    "package": ("package", "all CPU packages; their cores are inside, memory is not"),
    "psys": ("node", "the platform as its firmware defines it; packages are inside"),
    "dram": ("board", "memory, without the CPU packages"),
    "core": ("chip", "the cores of all packages, without their uncore"),
}


@dataclass(frozen=True, slots=True)
class Zone:
    """One powercap zone."""

    folder: Path
    name: str
    mmio: bool  # whether it is the memory-mapped twin of another zone


def find_zones(root: Path = ROOT) -> list[Zone]:
    """Return every RAPL zone below a powercap folder that can be read."""
    zones = []
    for folder in sorted(root.glob("intel-rapl*:*")):
        try:
            name = (folder / "name").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        zones.append(Zone(folder, name, folder.name.startswith("intel-rapl-mmio")))
    return zones


def choose(zones: list[Zone], domain: str) -> list[Zone]:
    """Return the zones of one domain that may be summed: one domain only, and only one twin of each zone."""
    of_domain = [zone for zone in zones if zone.name == domain or zone.name.startswith(f"{domain}-")]
    by_msr = [zone for zone in of_domain if not zone.mmio]
    chosen = by_msr or of_domain
    # Nested twins of one name (a package that is listed under psys too) would count twice.
    distinct: dict[tuple[str, str], Zone] = {}
    for zone in chosen:
        parent = zone.folder.name.rsplit(":", 1)[0] if domain in {"dram", "core"} else ""
        distinct.setdefault((zone.name, parent), zone)
    return list(distinct.values())


class Rapl(PolledMeter):
    """The energy counter of one RAPL domain, summed over its zones; one failed zone makes the reading missing."""

    def __init__(
        self,
        domain: str = "package",
        *,
        root: Path = ROOT,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        boundary, scope = DOMAINS[domain]
        super().__init__(
            MeterInfo(
                name="rapl" if domain == "package" else f"rapl:{domain}",
                kind=MeterKind.COUNTER,
                boundary=boundary,
                tier=Tier.C,
                accuracy_frac=None,
                accuracy_source="none stated by the maker",
                period_s=UPDATE_S,
                poll_s=poll_s,
                domains=(f"rapl:{domain}@{machine_key()}",),
                scope=scope,
            ),
            clock,
        )
        self.domain = domain
        self.root = root
        self._zones: list[tuple[Path, Unwrapper]] = []

    def connect(self) -> MeterInfo:
        """Find the domain's zones and read each once."""
        zones = choose(find_zones(self.root), self.domain)
        if not zones:
            raise MeterError(f"meter {self._info.name}: {_ABSENT}")
        self._zones = []
        for zone in zones:
            path = zone.folder / "energy_uj"
            try:
                range_j = int((zone.folder / "max_energy_range_uj").read_text(encoding="ascii")) * 1e-6
                int(path.read_text(encoding="ascii"))
            except PermissionError:
                raise MeterError(
                    f"meter {self._info.name}: only root can read {path}; {_CURE.format(path=path)}"
                ) from None
            except (OSError, ValueError) as error:
                raise MeterError(f"meter {self._info.name}: {path} cannot be read: {error}") from None
            self._zones.append((path, Unwrapper((range_j,), max(PLAUSIBLE_W, 3.0 * _max_power_w(zone.folder)))))
        return replace(self._info, scope=f"{self._info.scope} ({', '.join(zone.name for zone in zones)})")

    def read_once(self) -> tuple[float, None, tuple[str, ...]]:
        """Return the joules since the first reading, summed over all zones."""
        raw = []
        for path, _ in self._zones:
            try:
                raw.append(int(path.read_text(encoding="ascii")) * 1e-6)
            except (OSError, ValueError) as error:
                raise ReadFailedError(f"{path}: {error}") from None
        now = self._clock()
        total = 0.0
        codes: list[str] = []
        for (_, unwrapper), value in zip(self._zones, raw, strict=True):
            joules, step_codes = unwrapper.add(now, value)
            total += joules
            codes.extend(step_codes)
        return total, None, tuple(dict.fromkeys(codes))


def _max_power_w(folder: Path) -> float:
    powers_w = [0.0]
    for path in folder.glob("constraint_*_max_power_uw"):
        try:
            powers_w.append(int(path.read_text(encoding="ascii")) * 1e-6)
        except (OSError, ValueError):
            continue
    return max(powers_w)


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    domain = target or "package"
    if domain not in DOMAINS:
        raise InputError.at("--meter rapl", expected=f"one of {', '.join(DOMAINS)}", got=domain)
    stated = read_stated("rapl", settings, options, boundary="package", period_s=POLL_S, more=("root",))
    return Rapl(domain, root=Path(settings.get("root", ROOT)), poll_s=min(stated.period_s, POLL_S))


def _find() -> list[Found]:
    meters = []
    zones = find_zones(ROOT)
    for domain in DOMAINS:
        chosen = choose(zones, domain)
        if not chosen:
            continue
        name = "rapl" if domain == "package" else f"rapl:{domain}"
        path = chosen[0].folder / "energy_uj"
        usable = os.access(path, os.R_OK)
        meters.append(
            Found(
                name,
                MeterKind.COUNTER,
                DOMAINS[domain][0],
                Tier.C,
                usable=usable,
                reason="" if usable else f"only root can read {path}",
                cure="" if usable else _CURE.format(path=path),
                spec=name,
            )
        )
    if not meters:
        reason = f"no RAPL zone under {ROOT}"
        meters.append(
            Found("rapl", MeterKind.COUNTER, "package", Tier.C, usable=False, reason=reason, cure=_ABSENT, spec="rapl")
        )
    return meters


ENTRY = MeterKindEntry("rapl", "the CPU's own energy counters (Linux powercap)", _make, _find)
