"""Actions: the difference between what units should be in and what they are observed to be in."""

from collections.abc import Iterator
from typing import NamedTuple

from bench.control.decision.evidence import MOST_TRIES, patience_s
from bench.control.decision.memory import UnitMemory
from bench.control.decision.terms import Setup, UnitTerms
from sites.control.model import OFF, ON, UnitState


class Action(NamedTuple):
    """A command that the difference calls for, or the code why it is not to be sent."""

    unit: str
    level: str
    restores: bool = False
    code: str = ""  # why not; empty if the gate may judge it


def actions(
    setup: Setup, units: dict[str, UnitMemory], levels: Iterator[tuple[str, str]], barred: dict[str, str]
) -> Iterator[Action]:
    """Yield an action for each unit that is not at its level, in the order of urgency.

    Parameters
    ----------
    setup
        The terms of the run.
    units
        What is known of each unit.
    levels
        The level of each unit that should be at one, the most urgent first.
    barred
        Units that cannot be commanded, with the code why.
    """
    for name, level in levels:
        terms, unit = setup.units.get(name), units.get(name)
        if terms is None or unit is None:
            continue
        action = _action(terms, unit, level)
        if action is not None:
            code = action.code or _forbidden(setup, name, unit, barred)
            yield action._replace(code=code)


def restoring(setup: Setup, units: dict[str, UnitMemory], barred: dict[str, str], now_s: float) -> Iterator[Action]:
    """Yield an action for each unit whose setting may differ from what was found; one that was off is never there."""
    for name, unit in units.items():
        if not unit.touched or unit.as_found is None:
            continue
        terms = setup.units[name]
        if unit.restores and unit.command is not None and not _may_repeat(setup, terms, unit, now_s):
            continue
        yield Action(name, unit.as_found, restores=True, code=_forbidden(setup, name, unit, barred))


def _forbidden(setup: Setup, name: str, unit: UnitMemory, barred: dict[str, str]) -> str:
    """Return the code why a unit must not be commanded at all, or an empty text."""
    if setup.permit is not None and name not in setup.permit.units:
        return "not_owned"
    if unit.released:
        return unit.released
    return barred.get(name, "")


def _action(terms: UnitTerms, unit: UnitMemory, level: str) -> Action | None:  # noqa: PLR0911 (one for each reason)
    """Return the action of a unit; None if it is, or is on its way, where it should be."""
    name = terms.unit.name
    if unit.as_found is None or unit.level is None:
        return Action(name, level, code="not_known")
    if unit.as_found == OFF:
        return None if level == OFF else Action(name, level, code="off_as_found")
    target = unit.as_found if level == ON else level
    if unit.command is not None and unit.command == target:
        repeats = unit.contrary > 0 and (unit.tries < MOST_TRIES or target == OFF)
        return Action(name, target) if repeats else None
    if unit.command is None and unit.level in {level, target}:
        return None
    if unit.contrary > 0 and unit.command is None:
        return Action(name, target, code="drifted")
    if target != OFF and unit.state is UnitState.UNKNOWN:
        return Action(name, target, code="unknown")
    if target != OFF and unit.state is UnitState.FAULT:
        return Action(name, target, code="fault")
    return Action(name, target)


def _may_repeat(setup: Setup, terms: UnitTerms, unit: UnitMemory, now_s: float) -> bool:
    """Return whether a restore that shows no effect is sent again."""
    return unit.tries < MOST_TRIES and now_s - unit.sent_s[-1] > patience_s(setup, terms, unit)
