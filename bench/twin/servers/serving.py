"""All servers of a twin in one loop: where each unit listens, and the pages and the meter beside them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.twin.fleet import Twin, feeder_of, market_of, meter_of
from bench.twin.servers import luxos, vllm
from bench.twin.servers.modbus import ModbusMeter
from bench.twin.servers.pages import Pages
from bench.twin.servers.sockets import Sockets, addresses, allow_files
from bench.twin.servers.speaker import Speaker, Traffic, UnitSpeaker
from bench.twin.unit import Unit
from hardware_profiles.errors import InputError

LOCALHOST = "127.0.0.1"
NETWORK = "127.64"
Made = Callable[[Unit, Callable[[], float], Traffic], UnitSpeaker]
_PORTS: dict[str, tuple[tuple[int, Made], ...]] = {
    "luxos": ((luxos.PORT, luxos.LuxOS),),
    "vllm": ((vllm.PORT, vllm.Vllm),),
}
"""The sockets of each protocol: the port of the firmware, and what speaks there."""


@dataclass(slots=True)
class Served:
    """A twin that listens."""

    sockets: Sockets
    traffic: dict[str, Traffic]  # by unit
    addresses: dict[str, str] = field(default_factory=dict)  # HOST or HOST:PORT, by unit
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
            address = LOCALHOST if network is None else next(free)
            ports = [
                await served.sockets.listen(address, 0 if network is None else port, make(unit, twin.clock, traffic))
                for traffic in [served.traffic[unit.name]]
                for port, make in _ports(unit)
            ]
            served.addresses[unit.name] = f"{address}:{ports[0]}" if network is None else address
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


def _ports(unit: Unit) -> tuple[tuple[int, Made], ...]:
    try:
        return _PORTS[unit.kind.protocol]
    except KeyError:
        expected = f"a protocol, one of {', '.join(_PORTS)}"
        raise InputError.at("perwatt twin", expected=expected, got=unit.kind.protocol) from None
