"""`perwatt miner simulate`: the CPU of this machine as a miner of a work server."""

import time
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.options import NUMBER, WHOLE, PositiveRange, json_option
from bench.cli.output import counted, emit_json, progress, rate, say
from bench.cli.run.measure import check_machine
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.stratum.simulator.miner import Tally
    from bench.stratum.simulator.personality import Personality

NOTICE = "simulated miner: the CPU of this machine hashes; no ASIC is involved, and no pool pays for it"


@click.command(
    epilog=examples(
        "perwatt miner simulate 127.0.0.1:3333",
        "perwatt miner simulate 192.0.2.10:3333 --seconds 60 --threads 2",
        "perwatt miner simulate 127.0.0.1:3333 --ticket-mask 0.01 --crlf",
    )
)
@click.argument("address", metavar="HOST:PORT")
@click.option("--worker", default="perwatt.simulator", show_default=True, help="Name of the worker.")
@click.option("--seconds", type=PositiveRange(1e6), help="Stop after this time [s]. [default: Ctrl-C]")
@click.option("--shares", type=WHOLE, help="Stop after this number of shares.")
@click.option("--variant", help="Kernel variant. [default: the fastest in a calibration]")
@click.option("--threads", type=WHOLE, default=1, show_default=True, help="CPU threads.")
@click.option(
    "--version-bits",
    type=click.Choice(("replace", "or", "xor")),
    default="replace",
    show_default=True,
    help="How rolled bits and the job's version become the version of the header.",
)
@click.option(
    "--rounding",
    type=click.Choice(("none", "down", "up")),
    default="none",
    show_default=True,
    help="Round the difficulty to a power of two, as some firmware does.",
)
@click.option("--ticket-mask", type=PositiveRange(1e15), help="Report no nonce below this difficulty, as chips do.")
@click.option("--ignore-mask", is_flag=True, help="Roll version bits that the server did not allow.")
@click.option("--five-parameters", is_flag=True, help="Submit without version bits.")
@click.option("--roll-time", is_flag=True, help="Roll the time of the header too.")
@click.option("--crlf", is_flag=True, help="End lines with carriage return and line feed.")
@click.option("--slow-s", type=NUMBER, default=0.0, help="Pause in the middle of each line [s].")
@click.option("--late-s", type=NUMBER, default=0.0, help="Time that each share waits before it is sent [s].")
@click.option("--stale-s", type=NUMBER, default=0.0, help="Time that the old job is kept after a new one [s].")
@click.option("--duplicates", type=NUMBER, default=0.0, help="Share of the shares that are sent twice, 0 to 1.")
@click.option("--storm", type=WHOLE, default=0, help="Connections that are opened and dropped first.")
@click.option("--close-after", type=WHOLE, help="Close the connection and end after this number of shares.")
@json_option
def simulate(
    address: str,
    worker: str,
    seconds: float | None,
    shares: int | None,
    variant: str | None,
    threads: int,
    version_bits: str,
    rounding: str,
    ticket_mask: float | None,
    ignore_mask: bool,
    five_parameters: bool,
    roll_time: bool,
    crlf: bool,
    slow_s: float,
    late_s: float,
    stale_s: float,
    duplicates: float,
    storm: int,
    close_after: int | None,
    as_json: bool,
) -> None:
    """Mine on the CPU against a work server, with the habits and faults of real firmware on request.

    Every hash is counted. The work server estimates the same rate from the shares alone, so the two must agree. This
    tests a work server, a network and `perwatt run asic` without an ASIC.
    """
    from bench.stratum.simulator.client import SessionEndedError
    from bench.stratum.simulator.miner import SimulatedMiner
    from bench.stratum.simulator.personality import ROUNDINGS, VERSION_BITS, Personality

    host, port = _address(address)
    check_machine(threads)
    if shares is not None and shares < 1:
        raise InputError.at("--shares", expected="a whole number above 0", got=shares)
    personality = Personality(
        version_bits=VERSION_BITS[VERSION_BITS.index(version_bits)],
        rounding=ROUNDINGS[ROUNDINGS.index(rounding)],
        ticket_mask=ticket_mask,
        ignores_mask=ignore_mask,
        five_parameters=five_parameters,
        rolls_time=roll_time,
        crlf=crlf,
        slow_s=slow_s,
        late_s=late_s,
        stale_s=stale_s,
        duplicates_frac=duplicates,
        storm=storm,
        close_after=close_after,
    )
    if not as_json:
        say(NOTICE)
    chosen = _fastest(variant, threads)
    if not as_json:
        habits = personality.words()
        say(f"variant {chosen}, {counted(threads, 'thread')}, worker {worker}" + (f"; {habits}" if habits else ""))
    miner = SimulatedMiner(host, port, worker, personality=personality, variant=chosen, threads=threads)
    until_s = None if seconds is None else time.monotonic() + seconds

    with progress(quiet=as_json) as bars:
        task = bars.add_task("mining", total=seconds)

        def done(tally: "Tally") -> bool:
            bars.update(task, completed=tally.elapsed_s, description=f"{counted(tally.shares, 'share')} sent")
            late = until_s is not None and time.monotonic() >= until_s
            return late or (shares is not None and tally.shares >= shares)

        ended = ""
        try:
            tally = miner.run(done)
        except SessionEndedError as error:
            if not miner.tally.hashes:
                raise RunFailedError(f"{address}: {error}") from None
            tally, ended = miner.tally, str(error)
        except KeyboardInterrupt:
            tally = miner.tally
    if as_json:
        emit_json({**_document(tally, personality, chosen, threads), "ended_early": ended or None})
    else:
        _print(tally)
        if ended:
            say(f"ended      before its time: {ended}")


