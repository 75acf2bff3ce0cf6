"""Who answers under each name: hosts are compared with one another and with their first check."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bench.lab.check.result import HostCheck, Refusal
from bench.results.labs.ledger import EventKind, Ledger
from bench.results.layout import LABS
from sites.files import slug


class Pin(NamedTuple):
    """What a host was at its first check, or when a change was accepted."""

    host_id: str
    host_key: str  # empty without ssh


def pins_ledger(store: Path, lab_name: str) -> Ledger:
    """Return the ledger of a lab's pins, which all runs of a results folder share."""
    return Ledger(store / LABS / f".hosts-{slug(lab_name)}.jsonl")


def read_pins(ledger: Ledger) -> dict[str, Pin]:
    """Return the pin of each host by its name.

    Raises
    ------
    InputError
        The ledger is faulty.
    """
    return {
        event.host: Pin(str(event.data.get("host_id", "")), str(event.data.get("host_key", "")))
        for event in ledger.events()
        if event.kind in {"checked", "accepted"}
    }


def write_pins(ledger: Ledger, checks: Iterable[HostCheck], pins: Mapping[str, Pin], accepted: Collection[str]) -> None:
    """Pin each host that is checked for the first time, or whose change the operator accepts.

    Raises
    ------
    RunFailedError
        The ledger cannot be written.
    """
    for check in checks:
        if check.hello is None or any(one.code in _OF_IDENTITY for one in check.refusals):
            continue
        pin = Pin(check.hello.host_id, check.host_key)
        earlier = pins.get(check.name)
        if (pin := _completed(pin, earlier)) == earlier:
            continue
        kind: EventKind = "accepted" if check.name in accepted else "checked"
        ledger.path.parent.mkdir(parents=True, exist_ok=True)
        ledger.append(kind, host=check.name, host_id=pin.host_id, host_key=pin.host_key)


def compared(
    checks: Iterable[HostCheck], pins: Mapping[str, Pin], accepted: Collection[str], own_version: str
) -> dict[str, HostCheck]:
    """Return the checks with what the comparison of all hosts shows, by name.

    Parameters
    ----------
    checks
        The hosts, each by itself.
    pins
        The pins of earlier checks.
    accepted
        Names of hosts that may have changed.
    own_version
        The perwatt of this machine, which decides where two versions are equally frequent.
    """
    hosts = list(checks)
    ids = Counter(host.hello.host_id for host in hosts if host.hello is not None)
    versions = Counter(host.hello.perwatt_version for host in hosts if host.hello is not None)
    version = max(versions, key=lambda one: (versions[one], one == own_version, one), default=own_version)
    return {
        host.name: replace(
            host, refusals=(*_of_identity(host, pins, accepted, ids), *host.refusals, *_of_version(host, version))
        )
        for host in hosts
    }


_OF_IDENTITY = frozenset({"host_changed", "answers_for", "same_machine"})


def _of_identity(
    host: HostCheck, pins: Mapping[str, Pin], accepted: Collection[str], ids: Mapping[str, int]
) -> Iterator[Refusal]:
    if host.hello is None:
        return
    host_id, pin = host.hello.host_id, pins.get(host.name)
    owner = next((name for name, other in pins.items() if other.host_id == host_id), None)
    if owner not in {None, host.name}:
        yield Refusal("answers_for", f"machine {host_id} is {owner}")
    elif ids[host_id] > 1 and owner is None:
        yield Refusal("same_machine", f"machine {host_id} answers under {ids[host_id]} names")
    elif pin is not None and host.name not in accepted:
        if pin.host_id != host_id:
            yield Refusal("host_changed", f"expected machine {pin.host_id}, got {host_id}")
        elif pin.host_key and host.host_key and pin.host_key != host.host_key:
            yield Refusal("host_changed", f"expected ssh key {pin.host_key}, got {host.host_key}")


def _of_version(host: HostCheck, version: str) -> Iterator[Refusal]:
    if host.hello is not None and host.hello.perwatt_version != version:
        yield Refusal("version_differs", f"expected {version}, got {host.hello.perwatt_version}")


def _completed(pin: Pin, earlier: Pin | None) -> Pin:
    """Return a pin with the ssh key that is known from an earlier check, where this one was made without ssh."""
    return pin if pin.host_key or earlier is None else pin._replace(host_key=earlier.host_key)
