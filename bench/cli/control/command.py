"""`perwatt control`: carry a plan out, in shadow unless a file arms it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli import completion
from bench.cli.commands import CommandWithVerbs, examples
from bench.cli.control.schema import schema
from bench.cli.options import WholeRange, json_option, store_option
from hardware_profiles.errors import InputError

_FILE = click.Path(path_type=Path)
_MOST_CYCLES = 10**9


@click.group(
    cls=CommandWithVerbs,
    invoke_without_command=True,
    epilog=examples(
        "perwatt control site.toml --units control.toml",
        "perwatt control site.toml --units control.toml --replay",
        "perwatt control site.toml --units control.toml --arm arm.toml --page 8080",
        "perwatt control site.toml --units control.toml --restore",
        "perwatt control site.toml --status",
        "perwatt control schema --out control.schema.json",
    ),
)
@click.argument("site", metavar="SITE", shell_complete=completion.sites)
@click.option("--units", "control", type=_FILE, help="Control file.  [default: SITE with the ending .control.toml]")
@click.option("--shadow", is_flag=True, help="Look and decide, and send no command: this is the default.")
@click.option("--arm", type=_FILE, metavar="FILE", help="Send commands, as this file allows.")
@click.option("--restore", is_flag=True, help="Bring every unit back as it was found, and end.")
@click.option("--resume", is_flag=True, help="End a halt, and take units back that were left alone.")
@click.option("--status", is_flag=True, help="Show the last cycle, and which units are not as found.")
@click.option("--verify", is_flag=True, help="Check the audit log, and make every decision of it again.")
@click.option(
    "--replay", is_flag=False, flag_value="", metavar="[FILE]", help="Replay a year of prices: of the site, or a file."
)
@click.option("--cycles", type=WholeRange(1, _MOST_CYCLES), help="End after so many cycles.  [default: at Ctrl-C]")
@click.option("--page", type=WholeRange(0, 65535), metavar="PORT", help="Serve the live page at this port; 0 for any.")
@click.option("--clock", metavar="URL", help="Page of a twin's simulated clock, on this machine.")
@store_option
@json_option
def control(site: str, control: Path | None, store: Path, as_json: bool, **asked: Any) -> int:
    """Carry a plan out: in shadow, or armed by a file.

    SITE is a site file, whose units are switched as its dispatch, the prices and the load targets call for. Without
    --arm nothing is sent: the log says what would have been done, and what it would have earned. Every decision is in
    RESULTS/control before a command goes out.

    The exit status is 1 if control is halted, a check fails or a unit could not be restored, and 3 if the file of --arm
    does not fit or has expired, so that the site stays in shadow.
    """
    chosen = _mode(asked)
    if chosen == "replay":
        from bench.cli.control.history import show_replay

        return show_replay(site, control, str(asked["replay"]), as_json=as_json)
    if chosen in {"status", "verify", "resume"}:
        from bench.cli.control import history

        show = {"status": history.show_status, "verify": history.show_verify, "resume": history.ask_resume}[chosen]
        return show(site, store, as_json=as_json)
    from bench.cli.control.running import Request, run

    request = Request(
        site, control, store, asked["arm"], asked["cycles"], asked["page"], asked["clock"],
        restores=chosen == "restore", as_json=as_json,
    )  # fmt: skip
    return run(request)


def _mode(asked: dict[str, Any]) -> str:
    """Return which of the options that exclude one another was stated; shadow by default."""
    chosen = [
        name
        for name in ("shadow", "arm", "restore", "resume", "status", "verify", "replay")
        if asked[name] is not None and asked[name] is not False
    ]
    if len(chosen) > 1:
        raise InputError.at(f"--{chosen[1]}", expected=f"no --{chosen[0]} with it", got="both")
    return chosen[0] if chosen else "shadow"


control.add_command(schema)
