"""The figures of a cycle for people: the flat fields of a row, which the page shows and no decision depends on."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from bench.control.decision.memory import Memory, UnitMemory
from bench.control.decision.terms import Intended, UnitTerms
from bench.control.decision.tick import Decision, FeederReading, Look
from bench.control.driving.run import Run
from bench.control.reasons import words
from sites.control.model import Inputs, UnitState
from sites.control.money import best_usd_per_h, earning_usd_per_h
from sites.control.prices import decisive

HOUR_S = 3600.0
W_PER_MW = 1e6
_MONEY = ("earned_usd", "would_have_earned_usd", "regret_usd")
_PLACES = 6  # of what is shown


class Figures:
    """The sums of money of a site in a mode, and the fields of each cycle.

    Parameters
    ----------
    run
        The run.
    before
        The flat fields of the last cycle of an earlier run, whose sums go on; None without one.
    """

    def __init__(self, run: Run, before: Mapping[str, Any] | None) -> None:
        self._run = run
        money = (before or {}).get("money") or {}
        self._money = {name: float(money.get(name, 0.0)) for name in _MONEY}
        self._last_s: float | None = None

    def row(  # noqa: PLR0913, PLR0917 (all that a cycle has)
        self,
        looks: Mapping[str, Look],
        feeder: FeederReading | None,
        inputs: Inputs,
        intended: Intended,
        memory: Memory,
        decision: Decision,
        now_s: float,
    ) -> dict[str, Any]:
        """Return the flat fields of a cycle; `looks` and `feeder` are those of the devices themselves."""
        spot = self._spot(inputs, now_s)
        self._earn(looks, intended, spot, inputs.target_mw(now_s), now_s)
        powers = [look.power_w for look in looks.values() if look.power_w is not None]
        halted = bool(decision.halted)
        listed = list(self._not_as_intended(looks, intended, memory))
        return {
            "at_s": now_s,
            "site": self._run.setup.site,
            "mode": "halted" if halted else self._run.mode,
            "mode_reason": _halt_words(memory, decision) if halted else self._run.mode_reason,
            "simulated": self._run.simulated,
            "plan_mw": _mw(decision.plan_w),
            "intent_mw": _mw(decision.intended_w),
            "meter_mw": _mw(feeder.power_w if feeder is not None and feeder.at_s == now_s else None),
            "devices_mw": _mw(sum(powers) if powers else None),
            "price_usd_per_mwh": spot,
            "target_mw": inputs.target_mw(now_s),
            "money": {name: round(value, _PLACES) + 0.0 for name, value in self._money.items()},  # never -0
            "states": {**dict.fromkeys(map(str, UnitState), 0), **Counter(str(look.state) for look in looks.values())},
            "commands": len(decision.commands),
            "not_as_intended": listed,
            "reasons": list(dict.fromkeys(words(code) for code in _site_codes(decision))),
            "faults": list(inputs.faults),
        }

    def _spot(self, inputs: Inputs, now_s: float) -> float | None:
        step = self._run.plan.step_at(now_s)
        if step is None:
            return None
        return decisive(self._run.plan, step, self._run.rules, inputs, now_s).spot_usd_per_mwh

    def _earn(
        self, looks: Mapping[str, Look], intended: Intended, spot: float | None, target_mw: float | None, now_s: float
    ) -> None:
        """Add what this cycle earns: by what devices show, by the intent, and what the best would earn beyond."""
        last_s, self._last_s = self._last_s, now_s
        if spot is None or last_s is None:
            return
        hours = min(max(now_s - last_s, 0.0), 2.0 * self._run.setup.tick_s) / HOUR_S
        shown: defaultdict[str, float] = defaultdict(float)
        meant: defaultdict[str, float] = defaultdict(float)
        full: defaultdict[str, float] = defaultdict(float)
        for name, terms in self._run.setup.units.items():
            block, look = terms.unit.block, looks.get(name)
            power_w = _shown_w(terms, look)
            shown[block] += power_w
            meant[block] += terms.power_w(intended.levels[name]) if name in intended.levels else power_w
            full[block] += terms.unit.full_w
        earned = earning_usd_per_h(self._run.plan, now_s, spot, shown)
        most_mw = math.inf if target_mw is None else self._run.rules.units_within_mw(target_mw)
        best = best_usd_per_h(self._run.plan, now_s, spot, full, most_mw)
        self._money["earned_usd"] += earned * hours
        self._money["would_have_earned_usd"] += earning_usd_per_h(self._run.plan, now_s, spot, meant) * hours
        self._money["regret_usd"] += (best - earned) * hours

    def _not_as_intended(self, looks: Mapping[str, Look], intended: Intended, memory: Memory) -> Any:
        for name, unit in memory.units.items():
            look, level = looks.get(name), intended.levels.get(name)
            reason = _reason(unit, look, level)
            if reason:
                state = look.state if look is not None else UnitState.UNKNOWN
                yield {"unit": name, "state": str(state), "level": unit.level, "intent": level, "reason": reason}


def _site_codes(decision: Decision) -> Iterator[str]:
    """Yield why the intent is what it is, and why commands that follow from it wait."""
    yield from decision.codes
    yield from (refused.code for refused in decision.refused)


def _halt_words(memory: Memory, decision: Decision) -> str:
    detail = memory.halt.detail if memory.halt is not None else ""
    return f"{words(decision.halted)}: {detail}" if detail else words(decision.halted)


def _reason(unit: UnitMemory, look: Look | None, level: str | None) -> str:
    """Return in words why a unit is not as intended; an empty text if it is."""
    return ", ".join(map(words, _unit_codes(unit, look, level)))


def _unit_codes(unit: UnitMemory, look: Look | None, level: str | None) -> tuple[str, ...]:
    if look is None or look.state is UnitState.UNKNOWN:
        return (look.reasons if look is not None else ()) or ("unknown",)
    if look.state is UnitState.FAULT:
        return look.reasons or ("fault",)
    if unit.released:
        return (unit.released,)
    if unit.command is not None:
        return ("commanded",)
    return ("waits",) if level is not None and unit.level is not None and unit.level != level else ()


def _shown_w(terms: UnitTerms, look: Look | None) -> float:
    if look is None or look.state is UnitState.UNKNOWN:
        return 0.0
    if look.power_w is not None:
        return look.power_w
    return terms.power_w(look.level) if look.level is not None else 0.0


def _mw(power_w: float | None) -> float | None:
    return None if power_w is None else round(power_w / W_PER_MW, _PLACES)
