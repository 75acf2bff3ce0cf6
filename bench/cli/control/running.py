"""The runs of `perwatt control`: in shadow, armed, and the one that brings everything back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.cli.control.sites import ARMED, SHADOW, control_path, plan_of_year, read_site, site_folder
from bench.cli.control.tables import ending_document, print_cycle, print_ending
from bench.cli.output import emit_json, say, warn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.control.clock import Clock
    from bench.control.driving.run import Ending, Run
    from bench.control.setup.arm import Armed
    from bench.control.setup.read import Controlled
    from sites.model import Site

IN_SHADOW = 3  # exit status where a file was to arm the site and does not

_MANY_UNITS = 1000  # from which the memory of a plan that is made here, 140 MB, matters


class Request(NamedTuple):
    """What the command line asks for."""

    site: str
    control: Path | None
    store: Path
    arm: Path | None
    cycles: int | None
    page: int | None
    clock: str | None
    restores: bool
    as_json: bool


def run(request: Request) -> int:
    """Control a site until it ends, show what became of it, and return the exit status."""
    from bench.control.clock import open_clock
    from bench.control.setup.read import read_control

    site, clock = read_site(request.site), open_clock(request.clock)
    controlled = read_control(control_path(request.site, request.control))
    armed = _armed(request, controlled, site, clock)
    if armed is not None and armed.reason:
        warn(f"{armed.reason}; the site stays in shadow")
    task = _task(request, controlled, site, clock, armed)
    ending, commands = asyncio.run(_driven(task, clock, request))
    if request.as_json:
        emit_json(ending_document(task, ending, commands))
    else:
        print_ending(task, ending, commands)
    if ending.halted or ending.reason == "not_restored" or (task.restoring and ending.listed):
        return 1
    return IN_SHADOW if ending.reason == "expired" or (armed is not None and armed.reason) else 0


def _armed(request: Request, controlled: Controlled, site: Site, clock: Clock) -> Armed | None:
    if request.arm is None:
        return None
    from bench.control.setup.arm import read_arm

    return read_arm(request.arm, controlled, site.name, clock.now_s())


def _task(request: Request, controlled: Controlled, site: Site, clock: Clock, armed: Armed | None) -> Run:
    from bench.control.driving.run import Run
    from bench.control.inputs import InputTables
    from bench.control.policy import policy_of

    apart = request.site if len(controlled.units) >= _MANY_UNITS else ""
    plan = plan_of_year(site, clock.now_s(), apart)
    controlled.check_blocks(plan.block_names, site.name)
    permit = None if armed is None else armed.permit
    folder = site_folder(request.store, site)
    reason = "" if armed is None else armed.reason or f"armed by {request.arm}"
    return Run(
        setup=controlled.setup(site.name, policy_of(plan, controlled.rules), permit),
        plan=plan,
        rules=controlled.rules,
        devices=controlled.devices,
        inputs=InputTables(controlled.price, controlled.targets, controlled.path, folder / "inputs"),
        feeder=controlled.feeder,
        control_sha256=controlled.sha256,
        folder=folder / (ARMED if permit is not None or request.restores else SHADOW),
        mode_reason="as found again" if request.restores else reason,
        simulated=clock.simulated,
        expires_s=None if armed is None else armed.expires_s,
        restoring=request.restores,
    )


async def _driven(task: Run, clock: Clock, request: Request) -> tuple[Ending, int]:
    """Drive a site, and return how it ended and the number of its commands."""
    from bench.control.drive import drive

    commands, known = [0], list[str]()

    def tell(row: Mapping[str, Any]) -> None:
        commands[0] += row["commands"]
        if not request.as_json:
            print_cycle(row, known)
        known[:] = [*row["reasons"], *row["faults"]]

    def started(port: int) -> None:
        if not request.as_json:
            say(f"page       http://127.0.0.1:{port}/")

    ending = await drive(task, clock, tell, cycles=request.cycles, page_port=request.page, started=started)
    return ending, commands[0]
