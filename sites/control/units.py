"""The units of a block: which of them are commanded, in what order they go down, and which level each should be in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sites.control.model import OFF, ON, UnitState
from sites.control.rules import Fallback

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sites.control.model import Level, Unit, UnitView

ROUNDING = 1e-9
UNKNOWN_EFFICIENCY = -math.inf  # [J/unit] ranks before every known one: such a unit goes down last


class Rung(NamedTuple):
    """A step of a unit from one level to the next that makes its output with less power than any other."""

    level: str  # that the step leads to
    power_w: float  # [W] additional power
    joules_per_unit: float  # additional power over additional rate; UNKNOWN_EFFICIENCY where a rate is not known


class Ladder(NamedTuple):
    """The levels that a unit may be set to: from its lowest one to the one that it was found in."""

    lowest: str
    lowest_w: float  # [W]
    rungs: tuple[Rung, ...]

    def reached(self, level: str | None) -> int:
        """Return how many rungs a unit at a level has taken; all for a level that is not among them."""
        if level == self.lowest:
            return 0
        return next((index + 1 for index, rung in enumerate(self.rungs) if rung.level == level), len(self.rungs))

    def level(self, reached: int) -> str:
        """Return the level after a number of rungs."""
        return self.rungs[reached - 1].level if reached else self.lowest


@lru_cache(maxsize=65536)
def ladder(unit: Unit, as_found: str) -> Ladder | None:
    """Return the ladder of a unit; None if the power of its lowest level or of the one found is not known.

    A level that a mix of two others beats is left out, as the dispatch leaves out such modes.
    """
    names = [level.name for level in unit.levels]
    top = names.index(as_found) if as_found in names else len(names) - 1
    if top < 1:
        return None
    lowest, highest = unit.levels[0], unit.levels[top]
    if lowest.power_w is None or highest.power_w is None or highest.power_w <= lowest.power_w:
        return None
    points = [(lowest.name, lowest.power_w, 0.0 if lowest.name == OFF else lowest.rate_per_s)]
    if highest.rate_per_s is not None and points[0][2] is not None:
        points += _between(unit.levels[1:top], lowest.power_w, highest.power_w)
    points.append((ON, highest.power_w, highest.rate_per_s))
    points = _hull(points)
    rungs = [_rung(before, after) for before, after in pairwise(points)]
    return Ladder(lowest.name, lowest.power_w, tuple(rungs))


_Point = tuple[str, float, float | None]


def _between(levels: Iterable[Level], low_w: float, high_w: float) -> list[_Point]:
    known = [level for level in levels if level.power_w is not None and level.rate_per_s is not None]
    points = [(level.name, level.power_w or 0.0, level.rate_per_s) for level in known]
    return sorted((point for point in points if low_w < point[1] < high_w), key=lambda point: point[1])


def _hull(points: list[_Point]) -> list[_Point]:
    """Return the points of the upper concave hull of rate over power; the first and the last one are always kept."""
    hull = points[:1]
    for point in points[1:]:
        while len(hull) > 1 and not _rung(hull[-2], hull[-1]).joules_per_unit < _rung(hull[-1], point).joules_per_unit:
            hull.pop()
        hull.append(point)
    return hull


def _rung(before: _Point, after: _Point) -> Rung:
    power_w = after[1] - before[1]
    if before[2] is None or after[2] is None:
        return Rung(after[0], power_w, UNKNOWN_EFFICIENCY)
    rate = after[2] - before[2]
    return Rung(after[0], power_w, power_w / rate if rate > 0.0 else math.inf)


def left_alone(view: UnitView, on_lost_telemetry: Fallback) -> str:
    """Return the code why a unit gets no level, or an empty text."""
    if view.released:
        return "released"
    if view.as_found is None:
        return "not_seen"
    if view.as_found == OFF:
        return "off_as_found"
    if view.state is UnitState.UNKNOWN:
        return "unknown" if on_lost_telemetry is Fallback.HOLD else "lost_telemetry"
    if view.state is UnitState.FAULT:
        return "fault"
    return ""


def counted_w(view: UnitView) -> float:
    """Return the power [W] that a unit without a level counts with: full power, unless fresh evidence shows less."""
    if view.state not in {UnitState.RUNNING, UnitState.OFF} or view.level is None:
        return view.unit.full_w
    shown = [level.power_w for level in view.unit.levels if level.name == view.level and level.power_w is not None]
    return shown[0] if shown else 0.0 if view.state is UnitState.OFF else view.unit.full_w


@dataclass(slots=True)
class Fleet:
    """The units of one block: those that may be commanded, and the power of the others."""

    names: list[str] = field(default_factory=list)
    ladders: list[Ladder] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)  # rungs that each has taken
    others_w: float = 0.0  # [W] of units that are left alone
    full_w: float = 0.0  # [W] of all units at full power
    ranked: list[tuple[float, float, bool, int, int]] = field(default_factory=list)  # rungs, the last ones down first
    lowest_w: float = 0.0  # [W] of the commanded units at their lowest level
    now_w: float = 0.0  # [W] of the commanded units at the level that they are in

    def add(self, view: UnitView, steps: Ladder) -> None:
        """Add a unit that may be commanded."""
        index, reached = len(self.names), steps.reached(ON if view.level == view.as_found else view.level)
        self.names.append(view.unit.name)
        self.ladders.append(steps)
        self.reached.append(reached)
        self.lowest_w += steps.lowest_w
        self.now_w += steps.lowest_w
        for number, rung in enumerate(steps.rungs):
            if number < reached:
                self.now_w += rung.power_w
            self.ranked.append((rung.joules_per_unit, -rung.power_w, number >= reached, index, number))

    def rank(self) -> None:
        """Put the rungs into the order in which units come up: the reverse of that in which they go down.

        Units of equal efficiency and power keep their state: those that are up stay up.
        """
        self.ranked.sort()

    def up_to(self, power_w: float, *, above: bool, as_now: bool = False) -> tuple[list[int], float]:
        """Return the rungs that each unit should take for a power of the block [W], and the power that this makes.

        Parameters
        ----------
        power_w
            Power of the commanded units [W].
        above
            Whether the last unit may exceed the power; otherwise it stays below.
        as_now
            Whether no unit may come up.
        """
        taken, total, slack = [0] * len(self.names), self.lowest_w, ROUNDING * max(self.full_w, 1.0)
        for _, negative_w, is_down, index, _ in self.ranked:
            if as_now and is_down:
                continue
            after = total - negative_w
            if after > power_w + slack and not (above and total < power_w - slack):
                break
            total = after
            taken[index] += 1
        return taken, total


def switched(fleets: Sequence[Fleet], taken: Sequence[Sequence[int]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the levels of the units that go down, worst first, and of those that come up, best first.

    Parameters
    ----------
    fleets
        Of the blocks whose work is worth most first.
    taken
        Rungs that the units of each should take.
    """
    down: dict[str, str] = {}
    up: dict[str, str] = {}
    for fleet, own in zip(fleets, taken, strict=True):
        for _, _, _, index, _ in fleet.ranked:
            if own[index] > fleet.reached[index]:
                up[fleet.names[index]] = fleet.ladders[index].level(own[index])
    for fleet, own in zip(reversed(fleets), reversed(taken), strict=True):
        for _, _, _, index, _ in reversed(fleet.ranked):
            if own[index] < fleet.reached[index]:
                down[fleet.names[index]] = fleet.ladders[index].level(own[index])
    return down, up
