"""What a look proves of a unit: confirmation needs positive evidence, drift contrary one, and unknown is a state."""

from dataclasses import replace

from bench.control.decision.memory import HOUR_S, Claim, UnitMemory
from bench.control.decision.terms import Setup, UnitTerms
from bench.control.decision.tick import Change, Look
from bench.levers.protocol import Evidence, Reply
from sites.control.model import OFF, ON, UnitState

MOST_TRIES = 3  # commands without an effect that start a unit; to one that is to go down they go on
CONTRARY_LOOKS = 2  # in a row that prove a change which nobody here commanded
_STEADY = frozenset({UnitState.RUNNING, UnitState.OFF})


def observed(  # noqa: PLR0913, PLR0917 (the parts of one judgement)
    setup: Setup, terms: UnitTerms, unit: UnitMemory, look: Look | None, answer: Reply | None, now_s: float
) -> tuple[UnitMemory, tuple[Change, ...], Claim | None]:
    """Return what is known of a unit after a look, what became of it, and the change of power that this claims.

    Parameters
    ----------
    setup
        The terms of the run.
    terms
        Those of the unit.
    unit
        What was known of it.
    look
        What this cycle shows; None if nobody looked.
    answer
        To the command of the tick before; None if it is unknown or there was none.
    now_s
        Time [s, Unix].
    """
    if answer is not None and unit.command is not None:
        unit = replace(unit, answer=answer.value)
    if look is None or look.state is UnitState.UNKNOWN or not 0.0 <= now_s - look.at_s <= setup.lost_telemetry_s:
        return _unseen(setup, terms, unit, now_s)
    pinned = unit.identity
    if look.identity is not None:
        pinned = pinned or terms.identity or look.identity
        if pinned.casefold() != look.identity.casefold():
            return _of_another_device(terms, unit)
    before = unit
    unit = replace(unit, identity=pinned, state=look.state, power_w=look.power_w, seen_s=look.at_s)
    if unit.command is not None:
        return _pending(setup, terms, unit, look)
    return _at_rest(terms, before, unit, look)


def shown_level(look: Look) -> str | None:
    """Return the level that a look shows; None for a unit between two levels, or with a fault."""
    if look.state is UnitState.OFF:
        return OFF
    return (look.level or ON) if look.state is UnitState.RUNNING else None


def patience_s(setup: Setup, terms: UnitTerms, unit: UnitMemory) -> float:
    """Return the time after a command in which no effect is no failure [s]."""
    rises = unit.command is not None and terms.power_w(unit.command) > unit.before_w
    ramp_s = terms.unit.ramp_up_s if rises else terms.unit.ramp_down_s
    return ramp_s + setup.lost_telemetry_s


def worst_w(setup: Setup, terms: UnitTerms, unit: UnitMemory) -> float:
    """Return the most that a unit may draw as far as is known [W]: one that is not known may start at any moment."""
    most_w = overshot_w(setup, terms.unit.full_w)
    if unit.level is None or unit.state is UnitState.UNKNOWN:
        return most_w
    if unit.command is not None:
        return unit.ceiling_w
    if unit.state not in _STEADY:
        return most_w
    return max(terms.power_w(unit.level), min(unit.power_w or 0.0, most_w))


def overshot_w(setup: Setup, power_w: float) -> float:
    """Return the most that a unit may draw on its way to a power [W]."""
    return power_w * (1.0 + setup.limits.overshoot_frac)


def with_command(  # noqa: PLR0913 (the parts of one command)
    setup: Setup, terms: UnitTerms, unit: UnitMemory, level: str, now_s: float, *, restores: bool
) -> UnitMemory:
    """Return what is known of a unit after a command was decided, which counts as sent from then on."""
    repeats = unit.command == level and unit.restores == restores
    recent = tuple(at_s for at_s in unit.sent_s if now_s - at_s < HOUR_S)
    target_w = terms.power_w(level)
    before_w = terms.power_w(unit.level or ON) if unit.command is None else unit.before_w
    rises = target_w > before_w
    now_w = worst_w(setup, terms, unit)
    return replace(
        unit,
        command=level,
        restores=restores,
        before_w=before_w,
        ceiling_w=max(now_w, overshot_w(setup, target_w)) if rises else now_w,
        floor_w=min(before_w if unit.command is None else unit.floor_w, target_w),
        sent_s=(*recent, now_s),
        tries=unit.tries + 1 if repeats else 1,
        answer="",
        touched=True,
        contrary=0,
    )


