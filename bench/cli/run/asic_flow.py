"""The course of `perwatt run asic`: firmware, arrival, difficulty, settling, windows."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.output import fault, printable, progress, rate, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.progress import Progress

    from bench.measure.plans import Plan
    from bench.measure.runner import Job
    from bench.meters.protocol import Meter
    from bench.miners.reader import Miner
    from bench.miners.record import MinerReading
    from bench.network.login import Login
    from bench.results.record import Record
    from bench.stratum.thread import WorkServer
    from bench.workloads.asic.arrival import Unit
    from bench.workloads.asic.choice import Choice
    from bench.workloads.asic.settling import Settled
    from bench.workloads.asic.telemetry import Telemetry

SETTLE_FLOOR_S = {"smoke": 1.0, "quick": 60.0, "publish": 300.0}
"""Shortest block of the settling by plan [s]."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for."""

    host: str | None
    family: str | None
    login: "Login | None"  # of the miner's web pages
    listen: tuple[str, int]
    worker: str
    error_frac: float
    measure_s: float | None
    difficulty: float | None
    nominal_h_s: float | None
    wait_s: float
    ambient_c: float | None
    meters: tuple[str, ...]
    quiet: bool
    set_pool: bool = False  # whether the pool of the miner is set and brought back


def run_asic(request: Request, plan: "Plan", store: Path, meters: "Sequence[Meter]") -> "Record":
    """Measure one miner: firmware, arrival, difficulty, settling, windows; the server stops in every ending."""
    from bench.measure.runner import Job

    with at_work(request, plan, meters) as work:
        return work.measure(Job.start(work.plan, store, sys.argv[1:]), {}, lambda: None)


@dataclass(frozen=True, slots=True)
class AtWork:
    """A miner that works for the server of this run."""

    request: Request
    plan: "Plan"  # with the windows that were fixed
    choice: "Choice"
    server: "WorkServer"
    unit: "Unit"
    miner: "Miner | None"
    meters: "Sequence[Meter]"
    bars: "Progress"

    def measure(self, job: "Job", settings: "Mapping[str, str | None]", check: "Callable[[], None]") -> "Record":
        """Let the miner settle, measure it and store the record.

        Parameters
        ----------
        job
            The data that all records of the command share.
        settings
            Further settings of the device, for the record.
        check
            Is called again and again meanwhile; an error of it ends the measurement.
        """
        from bench.measure.runner import measure
        from bench.workloads.asic.device import describe, meter_notes
        from bench.workloads.asic.sha256d_scan_asic import Setting, Sha256dScanAsic

        request, server, unit, choice = self.request, self.server, self.unit, self.choice
        telemetry = _telemetry(self.miner)
        first = None if telemetry is None else telemetry.first
        try:
            settled = _settle(server, unit, choice, self.plan, telemetry, self.bars, check)
            server.freeze_difficulty(choice.difficulty)
            notes = meter_notes(request.meters, choice.expected_rate_h_s, first)
            same = None if request.host is None else unit.peer in _addresses(request.host)
            setting = Setting(unit, choice, settled, same, request.ambient_c, tuple(notes))
            task = self.bars.add_task("sha256d_scan_asic", total=1.0)

            def show(stage: str, done: float) -> None:
                self.bars.update(task, completed=done, description=f"sha256d_scan_asic: {stage}")
                check()

            device = describe(first, unit.user_agent)
            device = device.model_copy(update={"settings": {**device.settings, **settings}})
            workload = Sha256dScanAsic(server, setting, telemetry)
            return measure(workload, job, self.meters, device=device, on_progress=show)
        finally:
            if telemetry is not None:
                telemetry.stop()


@contextmanager
def at_work(request: Request, plan: "Plan", meters: "Sequence[Meter]") -> "Iterator[AtWork]":
    """Start a work server, wait for the miner, and choose difficulty and windows; all of it ends with the body."""
    from bench.miners.pools.writes import Target
    from bench.stratum.server import ServerOptions
    from bench.stratum.thread import WorkServer
    from bench.workloads.asic.pool_switch import pool_set

    miner = _miner(request)
    first = None if miner is None else miner.poll().reading
    choice = _choose(request, plan, first, meters)
    with (
        WorkServer(ServerOptions(difficulty=choice.difficulty)) as server,
        progress(quiet=request.quiet) as bars,
        ExitStack() as endings,
    ):
        host, port = server.start(*request.listen)
        _announce(request, choice, host, port)
        if request.set_pool and miner is not None:
            target = Target(host, port, request.worker)
            endings.enter_context(pool_set(miner, target, lambda line: _tell(request, line)))
        unit = _wait(request, server, bars)
        choice = _choose(request, plan, first, meters, minimum=_minimum(server, unit))
        if choice.difficulty != server.difficulty:
            server.set_difficulty(choice.difficulty)
        yield AtWork(request, _fixed(plan, choice), choice, server, unit, miner, meters, bars)


