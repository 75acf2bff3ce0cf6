"""All servers of a twin in one loop: where each unit listens, and the pages and the meter beside them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.twin.fleet import Twin, feeder_of, market_of, meter_of
from bench.twin.servers import antminer, avalon, axeos, braiins, luxos, vllm
from bench.twin.servers.modbus import ModbusMeter
from bench.twin.servers.pages import Pages
from bench.twin.servers.sockets import Sockets, addresses, allow_files
from bench.twin.servers.speaker import Speaker, Traffic, UnitSpeaker
from bench.twin.unit import Unit
from hardware_profiles.errors import InputError

HTTP_PORT = 80
LOCALHOST = "127.0.0.1"
NETWORK = "127.64"
Made = Callable[[Unit, Callable[[], float], Traffic], UnitSpeaker]
PROTOCOLS: dict[str, tuple[tuple[int, Made], ...]] = {
    "luxos": ((luxos.PORT, luxos.LuxOS),),
    "antminer": ((antminer.PORT, antminer.AntminerApi), (antminer.WEB_PORT, antminer.AntminerWeb)),
    "braiins": ((braiins.PORT, braiins.Braiins),),
    "avalon": ((avalon.PORT, avalon.Avalon),),
    "axeos": ((axeos.PORT, axeos.AxeOS),),
    "vllm": ((vllm.PORT, vllm.Vllm),),
}
"""The sockets of each protocol: the port of the firmware, and what speaks there."""
_LOGINS = {name: {"user": antminer.USER, "password_env": "PERWATT_TWIN_PASSWORD"} for name in ("antminer", "braiins")}
"""The login of the protocols that want one; the password is `antminer.PASSWORD`, as its maker sets it."""


@dataclass(slots=True)
class Served:
    """A twin that listens."""

    sockets: Sockets
    traffic: dict[str, Traffic]  # by unit
    addresses: dict[str, str] = field(default_factory=dict)  # HOST or HOST:PORT, by unit
    options: dict[str, dict[str, str]] = field(default_factory=dict)  # of its lever, by unit
    pages: str = ""  # HOST:PORT
    meter: str = ""  # HOST:PORT


async def serve(twin: Twin, *, network: str | None = NETWORK) -> Served:
    """Listen for every unit, for the wall meter and for the pages.

    Parameters
    ----------
    twin
        What is served.
    network
        First two numbers of the addresses of the units, each at its own with the port of its firmware; None to put all
        at 127.0.0.1, each at a port that the kernel chooses.

    Raises
    ------
    InputError
        A port is taken or not allowed, or this user may not open so many files.
    """
    allow_files(sum(len(_ports(unit)) for unit in twin.units))
    served = Served(Sockets(), {unit.name: Traffic() for unit in twin.units})
    free = addresses(network or NETWORK)
    try:
        for unit in twin.units:
            await _unit(served, unit, twin.clock, None if network is None else next(free))
        feeder = feeder_of(twin)
        meter = meter_of(twin, feeder)
        pages: Speaker = Pages(twin.clock, feeder, meter, market_of(twin), served.traffic)
        port = await served.sockets.listen(LOCALHOST, 0, ModbusMeter(meter, twin.clock), stays_open=True)
        served.meter = f"{LOCALHOST}:{port}"
        served.pages = f"{LOCALHOST}:{await served.sockets.listen(LOCALHOST, 0, pages)}"
    except BaseException:
        await served.sockets.close()
        raise
    return served


async def _unit(served: Served, unit: Unit, clock: Callable[[], float], address: str | None) -> None:
    """Listen for one unit: at an address of its own with the ports of its firmware, or at ports of the kernel."""
    host, ports = address or LOCALHOST, []
    for port, make in _ports(unit):
        own = _allowed(port) if address is not None else 0
        ports.append(await served.sockets.listen(host, own, make(unit, clock, served.traffic[unit.name])))
    usual = [port for port, _ in _ports(unit)]
    served.addresses[unit.name] = host if ports[0] == usual[0] else f"{host}:{ports[0]}"
    options = dict(_LOGINS.get(unit.kind.protocol, {}))
    if len(ports) > 1 and ports[1] != usual[1]:
        options["web_port"] = str(ports[1])
    served.options[unit.name] = options


def _allowed(port: int) -> int:
    """Return a port, or 8080 in the place of one that this user may not open."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        lowest = 1024
    return 8080 if port == HTTP_PORT and port < lowest and os.geteuid() != 0 else port


def _ports(unit: Unit) -> tuple[tuple[int, Made], ...]:
    try:
        return PROTOCOLS[unit.kind.protocol]
    except KeyError:
        expected = f"a protocol, one of {', '.join(PROTOCOLS)}"
        raise InputError.at("perwatt twin", expected=expected, got=unit.kind.protocol) from None
