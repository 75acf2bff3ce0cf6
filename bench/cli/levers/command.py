"""`perwatt levers`: what can be set, and what a killed program set and did not bring back."""

from typing import TYPE_CHECKING

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.options import PositiveRange, json_option
from bench.cli.output import counted, emit_json, say, warn
from bench.cli.table import print_table
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from bench.levers.journal import Entry

DEADLINE_S = 120.0


@click.group(
    cls=NearGroup,
    epilog=examples("perwatt levers list", "perwatt levers restore", "perwatt levers restore gpu_power:0"),
)
def levers() -> None:
    """Show what can be set on devices, and bring back what a killed program left set.

    A sweep, a ramp and control write each device as they found it to a journal before they set it, and bring it back
    in every ending that a program can see. After a kill or a power cut, `perwatt levers restore` does it.
    """


@levers.command(name="list", epilog=examples("perwatt levers list", "perwatt levers list --json"))
@json_option
def list_(as_json: bool) -> None:
    """List the kinds of levers, and the devices that were set and are not as they were found."""
    from bench.levers import registry
    from bench.levers.journal import is_running, pending

    kinds = [registry.entry(name) for name in registry.names()]
    entries = pending(warn)
    running = {who: is_running(who) for who in {entry.who for entry in entries}}
    if as_json:
        emit_json(
            {
                "levers": [{"name": kind.name, "sets": kind.line, "address": kind.address} for kind in kinds],
                "pending": [_row(entry) | {"running": running[entry.who]} for entry in entries],
            }
        )
        return
    print_table(("lever", "sets", "address"), [(kind.name, kind.line, kind.address) for kind in kinds])
    if not entries:
        say("Every device that was set is as it was found.")
        return
    rows = [
        (str(entry.device), entry.level or "", entry.who, entry.at, "yes" if running[entry.who] else "no")
        for entry in entries
    ]
    print_table(("device", "as found", "set by", "since, UTC", "still runs"), rows, title="Not brought back yet")
    if not all(running.values()):
        say("`perwatt levers restore` brings back those whose program no longer runs.")


@levers.command(
    epilog=examples(
        "perwatt levers restore", "perwatt levers restore slurm:gpu01", "perwatt levers restore --forget m7"
    )
)
@click.argument("device", metavar="[DEVICE]", required=False)
@click.option(
    "--deadline-s",
    type=PositiveRange(86_400.0),
    default=DEADLINE_S,
    show_default=True,
    help="Longest wait for a device [s].",
)
@click.option("--forget", is_flag=True, help="Send nothing: remove the journal of DEVICE, whose setting is right.")
def restore(device: str | None, deadline_s: float, forget: bool) -> None:
    """Bring devices back as they were found, from the journals of programs that no longer run.

    DEVICE is LEVER:ADDRESS or its identity, as `perwatt levers list` shows it; without one, all are brought back. A
    device is looked at before and after; its journal goes only when it shows its former setting. One follows the other,
    so that they do not all start at once.
    """
    from bench.levers.journal import is_running, pending

    if forget and device is None:
        raise InputError.at("--forget", expected="a DEVICE with it")
    entries = _chosen(pending(warn), device)
    if device is None and (running := {entry.who for entry in entries if is_running(entry.who)}):
        say(f"left to the programs that run: {', '.join(sorted(running))}")
        entries = [entry for entry in entries if entry.who not in running]
    if not entries:
        say("Every device that was set is as it was found.")
        return
    if left := [line for entry in entries if (line := _restore(entry, deadline_s, forget=forget))]:
        for line in left:
            warn(line)
        raise RunFailedError(f"{counted(len(left), 'device')} of {len(entries)} could not be brought back")


def _chosen(entries: "list[Entry]", device: str | None) -> "list[Entry]":
    """Return the entries that DEVICE names, or all."""
    if device is None:
        return entries
    chosen = [entry for entry in entries if device in {str(entry.device), entry.device.address, entry.device.identity}]
    if not chosen:
        known = [str(entry.device) for entry in entries]
        expected = f"one of {', '.join(known)}" if known else "a device that was set and not brought back"
        raise InputError.at("DEVICE", expected=expected, got=device, near=near_names(device, known))
    return chosen


def _restore(entry: "Entry", deadline_s: float, *, forget: bool) -> str:
    """Bring one device back, and return why it is not, or an empty text."""
    import asyncio

    from bench.levers.journal import Journal
    from bench.machine.endings import endings_raise

    with endings_raise():
        try:
            journal = Journal(entry.who)
        except InputError as error:
            return f"{entry.device}: {error}"
        with journal:
            if journal.standing(entry.device) is None:
                return ""
            why = "" if forget else asyncio.run(_bring_back(entry, deadline_s))
            if why:
                return f"{entry.device}: {why}"
            journal.remove(entry.device)
    say(f"{entry.device}: {'forgotten; nothing was sent' if forget else f'as it was found at {entry.at}'}")
    return ""


async def _bring_back(entry: "Entry", deadline_s: float) -> str:
    from bench.levers.registry import open_device
    from bench.levers.restore import bring_back

    try:
        lever = open_device(entry.device)
    except InputError as error:
        return str(error)
    try:
        return await bring_back(lever, entry, deadline_s)
    finally:
        await lever.close()


def _row(entry: "Entry") -> dict[str, object]:
    device = entry.device
    return {
        "lever": device.lever,
        "address": device.address,
        "identity": device.identity,
        "level_as_found": entry.level,
        "set_by": entry.who,
        "at": entry.at,
    }