def _miner(request: Request) -> "Miner | None":
    """Return the reader of the miner that is named, of its stated family or the one that its replies show."""
    if request.host is None:
        return None
    from bench.cli.miner.command import open_miner
    from bench.miners.link import parse_address

    return open_miner(parse_address(request.host, "--miner"), request.family, request.login)


def _telemetry(miner: "Miner | None") -> "Telemetry | None":
    """Return the readings of a miner's firmware, after the first."""
    if miner is None:
        return None
    from bench.workloads.asic.telemetry import Telemetry

    return Telemetry(lambda: miner.poll().reading, miner.family.poll_s, miner.poll().reading)


def _choose(
    request: Request,
    plan: "Plan",
    first: "MinerReading | None",
    meters: "Sequence[Meter]",
    *,
    minimum: float | None = None,
) -> "Choice":
    """Return difficulty and windows; a window is at least what the plan and the meters need."""
    from bench.measure.plans import schedule
    from bench.workloads.asic.choice import choose, expected_rate

    return choose(
        expected_rate(request.nominal_h_s, first),
        request.error_frac,
        plan.windows,
        difficulty=request.difficulty,
        measure_s=request.measure_s,
        minimum_difficulty=minimum,
        least_window_s=schedule(plan, [meter.info for meter in meters]).window_s,
    )


def _fixed(plan: "Plan", choice: "Choice") -> "Plan":
    """Return the plan with the windows that were fixed; a miner that always works has no idle time."""
    why = f"{choice.wanted_error_frac:.2%} of {rate(choice.expected_rate_h_s, 'hash/s')} from shares"
    window_s = choice.window_s
    return replace(plan, floor_s=window_s, rate_floor_s=window_s, idle_before_s=0.0, idle_after_s=0.0, floor_why=why)


def _announce(request: Request, choice: "Choice", host: str, port: int) -> None:
    """Print the pool line, and how long the windows will last, also where standard output is for a program."""
    shown = f"[{host}]" if ":" in host else host
    shares_s, error_frac = choice.expected_shares_s, choice.wanted_error_frac
    total_s = choice.window_s * choice.windows
    total = f"{total_s:.0f} s" if total_s < 120.0 else f"{total_s / 60.0:.0f} min"
    lines = (
        f"pool       stratum+tcp://{shown}:{port}   worker {request.worker}   password x",
        f"windows    {choice.windows} of {choice.window_s:.0f} s ({total}) for ± {error_frac:.2%}",
        f"shares     about {choice.expected_shares:,.0f} of difficulty {choice.difficulty:g}, {shares_s:.2g} a second",
        "income     none during the measurement: the hashes are burned",
    )
    for line in lines:
        _tell(request, line)


def _tell(request: Request, line: str) -> None:
    """Print a line, on standard error if standard output is for a program."""
    if request.quiet:
        click.echo(printable(line), err=True)
    else:
        say(line)


def _wait(request: Request, server: "WorkServer", bars: "Progress") -> "Unit":
    from bench.workloads.asic.arrival import wait_for_miner

    task = bars.add_task("waiting for the miner", total=request.wait_s)
    known = _addresses(request.host) if request.host is not None else ()
    unit = wait_for_miner(server, request.wait_s, known, lambda passed_s: bars.update(task, completed=passed_s))
    bars.update(task, completed=request.wait_s, description=f"miner: {unit.user_agent or 'no user agent'}")
    return unit


def _minimum(server: "WorkServer", unit: "Unit") -> float | None:
    sessions = unit.sessions(server.sessions())
    return max((session.minimum_difficulty or 0.0 for session in sessions), default=0.0) or None


def _settle(
    server: "WorkServer",
    unit: "Unit",
    choice: "Choice",
    plan: "Plan",
    telemetry: "Telemetry | None",
    bars: "Progress",
    check: "Callable[[], None]",
) -> "Settled":
    from bench import limits
    from bench.workloads.asic.settling import block_length_s, settle
    from bench.workloads.asic.sha256d_scan_asic import own_shares

    if telemetry is not None:
        telemetry.start()
    task = bars.add_task("settling", total=limits.SETTLE_S)

    def show(passed_s: float, counts: Sequence[int]) -> None:
        bars.update(task, completed=passed_s, description=f"settling: {', '.join(map(str, counts[-3:]))} shares")
        check()

    return settle(
        lambda start_s, end_s: own_shares(server, unit, start_s, end_s),
        block_length_s(choice.expected_shares_s, SETTLE_FLOOR_S[plan.name]),
        (lambda: None) if telemetry is None else lambda: telemetry.newest.mode.settled,
        on_wait=show,
    )


def _addresses(host: str) -> tuple[str, ...]:
    """Return the addresses of a host; none if it has no name."""
    import socket

    from bench.miners.link import parse_address

    try:
        found = socket.getaddrinfo(parse_address(host, "--miner").host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        fault(f"--miner: {error.strerror}")
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
