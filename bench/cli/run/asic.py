"""`perwatt run asic`: the hash rate of an ASIC miner, verified by its shares, and joules at the wall."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import NUMBER, POSITIVE, PositiveRange, prepare_out, remote_options
from bench.cli.output import emit_json
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.cli.run.asic_flow import Request

PORT = 3333
WORKER = "perwatt.asic"
LONGEST_WORKER = 100  # characters
COLDEST_C, HOTTEST_C = -60.0, 100.0  # [°C] the inlet of a machine, also in oil or water


_OPTIONS = (
    click.option("--miner", "host", metavar="HOST", help="Miner whose firmware is read. [default: shares only]"),
    click.option(
        "--family", shell_complete=completion.miner_families, help="Its family. [default: what its replies show]"
    ),
    click.option("--user", help="User of the miner's web pages, for figures that need a login."),
    click.option("--password-file", type=click.Path(path_type=Path), help="File of mode 0600 with the password."),
    click.option("--password-env", help="Environment variable with the password."),
    click.option("--listen", metavar="IP:PORT", help=f"Where miners connect. [default: towards --miner, port {PORT}]"),
    click.option(
        "--set-pool", is_flag=True, help="Set the miner's pool, and bring the former one back in every ending."
    ),
    click.option("--worker", default=WORKER, show_default=True, help="Name of the worker in the pool line."),
    click.option(
        "--error", default="1%", show_default=True, help="Wanted error: half of the 95 % interval of the rate."
    ),
    click.option("--measure-s", type=PositiveRange(1e6), help="Time of all windows [s]. [default: what --error needs]"),
    click.option(
        "--difficulty", type=PositiveRange(1e15), help="Difficulty of the shares. [default: for 5 to 20 a second]"
    ),
    click.option("--nominal", help="Rated hash rate, such as '200 TH/s'. [default: what the firmware states]"),
    click.option("--wait-s", type=POSITIVE, default=900.0, show_default=True, help="Longest wait for the miner [s]."),
    click.option("--ambient-c", type=NUMBER, help="Temperature at the inlet, if you measure it [°C]."),
)


def miner_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a measured miner: how it is reached, and for how long it is measured; see `request_of`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "perwatt run asic --miner 192.0.2.7 --meter shelly:192.0.2.9",
        "perwatt run asic --listen 192.0.2.2:3333 --nominal '200 TH/s' --error 2%",
        "perwatt run asic --listen 127.0.0.1:3333 --nominal '30 MH/s' --error 10%",
    )
)
@miner_options
@remote_options
def asic(
    plan: str,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    watts: float | None,
    store: Path,
    as_json: bool,
    **of_miner: Any,
) -> int:
    """Measure an ASIC miner: hash rate verified by its shares, joules by your meter.

    A work server starts and prints the pool line to enter at the miner. The miner settles, then the windows run, whose
    length was fixed before. The firmware's own figures are stored next to the measured ones and never mixed with them.

    Without --set-pool nothing is written to the miner. The hashes are burned: no pool pays for them.
    """
    from bench.cli.run.asic_flow import run_asic
    from bench.cli.run.asic_tables import print_asic
    from bench.cli.run.measure import opened
    from bench.cli.run.tables import document, exit_status
    from bench.measure.plans import get_plan
    from bench.meters.protocol import MeterOptions

    chosen_plan = get_plan(plan)
    request = request_of(**of_miner, meters=meters, quiet=as_json)
    prepare_out(store)
    options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with opened(chosen_plan, request.meters, options) as reading:
        record = run_asic(request, chosen_plan, store, reading)
    if as_json:
        emit_json(document([record], store, None))
    else:
        print_asic(record, store)
    return exit_status([record])


def request_of(
    *,
    host: str | None,
    family: str | None,
    user: str | None,
    password_file: Path | None,
    password_env: str | None,
    listen: str | None,
    set_pool: bool,
    worker: str,
    error: str,
    measure_s: float | None,
    difficulty: float | None,
    nominal: str | None,
    wait_s: float,
    ambient_c: float | None,
    meters: tuple[str, ...],
    quiet: bool,
) -> "Request":
    """Return what the options of `miner_options` ask for.

    Raises
    ------
    InputError
        A value is wrong, or an option lacks the one that it needs.
    """
    from bench.cli.miner.command import login_of
    from bench.cli.run.asic_flow import Request
    from bench.cli.run.measure import remote_specs
    from bench.workloads.asic.choice import parse_error, parse_rate

    _check_worker(worker)
    if ambient_c is not None and not COLDEST_C <= ambient_c <= HOTTEST_C:
        expected = f"a temperature at the inlet from {COLDEST_C:g} to {HOTTEST_C:g} °C"
        raise InputError.at("--ambient-c", expected=expected, got=ambient_c)
    request = Request(
        host=host,
        family=family,
        login=login_of(user, password_file, password_env),
        listen=_listen(listen, host),
        worker=worker,
        error_frac=parse_error(error),
        measure_s=measure_s,
        difficulty=difficulty,
        nominal_h_s=None if nominal is None else parse_rate(nominal),
        wait_s=wait_s,
        ambient_c=ambient_c,
        meters=remote_specs(meters),
        quiet=quiet,
        set_pool=set_pool,
    )
    if set_pool:
        _check_set_pool(host, request.listen[0])
    if family is not None and host is None:
        raise InputError.at("--family", expected="--miner HOST with it", got=family)
    return request


def _check_worker(worker: str) -> None:
    """Refuse a name that cannot be typed at a miner, or that its firmware may cut."""
    if not (0 < len(worker) <= LONGEST_WORKER and worker.isascii() and worker.isprintable()) or set(worker) & set(" ,"):
        expected = f"1 to {LONGEST_WORKER} ASCII characters without spaces and commas"
        raise InputError.at("--worker", expected=expected, got=worker)


def _check_set_pool(host: str | None, listen: str) -> None:
    """Refuse to set a pool without a miner, or to an address that stands for all interfaces."""
    if host is None:
        raise InputError.at("--set-pool", expected="--miner HOST with it, the miner whose pool is set")
    if listen in {"0.0.0.0", "::"}:  # noqa: S104 (refused)
        raise InputError.at("--listen", expected="the one address that the miner reaches, with --set-pool", got=listen)


def _listen(text: str | None, miner: str | None) -> tuple[str, int]:
    """Return address and port to listen on: the stated ones, else those of the interface towards the miner."""
    from bench.miners.link import parse_address

    if text is not None:
        if text.endswith(":0"):  # a free port
            return parse_address(text.removesuffix(":0"), "--listen").host, 0
        address = parse_address(text, "--listen")
        return address.host, PORT if address.port is None else address.port
    if miner is None:
        raise InputError.at("--listen", expected="an address of this machine that the miner reaches, as IP:PORT")
    return _interface_towards(parse_address(miner, "--miner").host), PORT


def _interface_towards(host: str) -> str:
    """Return the address of this machine on the interface that leads to a host; nothing is sent."""
    import socket

    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        raise InputError.at("--miner", expected=f"a host that can be reached ({error.strerror})", got=host) from None
