"""The table of levers, and the lever of a name, an address and options; nothing is set when one is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from bench.levers.journal import Device
from bench.levers.protocol import Lever
from bench.meters.registry import parse_spec
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import refuse_password
from hardware_profiles.errors import InputError, near_names

__all__ = ["LOGIN", "LeverKind", "entry", "names", "open_device", "open_lever", "parse_lever"]

# name -> module and attribute of its LeverKind; a new lever is a module and a row here
_BUILT_IN = {
    "luxos": ("bench.levers.miners.luxos", "ENTRY"),
    "antminer": ("bench.levers.miners.antminer", "ENTRY"),
    "braiins": ("bench.levers.miners.braiins", "ENTRY"),
    "whatsminer": ("bench.levers.miners.whatsminer", "ENTRY"),
    "whatsminer-v3": ("bench.levers.miners.whatsminer_v3", "ENTRY"),
    "avalon": ("bench.levers.miners.avalon", "ENTRY"),
    "vnish": ("bench.levers.miners.vnish", "ENTRY"),
    "axeos": ("bench.levers.miners.axeos", "ENTRY"),
    "epic": ("bench.levers.miners.epic", "ENTRY"),
    "proto": ("bench.levers.miners.proto", "ENTRY"),
    "gpu_power": ("bench.levers.hosts.gpu", "POWER"),
    "gpu_clocks": ("bench.levers.hosts.gpu", "CLOCKS"),
    "cpu_clocks": ("bench.levers.hosts.cpu_clocks", "ENTRY"),
    "vllm": ("bench.levers.hosts.vllm", "ENTRY"),
    "slurm": ("bench.levers.hosts.slurm", "ENTRY"),
    "kubernetes": ("bench.levers.hosts.kubernetes", "ENTRY"),
    "hook": ("bench.levers.hook", "ENTRY"),
}


@dataclass(frozen=True, slots=True)
class LeverKind:
    """A kind of lever."""

    name: str
    line: str  # what it sets, for lists
    address: str  # what its address is, for messages
    make: Callable[[str, Mapping[str, str]], Lever]  # of address and options; raises InputError
    options: tuple[str, ...] = ()  # that it takes


def names() -> tuple[str, ...]:
    """Return the names of all levers."""
    return tuple(_BUILT_IN)


def entry(name: str, place: str = "--lever") -> LeverKind:
    """Return one kind of lever.

    Parameters
    ----------
    name
        Its name.
    place
        Option or file and key that names it, for messages.

    Raises
    ------
    InputError
        There is no lever of this name.
    """
    if name not in _BUILT_IN:
        known = names()
        raise InputError.at(place, expected=f"one of {', '.join(known)}", got=name, near=near_names(name, known))
    module, attribute = _BUILT_IN[name]
    kind: LeverKind = getattr(import_module(module), attribute)
    return kind


def open_lever(name: str, address: str, options: Mapping[str, str] | None = None, place: str = "--lever") -> Lever:
    """Return the lever of a device.

    Parameters
    ----------
    name
        Name of the lever.
    address
        The device: a host, an index, a node, as the lever says.
    options
        Further options of the lever, as text; a password is in a file or a variable that they name.
    place
        Option or file and key that names it, for messages.

    Raises
    ------
    InputError
        The lever is unknown, its address or an option is wrong, or what it needs is missing on this machine.
    """
    kind, stated = entry(name, place), dict(options or {})
    where = f"{place} {name}"
    refuse_password(where, stated)
    for key in stated:
        if key not in kind.options:
            expected = f"one of {', '.join(kind.options)}" if kind.options else "no options"
            raise InputError.at(where, key, expected=expected, near=near_names(key, kind.options))
    if not address.strip():
        raise InputError.at(where, expected=kind.address)
    try:
        return kind.make(address, stated)
    except InputError as error:
        raise InputError(
            *(fault if fault.startswith(place) else f"{where}: {fault}" for fault in error.faults)
        ) from None


def open_device(device: Device) -> Lever:
    """Return the lever of a device of the journal; see `open_lever`."""
    return open_lever(device.lever, device.address, device.options, "perwatt levers")


def parse_lever(spec: str, option: str = "--lever") -> tuple[str, str, dict[str, str]]:
    """Return name, address and options of `NAME:ADDRESS[,KEY=VALUE…]`.

    Raises
    ------
    InputError
        The text is none.
    """
    return parse_spec(spec, option, "a lever such as luxos:10.0.4.1 or gpu_power:0")
