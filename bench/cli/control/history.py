"""The commands of `perwatt control` that read what was: the status, the check of the log, a replay; and to go on."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli.control.sites import ARMED, SHADOW, control_path, folder_in_use, read_site, site_folder
from bench.cli.control.tables import not_as_found, print_cycle, print_money
from bench.cli.output import counted, emit_json, fault, say, warn
from bench.cli.table import print_table
from bench.control.reasons import words

if TYPE_CHECKING:
    from bench.control.log.verify import Verified


def show_status(site: str, store: Path, *, as_json: bool) -> int:
    """Show the last cycle of a site and the units that are not as found; the exit status is 1 if it is halted."""
    from bench.control.log.audit import last_row

    folder = folder_in_use(store, read_site(site))
    row = last_row(folder) or {}
    units = not_as_found(folder)
    halted = row.get("mode") == "halted"
    if as_json:
        figures = {key: value for key, value in row.items() if key not in {"tick", "decision"}}
        emit_json({"schema": "perwatt.control-status/1", "log": str(folder), "cycle": figures, "units": units})
        return 1 if halted else 0
    if row:
        print_cycle(row)
        print_money(row)
    if halted:
        warn(
            f"control is halted: {words(str(row.get('mode_reason')))}; `perwatt control {site} --resume` ends the halt"
        )
    if units:
        rows = [(one["unit"], one["as_found"] or "", one["level"] or "", one["why"]) for one in units]
        print_table(("unit", "found", "now", "why"), rows)
    say(f"log        {folder}")
    return 1 if halted else 0


def show_verify(site: str, store: Path, *, as_json: bool) -> int:
    """Check the logs of a site; the exit status is 1 if a line was changed or a decision differs."""
    from bench.control.log.audit import AUDIT_FILE
    from bench.control.log.verify import verify

    loaded = read_site(site)
    folder_in_use(store, loaded)  # refuses a site without a log
    folders = [site_folder(store, loaded) / mode for mode in (ARMED, SHADOW)]
    checked = {folder: verify(folder) for folder in folders if (folder / AUDIT_FILE).exists()}
    if as_json:
        emit_json({"schema": "perwatt.control-check/1", "logs": [_document(*one) for one in checked.items()]})
    else:
        for folder, done in checked.items():
            for line in done.faults:
                fault(line)
            if not done.faults:
                say(
                    f"{folder}: {counted(done.lines, 'line')} unbroken, {counted(done.cycles, 'decision')} the same "
                    f"again, {counted(done.commands, 'command')}; last line {done.head_sha256[:16]}"
                )
    return 1 if any(done.faults for done in checked.values()) else 0


def ask_resume(site: str, store: Path, *, as_json: bool) -> int:
    """Ask the controller of a site, or its next run, to go on after a halt."""
    from bench.control.log.requests import resume

    folder = folder_in_use(store, read_site(site))
    resume(folder, getpass.getuser())
    if as_json:
        emit_json({"schema": "perwatt.control-resume/1", "log": str(folder)})
    else:
        say("the halt ends with the next cycle, and units that were left alone are taken back")
    return 0


def show_replay(site: str, control: Path | None, prices: str, *, as_json: bool) -> int:
    """Show what a year of prices would have earned under control."""
    from bench.control.replay import replay, replay_document, replay_lines
    from bench.control.setup.read import read_control
    from hardware_profiles.errors import InputError

    controlled = read_control(control_path(site, control))
    units = [terms.unit for terms in controlled.units.values()]
    market = None
    if prices:
        if controlled.price is None:
            raise InputError.at(controlled.path, "price", expected="how the prices of the file are read")
        market = controlled.price, Path(prices)
    shadow = replay(read_site(site), units, controlled.rules, market)
    if as_json:
        emit_json(replay_document(shadow))
        return 0
    for line in replay_lines(shadow):
        say(line)
    return 0


def _document(folder: Path, done: Verified) -> dict[str, Any]:
    return {"log": str(folder), **done._asdict()}