def _address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, also after `stratum+tcp://`."""
    from bench.network.http import parse_host

    bare = text.removeprefix("stratum+tcp://")
    host, port = parse_host(bare, "HOST:PORT")
    if not bare.rstrip("/").endswith(f":{port}"):
        raise InputError.at("HOST:PORT", expected="a host with the port of its work server, as in :3333", got=text)
    return host, port


def _fastest(variant: str | None, threads: int) -> str:
    from bench.workloads.cpu.sha256d_scan_cpu import Sha256dScanCpu
    from bench.workloads.protocol import WorkloadOptions
    from kernels.errors import KernelInputError

    try:
        workload = Sha256dScanCpu("sha256d_scan_cpu", WorkloadOptions(variant=variant, threads=threads))
    except KernelInputError as error:
        raise InputError(f"--{error}") from None
    workload.prepare()
    return workload.variant


def _print(tally: "Tally") -> None:
    say(f"hashes     {tally.hashes:,} in {tally.elapsed_s:.3f} s, counted one by one")
    say(f"rate       {rate(tally.rate_h_s, 'hash/s')} (counted)")
    refused = ", ".join(f"{count:,} {words}" for words, count in tally.refused.items())
    say(
        f"shares     {tally.shares:,}; sent {tally.submitted:,}, accepted {tally.accepted:,}"
        + (f", refused {refused}" if refused else "")
        + (f", without an answer {tally.unanswered:,}" if tally.unanswered else "")
    )
    say(f"sessions   {counted(tally.connections, 'connection')}, {counted(tally.jobs, 'job')}")


def _document(tally: "Tally", personality: "Personality", variant: str, threads: int) -> dict[str, object]:
    return {
        "schema": "perwatt.miner-simulate/1",
        "simulated": NOTICE,
        "variant": variant,
        "threads": threads,
        "personality": personality.words(),
        "hashes": tally.hashes,
        "elapsed_s": tally.elapsed_s,
        "rate_h_s": tally.rate_h_s,
        "shares": tally.shares,
        "submitted": tally.submitted,
        "accepted": tally.accepted,
        "refused": dict(tally.refused),
        "unanswered": tally.unanswered,
        "connections": tally.connections,
        "jobs": tally.jobs,
    }
