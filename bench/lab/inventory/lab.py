"""A lab as its file describes it, with every node set expanded and every name resolved."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.lab.inventory.domains import chain


@dataclass(frozen=True, slots=True)
class Host:
    """One host."""

    name: str
    address: str
    reach: Literal["ssh", "slurm", "local"]
    python: str | None  # Python that has perwatt; None for the command `perwatt` on its PATH
    folder: str  # of its jobs, on the host; `~` is the home of its user there
    domain: str | None
    meters: tuple[str, ...]  # specs of --meter, read by the host itself
    tags: tuple[str, ...]
    worker: str  # name of its Dask worker


@dataclass(frozen=True, slots=True)
class Miner:
    """One ASIC miner."""

    name: str
    address: str
    measured_from: str  # name of the host that measures it
    meters: tuple[str, ...]
    domain: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CrossMeter:
    """A meter that one host reads for others."""

    name: str
    spec: str
    read_by: str  # name of a host
    covers: tuple[str, ...]  # names of hosts and miners


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab."""

    name: str
    path: Path
    clock_limit_s: float  # [s]
    ssh_config: Path | None
    hosts: dict[str, Host]
    miners: dict[str, Miner]
    meters: dict[str, CrossMeter]
    within: dict[str, str]  # the domain that a domain is within

    def domains_of_host(self, name: str) -> tuple[str, ...]:
        """Return every domain that a measurement of a host occupies: its own and all above it, and shared meters."""
        host = self.hosts[name]
        return tuple(dict.fromkeys((f"host:{name}", *self._chain(host.domain), *self._shared(name, host.meters))))

    def domains_of_miner(self, name: str) -> tuple[str, ...]:
        """Return every domain that a measurement of a miner occupies; the host that measures it does nothing else."""
        miner = self.miners[name]
        own = (f"miner:{name}", f"host:{miner.measured_from}")
        return tuple(dict.fromkeys((*own, *self._chain(miner.domain), *self._shared(name, miner.meters))))

    def _chain(self, domain: str | None) -> tuple[str, ...]:
        return () if domain is None else chain(domain, self.within)

    def _shared(self, name: str, specs: tuple[str, ...]) -> Iterator[str]:
        """Yield a domain for each meter that others may be behind as well."""
        for meter in self.meters.values():
            if name in meter.covers:
                yield f"meter:{meter.name}"
        every = [user.meters for user in self.hosts.values()] + [miner.meters for miner in self.miners.values()]
        for spec in specs:
            if not is_local(spec) and sum(spec in meters for meters in every) > 1:
                yield f"meter:{spec}"


_LOCAL_METERS = frozenset({"amdsmi", "hwmon", "none", "nvml", "rapl", "trace"})


def is_local(spec: str) -> bool:
    """Return whether a meter is part of the host that reads it, so that equal specs of two hosts are two meters."""
    return spec.partition(":")[0] in _LOCAL_METERS
