"""Looks: what observations of devices mean for the units, and what shadow sees of units that it only plans with."""

import math
from collections.abc import Mapping
from dataclasses import replace

from bench.control.decision.memory import Memory, UnitMemory
from bench.control.decision.terms import Setup, UnitTerms
from bench.control.decision.tick import FeederReading, Look, Tick
from bench.levers.protocol import Evidence, Lever, Observation, Reply
from sites.control.model import OFF, UnitState

STILL_FRAC = 0.01  # of full power, by which what a device shows may vary without being a new figure


def look(  # noqa: PLR0913, PLR0917 (the parts of one look)
    lever: Lever, terms: UnitTerms, unit: UnitMemory, seen: Observation, now_s: float, before: Look | None = None
) -> Look:
    """Return what an observation shows of a unit.

    Parameters
    ----------
    lever
        The lever of the unit, which judges the evidence.
    terms
        What is declared of the unit.
    unit
        What is known of it.
    seen
        The observation.
    now_s
        Time [s, Unix].
    before
        The look before; a power that hardly differs from its power is the same power, so that the log stays short.
    """
    power_w = seen.power_w if seen.power_w is not None and math.isfinite(seen.power_w) else None
    if before is not None and before.power_w is not None and power_w is not None:
        still = abs(power_w - before.power_w) <= STILL_FRAC * terms.unit.full_w
        power_w = before.power_w if still else power_w
    expected = unit.expected
    shows = Evidence.UNKNOWN if expected is None else lever.confirm(expected, seen, now_s)
    return Look(seen.at_s, seen.state, seen.level, power_w, seen.identity, shows, seen.reasons)


def as_if(setup: Setup, memory: Memory, tick: Tick) -> Tick:
    """Return a tick of shadow: units that it has planned with look as if they obeyed, after their ramps.

    A unit that cannot be seen, or has a fault, looks as it is.
    """
    looks = dict(tick.looks)
    change_w = 0.0
    for name, unit in memory.units.items():
        real = looks.get(name)
        if not unit.touched or real is None or real.state in {UnitState.UNKNOWN, UnitState.FAULT}:
            continue
        terms = setup.units[name]
        looks[name] = _obedient(terms, unit, real, tick.now_s)
        real_w = terms.power_w(unit.as_found or OFF) if real.power_w is None else real.power_w
        change_w += (looks[name].power_w or 0.0) - real_w
    answers = dict.fromkeys((name for name, unit in memory.units.items() if unit.command is not None), Reply.ACCEPTED)
    feeder = tick.feeder
    if feeder is not None:
        shown_w = feeder.power_w + change_w / (1.0 - setup.limits.losses_frac)
        feeder = FeederReading(feeder.at_s, max(shown_w, 0.0))
    return replace(tick, looks=looks, answers=answers, feeder=feeder)


def _obedient(terms: UnitTerms, unit: UnitMemory, real: Look, now_s: float) -> Look:
    level = unit.expected or OFF
    power_w = terms.power_w(level)
    if unit.command is not None:
        ramp_s = terms.unit.ramp_up_s if power_w > unit.before_w else terms.unit.ramp_down_s
        if now_s <= unit.sent_s[-1] + ramp_s:
            before_w = unit.before_w
            return replace(
                real, state=UnitState.CHANGING, level=None, power_w=before_w, shows=Evidence.UNKNOWN, reasons=()
            )
    state = UnitState.OFF if level == OFF else UnitState.RUNNING
    return replace(real, state=state, level=level, power_w=power_w, shows=Evidence.CONFIRMED, reasons=())


def changed(looks: Mapping[str, Look], before: Mapping[str, Look], now_s: float) -> dict[str, Look]:
    """Return the looks that differ from those of the tick before in more than their time."""
    return {name: one for name, one in looks.items() if name not in before or replace(before[name], at_s=now_s) != one}


def merged(changes: Mapping[str, Look], before: Mapping[str, Look], now_s: float) -> dict[str, Look]:
    """Return the looks of a tick from those that changed and those of the tick before; the reverse of `changed`."""
    return {**{name: replace(one, at_s=now_s) for name, one in before.items()}, **changes}