def _unseen(
    setup: Setup, terms: UnitTerms, unit: UnitMemory, now_s: float
) -> tuple[UnitMemory, tuple[Change, ...], Claim | None]:
    if unit.state is UnitState.UNKNOWN or (unit.seen_s is not None and now_s - unit.seen_s <= setup.lost_telemetry_s):
        return unit, (), None
    lost = replace(unit, state=UnitState.UNKNOWN, power_w=None, contrary=0)
    change_w = -terms.power_w(unit.level or ON)  # it may have lost its power, not only its network
    claim = Claim(now_s, change_w, is_sure=False) if unit.level != OFF else None
    return lost, (Change(terms.unit.name, "lost_telemetry"),), claim


def _of_another_device(terms: UnitTerms, unit: UnitMemory) -> tuple[UnitMemory, tuple[Change, ...], Claim | None]:
    unknown = replace(unit, state=UnitState.UNKNOWN, power_w=None, released="identity_changed")
    changes = () if unit.released == "identity_changed" else (Change(terms.unit.name, "identity_changed"),)
    return unknown, changes, None


def _pending(
    setup: Setup, terms: UnitTerms, unit: UnitMemory, look: Look
) -> tuple[UnitMemory, tuple[Change, ...], Claim | None]:
    """Judge a unit that was commanded; only a look after the command says anything of its effect."""
    sent_s, level = unit.sent_s[-1], unit.command
    if look.at_s <= sent_s:
        return unit, (), None
    name = terms.unit.name
    if look.shows is Evidence.CONFIRMED:
        claim = Claim(look.at_s, terms.power_w(str(level)) - unit.before_w, is_sure=True)
        code = "restored" if unit.restores else "confirmed"
        done = replace(
            unit, level=level, since_s=look.at_s, command=None, restores=False, tries=0, contrary=0,
            touched=unit.touched and not unit.restores,
        )  # fmt: skip
        return done, (Change(name, code, level),), claim
    if look.shows is Evidence.CONTRARY and unit.contrary == 0 and look.at_s - sent_s > patience_s(setup, terms, unit):
        gives_up = unit.tries >= MOST_TRIES and level != OFF
        code = "no_effect"
        released = code if gives_up and not unit.released else unit.released
        return replace(unit, contrary=1, released=released), (Change(name, code, level),), None
    return unit, (), None


def _at_rest(
    terms: UnitTerms, before: UnitMemory, unit: UnitMemory, look: Look
) -> tuple[UnitMemory, tuple[Change, ...], Claim | None]:
    """Judge whether a unit without an open command is still where it was."""
    name, shown = terms.unit.name, shown_level(look)
    if unit.level is None:
        if shown is None:
            return unit, (), None
        return replace(unit, as_found=shown, level=shown, since_s=look.at_s), (Change(name, "found", shown),), None
    claim = _unsure(terms, before, unit, look)
    if look.shows is not Evidence.CONTRARY or shown is None:
        return (replace(unit, contrary=0) if unit.contrary else unit), (), claim
    unit = replace(unit, contrary=unit.contrary + 1)
    if unit.contrary < CONTRARY_LOOKS:
        change_w = terms.power_w(shown) - terms.power_w(unit.level or shown)
        return unit, (Change(name, "drifted", shown),), Claim(look.at_s, change_w, is_sure=False)
    released = replace(unit, level=shown, since_s=look.at_s, contrary=0, released=unit.released or "by_hand")
    return released, (Change(name, "by_hand", shown),), None


def _unsure(terms: UnitTerms, before: UnitMemory, unit: UnitMemory, look: Look) -> Claim | None:
    """Return the change of power that a unit may have made by itself: it stopped, or came back."""
    if (before.state in _STEADY) == (unit.state in _STEADY) or unit.level == OFF:
        return None
    power_w = terms.power_w(str(unit.level))
    return Claim(look.at_s, power_w if unit.state in _STEADY else -power_w, is_sure=False)
