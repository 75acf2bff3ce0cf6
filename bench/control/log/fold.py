"""The fold of a log: every decision made again from what the log says, and compared with what it says was decided."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.control.decision.memory import Memory
from bench.control.decision.step import step
from bench.control.decision.terms import Setup
from bench.control.decision.tick import Decision, Look
from bench.control.log.audit import Line, lines
from bench.control.log.coding import decision_of, tick_of
from bench.levers.protocol import Reply
from hardware_profiles.errors import InputError, shown
from sites.control.model import Inputs


class Fold(NamedTuple):
    """What is known after a line of the log."""

    memory: Memory = Memory()
    looks: dict[str, Look] = {}  # noqa: RUF012 (never changed)
    inputs: Inputs | None = None
    answers: dict[str, Reply] = {}  # noqa: RUF012 (never changed)
    plan_sha256: str = ""
    terms_sha256: str = ""


class Snapshot(NamedTuple):
    """What was known after a line of the log."""

    number: int
    sha256: str  # of that line
    state: Fold


class Replayed(NamedTuple):
    """A line, with what is known after it."""

    line: Line
    row: dict[str, Any]
    state: Fold
    fault: str = ""  # how the decision of a line "cycle" differs from the one made again; empty if it is the same


SetupOf = Callable[[str, str], Setup]
"""The setup of a plan and terms by their digests."""


def replayed(some: Iterable[Line], state: Fold, setup_of: SetupOf) -> Iterator[Replayed]:
    """Yield each line with what is known after it; the decision of a line "cycle" is made again.

    Parameters
    ----------
    some
        Lines of a log.
    state
        What was known before them.
    setup_of
        Gives the setup of a run.

    Raises
    ------
    InputError
        A line is none of an audit log, or the files of its run are missing or were changed.
    """
    setup: Setup | None = None
    for line in some:
        try:
            row, fault = line.row, ""
            if row["kind"] == "start":
                state = state._replace(plan_sha256=row["plan_sha256"], terms_sha256=row["terms_sha256"])
                setup = None
            elif row["kind"] == "answers":
                news = {name: Reply(reply) for name, (reply, _) in row["answers"].items()}
                state = state._replace(answers={**state.answers, **news})
            elif row["kind"] == "cycle":
                setup = setup or setup_of(state.plan_sha256, state.terms_sha256)
                state, fault = _again(row, state, setup)
        except InputError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"line {line.number}: expected a line of an audit log, got: {shown(str(error))}") from None
        yield Replayed(line, row, state, fault)


def folded(path: Path, at: Snapshot | None, setup_of: SetupOf) -> Fold:
    """Return what is known at the end of a log.

    Parameters
    ----------
    path
        The log.
    at
        A snapshot, whose line the log must have.
    setup_of
        Gives the setup of a run.

    Raises
    ------
    InputError
        A line was changed or removed, the files of a run are missing, or this version of perwatt decides otherwise.
    """
    state, since = Fold(), 0
    if at is not None:
        if (at.number, at.sha256) not in ((line.number, line.sha256) for line in lines(path)):
            raise InputError(
                f"{path}: {cut_words(at)}; nothing is commanded on a log that lacks lines: bring the units back with "
                "`perwatt levers restore`, and move the folder elsewhere to begin a new log"
            )
        state, since = at.state, at.number
    for one in replayed((line for line in lines(path) if line.number > since), state, setup_of):
        if one.fault:
            raise InputError(f"{path}: line {one.line.number}: {one.fault}; another version of perwatt wrote it")
        state = one.state
    return state


def cut_words(at: Snapshot) -> str:
    """Return what is wrong with a log that does not have the line of its snapshot, which is written after it."""
    return (
        f"expected line {at.number} of the digest {at.sha256[:12]}…, got a log without it: its end was removed or "
        "written anew"
    )


def _again(row: dict[str, Any], state: Fold, setup: Setup) -> tuple[Fold, str]:
    tick = tick_of(row["tick"], state.looks, state.inputs)
    memory, decision = step(setup, state.memory, tick)
    after = state._replace(memory=memory, looks=dict(tick.looks), inputs=tick.inputs, answers={})
    logged = decision_of(row["decision"])
    return after, "" if logged == decision else f"expected the decision {_short(decision)}, got {_short(logged)}"


def _short(decision: Decision) -> str:
    sent = ", ".join(f"{command.unit} {command.level}" for command in decision.commands[:3]) or "none"
    return f"of {len(decision.commands)} commands ({sent}) and {decision.intended_w:.6g} W intended"
