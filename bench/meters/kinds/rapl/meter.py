"""RAPL: the CPU's own energy counters through Linux powercap, each zone unwrapped by itself (method rule 7).

The counters are read as files here, because the packages for RAPL read only whole packages, or neither unwrap by each
zone's range nor report a zone that could not be read.

References
----------
Linux Documentation/power/powercap/powercap.rst (energy_uj, max_energy_range_uj).
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.diagnostics import unique
from bench.machine.identity import machine_key
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.kinds.rapl.absence import PLUG, READ_CURE, core_is_one_core, why_absent
from bench.meters.kinds.rapl.dies import Dies, ZoneCounter
from bench.meters.kinds.rapl.zones import DOMAINS, POWERCAP, Zone, by_socket, choose, find_zones
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import read_stated
from bench.meters.stream import PolledMeter
from bench.meters.system_files import system_path
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError

UPDATE_S = 0.001  # [s] update period of the counters
POLL_S = 1.0  # [s] longest time between two readings, so that no counter overflows twice
PLAUSIBLE_W = 1500.0  # [W] more than a CPU package draws
_ONE_CORE = "on AMD this register counts one core of each package, not all"


class Rapl(PolledMeter):
    """The energy counter of one RAPL domain, summed over its zones; one failed zone makes the reading missing."""

    def __init__(
        self,
        domain: str = "package",
        *,
        root: Path | None = None,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        boundary, scope = DOMAINS[domain]
        super().__init__(
            MeterInfo(
                name=_name(domain),
                kind=MeterKind.COUNTER,
                boundary=boundary,
                tier=Tier.C,
                accuracy_frac=None,
                accuracy_source="none stated by the maker",
                period_s=UPDATE_S,
                poll_s=poll_s,
                domains=(f"rapl:{domain}@{machine_key()}",),
                scope=scope,
                covers=() if domain == "psys" else ("cpu",),
            ),
            clock,
        )
        self.domain = domain
        self.root = root or system_path(POWERCAP)
        self._sockets: list[Dies] = []

    def connect(self) -> MeterInfo:
        """Find the domain's zones, read each once, and watch those of one socket until it is clear how to add them."""
        all_zones = find_zones(self.root)
        zones = choose(all_zones, self.domain)
        if not zones:
            raise MeterError(f"meter {self._info.name}: {'; '.join(why_absent(self.root, all_zones, self.domain))}")
        if self.domain == "core" and core_is_one_core():
            raise MeterError(f"meter {self._info.name}: {_ONE_CORE}; use --meter rapl")
        self._sockets = [Dies([self._counter(zone) for zone in group]) for group in by_socket(zones)]
        try:
            for dies in self._sockets:
                dies.watch(self._clock, time.sleep)
        except (OSError, ValueError) as error:
            raise MeterError(f"meter {self._info.name}: {error}; {PLUG}") from None
        return self._described(self._info)

    def read_once(self) -> tuple[float, None, tuple[str, ...]]:
        """Return the joules since the first reading, summed over all zones."""
        undecided = any(dies.one is None for dies in self._sockets)
        try:
            steps = [dies.add(self._clock, time.sleep) for dies in self._sockets]
        except (OSError, ValueError) as error:
            raise ReadFailedError(str(error)) from None
        if undecided:
            self._info = self._described(self._info)
        return sum(joules for joules, _ in steps), None, unique(code for _, codes in steps for code in codes)

    def _counter(self, zone: Zone) -> ZoneCounter:
        path = zone.folder / "energy_uj"
        try:
            range_j = int((zone.folder / "max_energy_range_uj").read_text(encoding="ascii")) * 1e-6
            unwrapper = Unwrapper((range_j,), max(PLAUSIBLE_W, 3.0 * _max_power_w(zone.folder)))
            counter = ZoneCounter(zone.title, path, unwrapper)
            counter.read_uj()
        except PermissionError:
            cure = READ_CURE.format(path=path)
            raise MeterError(f"meter {self._info.name}: only root can read {path}; {cure}") from None
        except (OSError, ValueError) as error:
            raise MeterError(f"meter {self._info.name}: {path} cannot be read: {error}") from None
        return counter

    def _described(self, info: MeterInfo) -> MeterInfo:
        zones = ", ".join(dies.scope for dies in self._sockets)
        return replace(info, scope=f"{DOMAINS[self.domain][1]} ({zones})")


def _name(domain: str) -> str:
    return "rapl" if domain == "package" else f"rapl:{domain}"


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
    root = Path(settings["root"]) if "root" in settings else None
    return Rapl(domain, root=root, poll_s=min(stated.period_s, POLL_S))


def _find() -> list[Found]:
    root = system_path(POWERCAP)
    zones = find_zones(root)
    meters = [_listed(domain, chosen) for domain in DOMAINS if (chosen := choose(zones, domain))]
    if any(meter.spec == "rapl" for meter in meters):
        return meters
    reason, cure = why_absent(root, zones, "package")
    absent = Found("rapl", MeterKind.COUNTER, "package", Tier.C, usable=False, spec="rapl", whole_of="cpu")
    return [replace(absent, reason=reason, cure=cure), *meters]


def _listed(domain: str, zones: Sequence[Zone]) -> Found:
    boundary, scope = DOMAINS[domain]
    whole = "cpu" if domain == "package" else ""
    found = Found(
        _name(domain), MeterKind.COUNTER, boundary, Tier.C, usable=True, spec=_name(domain), reads=scope, whole_of=whole
    )
    if domain == "core" and core_is_one_core():
        return replace(found, usable=False, reason=_ONE_CORE, cure="use rapl")
    for zone in zones:
        path = zone.folder / "energy_uj"
        if not path.exists():
            return replace(found, usable=False, reason=f"{path} is missing", cure=PLUG)
        if not os.access(path, os.R_OK):
            return replace(found, usable=False, reason=f"only root can read {path}", cure=READ_CURE.format(path=path))
    return found


ENTRY = MeterKindEntry("rapl", "the CPU's own energy counters (Linux powercap)", _make, _find)
