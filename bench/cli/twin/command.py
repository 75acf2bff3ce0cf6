"""`perwatt twin`: simulated miners, servers, a feeder, a meter and a market on loopback, for trials of control."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.options import NUMBER, WHOLE
from bench.cli.output import say
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from bench.twin.fleet import Twin, TwinOptions

NOTICE = "simulated: every device, meter reading and price here is made up"


@click.command(
    epilog=examples(
        "perwatt twin --out twin",
        "perwatt twin --units 200 --speed 60 --lies some --out twin",
        "perwatt twin --lies late=0.1,persons=2 --faulty-market --out twin",
    )
)
@click.option("--units", type=WHOLE, default=20, show_default=True, help="Miners, up to 10,000.")
@click.option("--gpus", type=WHOLE, default=0, show_default=True, help="GPU servers with a vLLM endpoint.")
@click.option("--kinds", default="luxos-s19", show_default=True, help="Kinds of the miners, by turns, with commas.")
@click.option(
    "--speed",
    type=NUMBER,
    default=1000.0,
    show_default=True,
    help="Simulated seconds a second; 0 stands still.",
)
@click.option("--seed", type=WHOLE, default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--lies", default="no", show_default=True, help="no, some, many, or NAME=NUMBER with commas.")
@click.option("--faulty-market", is_flag=True, help="Prices that come late, twice or not at all.")
@click.option("--meter-scale", type=NUMBER, default=1.0, show_default=True, help="What the meter shows of the truth.")
@click.option("--own-ports", is_flag=True, help="Put all units at 127.0.0.1, each at a port of its own.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files of perwatt control.")
def twin(
    units: int,
    gpus: int,
    kinds: str,
    speed: float,
    seed: int,
    lies: str,
    faulty_market: bool,
    meter_scale: float,
    own_ports: bool,
    out: Path,
) -> None:
    """Simulate a site on loopback, with real protocols, until Ctrl-C.

    Each miner has an address of its own, 127.64.0.1 and following, and speaks the protocol of its firmware. The files
    that it writes are ready for `perwatt control`. Nothing leaves this machine, and everything says that it is
    simulated.
    """
    from bench.twin.fleet import MOST_UNITS, TwinOptions
    from bench.twin.lies import parse_lies

    options = TwinOptions(
        units=int(_within("--units", units, MOST_UNITS)),
        gpus=int(_within("--gpus", gpus, MOST_UNITS - units)),
        kinds=_kinds(kinds),
        speed=_within("--speed", speed, 100_000),
        seed=seed,
        lies=parse_lies(lies, "--lies"),
        faulty_market=faulty_market,
        meter_scale=_within("--meter-scale", meter_scale, 100.0),
    )
    if units + gpus == 0:
        raise InputError.at("--units", expected="one unit or more", got="0 miners and 0 servers")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options, out, own_ports=own_ports))


async def _serve(options: "TwinOptions", out: Path, *, own_ports: bool) -> None:
    from bench.twin.files import write_files
    from bench.twin.fleet import build
    from bench.twin.servers.serving import NETWORK, serve

    simulated = build(options)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    served = await serve(simulated, network=None if own_ports else NETWORK)
    try:
        paths = write_files(out, simulated, served)
        say(NOTICE)
        say(_line(simulated))
        say(f"simulated pages http://{served.pages}/ and meter modbus:{served.meter}; Ctrl-C ends it")
        say(
            f"perwatt control {paths['site']} --units {paths['control']} --arm {paths['arm']} "
            f"--clock http://{served.pages}/clock"
        )
        await stopped.wait()
    finally:
        await served.sockets.close()
        counts = served.traffic.values()
        say(
            f"simulated: {sum(one.reads for one in counts)} requests that read, {sum(one.changes for one in counts)} "
            f"that change ({sum(one.change_bytes for one in counts)} bytes)"
        )


def _line(simulated: "Twin") -> str:
    options = simulated.options
    speed = "stepped over HTTP" if options.speed == 0.0 else f"{options.speed:g} simulated seconds a second"
    return (
        f"simulated: {len(simulated.miners)} miners and {len(simulated.servers)} servers, {speed}, seed {options.seed}"
    )


def _within(option: str, value: float, most: float) -> float:
    if not 0 <= value <= most:
        raise InputError.at(option, expected=f"a number from 0 to {most:g}", got=value)
    return value


def _kinds(text: str) -> tuple[str, ...]:
    from bench.twin.kinds import KINDS
    from bench.twin.servers.serving import PROTOCOLS

    known = [name for name, kind in KINDS.items() if kind.protocol in PROTOCOLS and name != "gpu-server"]
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            raise InputError.at("--kinds", expected=f"of {', '.join(known)}", got=name, near=near_names(name, known))
    return names
