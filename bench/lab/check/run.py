"""The check of a whole lab: all hosts at once, each with a time limit, then what only the comparison shows."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.lab.check.hosts import check_host
from bench.lab.check.identity import compared, pins_ledger, read_pins, write_pins
from bench.lab.check.result import HostCheck, LabCheck, MeterCheck, MinerCheck, Refusal
from bench.lab.host.identity import code_version
from bench.lab.inventory.lab import Host, Lab
from bench.lab.look.messages import MeterSeen
from bench.lab.reach.choose import reach_of
from bench.lab.reach.protocol import Reach
from hardware_profiles.errors import InputError, near_names

LIMIT_S = 60.0  # [s] that a host may take for its look at itself
_AT_ONCE = 64  # hosts


def check_lab(  # noqa: PLR0913 (each a part of one check)
    lab: Lab,
    store: Path,
    *,
    accept: Collection[str] = (),
    hosts: Collection[str] | None = None,
    limit_s: float = LIMIT_S,
    way_to: Callable[[Lab, Host], Reach] = reach_of,
) -> LabCheck:
    """Return the check of a lab, and pin the hosts that are checked for the first time.

    Parameters
    ----------
    lab
        The lab.
    store
        The results folder, which holds the pins of all runs.
    accept
        Hosts whose change of machine or ssh key the operator accepts.
    hosts
        Names of the hosts to check, with those that read a meter for them; all by default.
    limit_s
        Time that a host may take for its look at itself [s].
    way_to
        Gives the way to a host.

    Raises
    ------
    InputError
        A name is no host of the lab, or the ledger of the pins is faulty.
    RunFailedError
        The pins cannot be written.
    """
    for name in (*accept, *(hosts or ())):
        if name not in lab.hosts:
            raise InputError.at(lab.path, expected="a host of this lab", got=name, near=near_names(name, lab.hosts))
    names = lab.hosts if hosts is None else {*hosts, *_readers(lab, hosts)}
    chosen = [host for name, host in lab.hosts.items() if name in names]
    with ThreadPoolExecutor(min(_AT_ONCE, len(chosen) or 1)) as pool:
        alone = list(pool.map(lambda host: check_host(lab, host, way_to(lab, host), limit_s), chosen))
    ledger = pins_ledger(store, lab.name)
    pins = {name: pin for name, pin in read_pins(ledger).items() if name in lab.hosts}
    checks = compared(alone, pins, accept, code_version())
    write_pins(ledger, checks.values(), pins, accept)
    meters = {
        name: _meter(name, lab, checks) for name, meter in lab.meters.items() if meter.read_by in checks
    }  # fmt: skip
    miners = {
        name: _miner(name, lab, checks) for name, miner in lab.miners.items() if miner.measured_from in checks
    }  # fmt: skip
    return LabCheck(lab, checks, meters, miners)


def _readers(lab: Lab, hosts: Collection[str]) -> set[str]:
    """Return the hosts that read a meter for some others, or for the miners that those measure."""
    behind = {*hosts, *(name for name, miner in lab.miners.items() if miner.measured_from in hosts)}
    return {meter.read_by for meter in lab.meters.values() if behind & set(meter.covers)}


def _meter(name: str, lab: Lab, checks: Mapping[str, HostCheck]) -> MeterCheck:
    meter = lab.meters[name]
    seen = _seen(checks[meter.read_by], meter.spec)
    if seen is None:
        return MeterCheck(meter, None, Refusal("meter_missing", f"{meter.read_by}, which reads it, did not look at it"))
    if seen.fault:
        return MeterCheck(meter, seen, Refusal("meter_missing", seen.fault))
    if seen.power_w is None:
        return MeterCheck(meter, seen, Refusal("meter_missing", "a meter that is read for others must give watts"))
    return MeterCheck(meter, seen)


def _miner(name: str, lab: Lab, checks: Mapping[str, HostCheck]) -> MinerCheck:
    miner = lab.miners[name]
    host = checks[miner.measured_from]
    if host.look is None:
        return MinerCheck(miner, None, Refusal("miner_missing", f"{host.name}, which measures it, did not answer"))
    seen = next((one for one in host.look.miners if one.name == name), None)
    if seen is None or seen.fault:
        return MinerCheck(miner, seen, Refusal("miner_missing", seen.fault if seen is not None else ""))
    faults = [found.fault for spec in miner.meters if (found := _seen(host, spec)) is not None and found.fault]
    return MinerCheck(miner, seen, Refusal("meter_missing", faults[0]) if faults else None)


def _seen(host: HostCheck, spec: str) -> MeterSeen | None:
    return None if host.look is None else next((one for one in host.look.meters if one.spec == spec), None)
