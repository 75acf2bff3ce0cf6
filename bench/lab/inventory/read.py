"""The reading of a lab file: every fault is one line, and all faults are refused together."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from bench.credentials import scrub_text
from bench.lab.inventory.domains import check_tree
from bench.lab.inventory.file import HostTable, LabFile, MinerTable
from bench.lab.inventory.lab import CrossMeter, Host, Lab, Miner
from bench.network.node_sets import expand, expand_beside
from bench.results.labs.book import Book
from bench.results.labs.plan import HOST_NAME
from hardware_profiles.errors import Faults, InputError, near_names
from hardware_profiles.reading import parse_toml, read_file, validate

T = TypeVar("T")
_ADDRESS = re.compile(r"(?!-)([A-Za-z0-9._-]+@)?(?!-)[A-Za-z0-9._:%-]+")  # a dash would begin an option of ssh


def read_lab(path: Path) -> Lab:
    """Return the lab that a file describes.

    Raises
    ------
    InputError
        The file is not readable, a key is unknown or faulty, two hosts have one name, a name is not in the file, or
        the domains have a cycle; the message has one line for each fault.
    """
    return parse_lab(read_file(path), path)


def lab_of(book: Book) -> Lab:
    """Return the lab of a run as its file was when the run began; see `read_lab`."""
    folder = Path(book.plan.lab_folder) if book.plan.lab_folder else None
    return parse_lab(read_file(book.lab_file), book.lab_file, folder)


def parse_lab(content: bytes, path: Path, folder: Path | None = None) -> Lab:
    """Return the lab that the bytes of a file describe; see `read_lab`.

    Parameters
    ----------
    content
        The bytes.
    path
        The file, for error messages.
    folder
        Where the paths in it begin; by default the folder of the file.
    """
    file = validate(LabFile, parse_toml(content, path), path)
    faults = Faults()
    hosts: dict[str, Host] = {}
    miners: dict[str, Miner] = {}
    within: dict[str, str] = {}
    declared: set[str] = set()
    for index, table in enumerate(file.host):
        with faults.noted():
            for host in _hosts(table, f"{path}: key host[{index}]"):
                _add(hosts, host.name, host, f"{path}: key host[{index}].name")
    for index, miner_table in enumerate(file.miner):
        with faults.noted():
            for miner in _miners(miner_table, f"{path}: key miner[{index}]"):
                _refuse_twice(miner.name, hosts, f"{path}: key miner[{index}].name")
                _add(miners, miner.name, miner, f"{path}: key miner[{index}].name")
    for index, domain in enumerate(file.domain):
        place = f"{path}: key domain[{index}]"
        with faults.noted():
            names = expand(domain.name, f"{place}.name")
            for name in names:
                _check_name(name, f"{place}.name")
                _refuse_twice(name, declared, f"{place}.name")
                declared.add(name)
            if domain.within is not None:
                within.update(zip(names, expand_beside(domain.within, names, f"{place}.within"), strict=True))
    meters: dict[str, CrossMeter] = {}
    for index, meter in enumerate(file.meter):
        place = f"{path}: key meter[{index}]"
        with faults.noted():
            _check_name(meter.name, f"{place}.name")
            _check_spec(meter.spec, f"{place}.spec")
            _check_known(meter.read_by, hosts, f"{place}.read_by", "a host")
            covers = tuple(name for text in meter.covers for name in expand(text, f"{place}.covers"))
            for name in covers:
                _check_known(name, (*hosts, *miners), f"{place}.covers", "a host or miner")
            cross = CrossMeter(meter.name, meter.spec, meter.read_by, tuple(dict.fromkeys(covers)))
            _add(meters, meter.name, cross, f"{place}.name")
    config = None if file.lab.ssh_config is None else (folder or path.parent) / Path(file.lab.ssh_config).expanduser()
    lab = Lab(file.lab.name, path, file.lab.clock_limit_s, config, hosts, miners, meters, within)
    with faults.noted():
        _check_domains(lab, declared)
    faults.refuse()
    return lab


def _hosts(table: HostTable, place: str) -> list[Host]:
    names = expand(table.name, f"{place}.name")
    for name in names:
        _check_name(name, f"{place}.name")
    addresses = expand_beside(table.address or table.name, names, f"{place}.address")
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise InputError.at(f"{place}.address", expected="HOST, user@HOST or an alias of ssh", got=address)
    for spec in table.meters:
        _check_spec(spec, f"{place}.meters")
    domains = _domains(table.domain, names, place)
    workers = expand_beside(table.worker or table.name, names, f"{place}.worker")
    return [
        Host(name, address, table.reach, table.python, table.folder, domain, table.meters, table.tags, worker)
        for name, address, domain, worker in zip(names, addresses, domains, workers, strict=True)
    ]


def _miners(table: MinerTable, place: str) -> list[Miner]:
    names = expand(table.name, f"{place}.name")
    for name in names:
        _check_name(name, f"{place}.name")
    for spec in table.meters:
        _check_spec(spec, f"{place}.meters")
    addresses = expand_beside(table.address, names, f"{place}.address")
    return [
        Miner(name, address, table.from_, table.meters, domain, table.tags)
        for name, address, domain in zip(names, addresses, _domains(table.domain, names, place), strict=True)
    ]


def _domains(domain: str | None, names: list[str], place: str) -> list[str | None]:
    if domain is None:
        return [None] * len(names)
    return list(expand_beside(domain, names, f"{place}.domain"))


def _check_domains(lab: Lab, declared: set[str]) -> None:
    """Refuse a domain that is not declared, since a misspelt one would let two measurements overlap, and cycles."""
    faults = Faults()
    for outer in dict.fromkeys(lab.within.values()):
        with faults.noted():
            _check_known(outer, declared, f"{lab.path}: key domain.within", "a [[domain]]")
    for miner in lab.miners.values():
        with faults.noted():
            _check_known(miner.measured_from, lab.hosts, f"{lab.path}: key miner {miner.name}.from", "a host")
    of_hosts = [(f"host {host.name}", host.domain) for host in lab.hosts.values()]
    of_miners = [(f"miner {miner.name}", miner.domain) for miner in lab.miners.values()]
    for user, domain in (*of_hosts, *of_miners):
        with faults.noted(f"{lab.path}: key {user}.domain"):
            if domain is not None:
                _check_known(domain, declared, f"{lab.path}: key {user}.domain", "a [[domain]]")
    with faults.noted():
        check_tree(lab.within, str(lab.path))
    faults.refuse()


def _check_known(name: str, known: Iterable[str], place: str, what: str) -> None:
    known = list(known)
    if name not in known:
        raise InputError.at(place, expected=f"{what} of this file", got=name, near=near_names(name, known))


def _check_name(name: str, place: str) -> None:
    if not re.fullmatch(HOST_NAME, name):
        raise InputError.at(place, expected="a name of letters, digits, dots, dashes and underscores", got=name)


def _check_spec(spec: str, place: str) -> None:
    if scrub_text(spec) != spec:
        raise InputError(f"{place}: expected a meter without a password (the host's own environment holds it)")


def _refuse_twice(name: str, names: Iterable[str], place: str) -> None:
    if name in names:
        raise InputError.at(place, expected="each name once (node sets may overlap)", got=f"{name} again")


def _add(things: dict[str, T], name: str, thing: T, place: str) -> None:
    _refuse_twice(name, things, place)
    things[name] = thing
