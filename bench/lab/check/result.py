"""What a check of a lab found: for each host, meter and miner, what it is and why it cannot take part."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bench.lab.clocks.offset import ClockOffset
from bench.lab.inventory.lab import CrossMeter, Lab, Miner
from bench.lab.look.messages import LookAnswer, MeterSeen, MinerSeen
from bench.lab.messages import Hello
from bench.lab.meters.description import promised_log


class Refusal(NamedTuple):
    """Why a host, a meter or a miner cannot take part."""

    code: str  # from bench/results/labs/reasons.py
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One host."""

    name: str
    hello: Hello | None = None  # None if it did not answer
    host_key: str = ""  # type and fingerprint of its ssh key; empty without ssh
    offset: ClockOffset | None = None  # its clocks minus those of this machine
    look: LookAnswer | None = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing keeps it from taking part."""
        return not self.refusals


@dataclass(frozen=True, slots=True)
class MeterCheck:
    """One meter that a host reads for others."""

    meter: CrossMeter
    seen: MeterSeen | None  # None if its host did not answer
    refusal: Refusal | None = None

    @property
    def ok(self) -> bool:
        """Whether its host reads it."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class MinerCheck:
    """One miner."""

    miner: Miner
    seen: MinerSeen | None  # None if its host did not answer
    refusal: Refusal | None = None

    @property
    def ok(self) -> bool:
        """Whether it answers its host."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class LabCheck:
    """All hosts, shared meters and miners of a lab."""

    lab: Lab
    hosts: Mapping[str, HostCheck]
    meters: Mapping[str, MeterCheck]
    miners: Mapping[str, MinerCheck]

    @property
    def ok(self) -> bool:
        """Whether everything can take part."""
        if not all(meter.ok for meter in self.meters.values()) or not all(miner.ok for miner in self.miners.values()):
            return False
        return all(host.ok for host in self.hosts.values())

    def refused(self, allowed: Collection[str] = ()) -> dict[str, Refusal]:
        """Return the first reason of each host and miner that cannot take part, by name.

        Parameters
        ----------
        allowed
            Codes that do not keep a host from taking part, such as `not_quiet` where the operator says so.
        """
        hosts = {name: [one for one in host.refusals if one.code not in allowed] for name, host in self.hosts.items()}
        refused = {name: refusals[0] for name, refusals in hosts.items() if refusals}
        return refused | {name: miner.refusal for name, miner in self.miners.items() if miner.refusal is not None}

    def planned_meters(self, name: str) -> tuple[str, ...]:
        """Return the arguments that a run of a host or miner needs for the meters that another host reads for it.

        They name a log that is joined later, so that windows, load and idle times suit the meter.
        """
        seen = [(check.meter, check.seen) for check in self.meters.values() if name in check.meter.covers]
        specs = [promised_log(meter, found.meter) for meter, found in seen if found is not None and found.meter]
        return tuple(word for spec in specs for word in ("--meter", spec))
