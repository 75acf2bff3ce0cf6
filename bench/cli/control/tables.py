"""What `perwatt control` shows: a line for each cycle, and a table of the units that are not as they were found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.cli.output import counted, say, warn
from bench.cli.table import print_table
from bench.control.reasons import words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from bench.control.decision.memory import Memory
    from bench.control.driving.run import Ending, Run

MOST_ROWS = 30
_ENDS = {
    "done": "the cycles are done",
    "stopped": "stopped",
    "expired": "the arm file has expired: no further command; the units stay as they are",
    "restored": "every unit is as it was found",
    "not_restored": "some units are not as they were found",
}


def print_cycle(row: Mapping[str, Any], known: Collection[str] = ()) -> None:
    """Print a cycle on one line, then each reason of its decision and each fault of the inputs that is new."""
    at = datetime.fromtimestamp(row["at_s"], UTC)
    price = row.get("price_usd_per_mwh")
    states = ", ".join(f"{count} {state}" for state, count in row["states"].items() if count)
    parts = [
        f"{at:%m-%d %H:%M:%S}",
        f"{row['mode']} (simulated)" if row.get("simulated") else str(row["mode"]),
        f"plan {_mw(row['plan_mw'])}, intent {_mw(row['intent_mw'])}, meter {_mw(row['meter_mw'])} MW",
        "no price" if price is None else f"{price:,.2f} USD/MWh",
        states,
    ]
    if row.get("commands"):
        parts.append(counted(row["commands"], "command"))
    say("  ".join(parts))
    for line in row.get("reasons", ()):
        if line not in known:
            say(f"                {line}")
    for line in row.get("faults", ()):
        if line not in known:
            warn(line)


def print_ending(task: Run, ending: Ending, commands: int) -> None:
    """Print how a run ended, what it did and earned, and which units are not as they were found and why."""
    from bench.control.log.audit import last_row

    say(f"ended      {_ENDS.get(ending.reason, ending.reason)} after {counted(ending.cycles, 'cycle')}")
    sent = "would have been sent, none was" if task.mode == "shadow" else "sent"
    say(f"commands   {commands:,} {sent}")
    if ending.halted:
        warn(f"control is halted: {words(ending.halted)}; `perwatt control SITE --resume` ends the halt")
    row = last_row(task.folder)
    if row is not None:
        print_money(row)
    rows = list(_rows(not_as_found(task.folder), ending))
    if rows:
        verb = "would have been moved" if task.mode == "shadow" else "are not as they were found"
        print_table(("unit", "found", "now", "why"), rows[:MOST_ROWS], title=f"{counted(len(rows), 'unit')} {verb}")
        if len(rows) > MOST_ROWS:
            say(f"and {len(rows) - MOST_ROWS:,} more (--json has all)")
    say(f"log        {task.folder}")


def print_money(row: Mapping[str, Any]) -> None:
    """Print the sums of money of a log."""
    money = row.get("money") or {}
    if money:
        earned, meant, regret = (money[key] for key in ("earned_usd", "would_have_earned_usd", "regret_usd"))
        say(
            f"money      {earned:,.2f} USD by what the devices show, {meant:,.2f} USD by the intent, "
            f"{regret:,.2f} USD less than the best"
        )


def not_as_found(folder: Path) -> list[dict[str, Any]]:
    """Return the units that are not as they were found, by the latest snapshot of a log's folder."""
    from bench.control.log.stored import snapshot

    kept = snapshot(folder)
    return [] if kept is None else list(_moved(kept.state.memory))


def ending_document(task: Run, ending: Ending, commands: int) -> dict[str, Any]:
    """Return how a run ended as JSON-ready data."""
    from bench.control.log.audit import last_row

    row = last_row(task.folder)
    return {
        "schema": "perwatt.control/1",
        "site": task.setup.site,
        "mode": task.mode,
        "mode_reason": task.mode_reason,
        "simulated": task.simulated,
        "end": ending.reason,
        "cycles": ending.cycles,
        "commands": commands,
        "halted": ending.halted or None,
        "money": None if row is None else row.get("money"),
        "plan_sha256": task.plan.sha256,
        "log": str(task.folder),
        "units": [*not_as_found(task.folder)],
        "listed": dict(ending.listed),
    }


def _moved(memory: Memory) -> Iterator[dict[str, Any]]:
    for name, unit in memory.units.items():
        moved = unit.touched and unit.expected != unit.as_found
        code = unit.released or ("commanded" if unit.command is not None else "")
        if not (moved or code):
            continue
        yield {
            "unit": name,
            "as_found": unit.as_found,
            "level": unit.level,
            "commanded": unit.command,
            "code": code or None,
            "why": words(code) if code else "moved by control",
        }


def _rows(units: list[dict[str, Any]], ending: Ending) -> Iterator[tuple[str, str, str, str]]:
    listed = dict(ending.listed)
    for unit in units:
        why = listed.pop(unit["unit"], None)
        yield unit["unit"], unit["as_found"] or "", unit["level"] or "", unit["why"] if why is None else words(why)
    for name, code in listed.items():
        yield name, "", "", words(code)


def _mw(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
