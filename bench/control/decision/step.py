"""One step of the controller: everything that it decides is decided here, and the same tick gives the same decision."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bench.control.decision.actions import Action, actions, restoring
from bench.control.decision.evidence import observed, with_command
from bench.control.decision.feeder import expected_w, is_fresh, verified
from bench.control.decision.gate import Gate
from bench.control.decision.memory import Claim, FeederMemory, Halt, Memory, UnitMemory
from bench.control.decision.terms import Setup
from bench.control.decision.tick import Change, Command, Decision, Refused, Tick
from sites.control.model import UnitState, UnitView


def step(setup: Setup, memory: Memory, tick: Tick) -> tuple[Memory, Decision]:
    """Return what is known after a tick, and what is decided in it; pure.

    Parameters
    ----------
    setup
        The terms of the run.
    memory
        What was known before.
    tick
        What this cycle brings.
    """
    now_s = tick.now_s if memory.now_s is None else max(tick.now_s, memory.now_s)
    units, changes, claims = _observed(setup, memory, tick, now_s)
    halt = None if tick.resumed_by else memory.halt
    if tick.resumed_by:
        units, taken = _taken_back(units)
        changes += taken
    feeder, seen_halt = _verified(setup, memory.feeder, units, claims, tick, now_s)
    if halt is None and seen_halt is not None:
        halt = seen_halt
        feeder = FeederMemory()
    views = [_view(setup, name, unit, tick) for name, unit in units.items()]
    intended = setup.policy(tick.inputs, views, now_s)
    barred = dict(tick.barred)
    if tick.restoring:
        wanted: Iterable[Action] = restoring(setup, units, barred, now_s)
    else:
        wanted = actions(setup, units, iter(intended.levels.items()), barred)
    meter_w, codes = None, intended.codes
    if tick.feeder is not None and is_fresh(setup, tick.feeder, now_s):
        meter_w = expected_w(setup, units, feeder, tick.feeder)
        if tick.feeder.power_w > setup.limits.feeder_w:
            codes = (*codes, "above_feeder")
    gate = Gate(setup, memory, units, meter_w, now_s)
    commands, refused = _through(gate, setup, units, wanted, halt, now_s)
    decision = Decision(
        commands=tuple(commands),
        refused=refused,
        changes=tuple(changes),
        codes=codes,
        halted="" if halt is None else halt.code,
        plan_w=intended.plan_w,
        intended_w=intended.intended_w,
        believed_w=gate.believed_w,
        known_w=_known_w(setup, units),
    )
    return Memory(now_s, units, tuple(gate.sent), feeder, halt), decision


def _observed(
    setup: Setup, memory: Memory, tick: Tick, now_s: float
) -> tuple[dict[str, UnitMemory], list[Change], list[Claim]]:
    units: dict[str, UnitMemory] = {}
    changes: list[Change] = []
    claims: list[Claim] = []
    for name, terms in setup.units.items():
        before = memory.units.get(name) or UnitMemory(identity=terms.identity)
        unit, news, claim = observed(setup, terms, before, tick.looks.get(name), tick.answers.get(name), now_s)
        units[name] = unit
        changes += news
        if claim is not None:
            claims.append(claim)
    return units, changes, claims


def _taken_back(units: dict[str, UnitMemory]) -> tuple[dict[str, UnitMemory], list[Change]]:
    """Return the units as they are after a person said to go on: none is released any more."""
    changes = [Change(name, "taken_back") for name, unit in units.items() if unit.released]
    return {
        name: replace(unit, released="", tries=0) if unit.released else unit for name, unit in units.items()
    }, changes


def _verified(  # noqa: PLR0913, PLR0917 (the parts of one tick)
    setup: Setup, memory: FeederMemory, units: dict[str, UnitMemory], claims: list[Claim], tick: Tick, now_s: float
) -> tuple[FeederMemory, Halt | None]:
    if setup.verify_s is None:
        return memory, None
    if tick.feeder is None or not is_fresh(setup, tick.feeder, now_s):
        return replace(memory, claims=(*memory.claims, *claims)), None
    open_w = [
        setup.units[name].power_w(unit.command) - unit.before_w
        for name, unit in units.items()
        if unit.command is not None
    ]
    return verified(setup, memory, claims, open_w, tick.feeder)


def _view(setup: Setup, name: str, unit: UnitMemory, tick: Tick) -> UnitView:
    """Return what the policy sees of a unit; one under way shows the level that it goes to."""
    released = unit.released or tick.barred.get(name, "")
    if setup.permit is not None and name not in setup.permit.units:
        released = released or "not_owned"
    known = unit.state is not UnitState.UNKNOWN
    state = UnitState.CHANGING if known and unit.command is not None else unit.state
    return UnitView(
        unit=setup.units[name].unit,
        state=state,
        level=unit.expected if known else None,
        as_found=unit.as_found,
        since_s=unit.since_s,
        power_w=unit.power_w,
        released=released,
    )


def _through(  # noqa: PLR0913, PLR0917 (the parts of one tick)
    gate: Gate, setup: Setup, units: dict[str, UnitMemory], wanted: Iterable[Action], halt: Halt | None, now_s: float
) -> tuple[list[Command], tuple[Refused, ...]]:
    """Return the commands that pass, and count the others by their codes; `units` takes in what passed."""
    commands: list[Command] = []
    codes: Counter[str] = Counter()
    first: dict[str, str] = {}
    for action in wanted:
        name, unit = action.unit, units[action.unit]
        code = action.code or ("halted" if halt is not None else "")
        if not code:
            terms = setup.units[name]
            after = with_command(setup, terms, unit, action.level, now_s, restores=action.restores)
            code = gate.passes(name, unit, after)
            if not code:
                change_w = terms.power_w(action.level) - after.before_w
                commands.append(Command(name, action.level, change_w, action.restores))
                units[name] = after
        if code:
            codes[code] += 1
            first.setdefault(code, name)
    return commands, tuple(Refused(code, count, first[code]) for code, count in codes.items())


def _known_w(setup: Setup, units: dict[str, UnitMemory]) -> float:
    """Return the power of the units that are known, by what they show, else by their level [W]."""
    known = (
        (setup.units[name], unit)
        for name, unit in units.items()
        if unit.state is not UnitState.UNKNOWN and unit.level is not None
    )
    return sum(terms.power_w(str(unit.level)) if unit.power_w is None else unit.power_w for terms, unit in known)
