"""The plain types of control: the units of a site, what is known of them, and what comes in from outside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OFF = "off"  # the level of a unit that does no work, by whatever means its lever has
ON = "on"  # the level of a unit that works as it was found


class UnitState(StrEnum):
    """What a unit is in, by fresh evidence only; without it the state is unknown, never off."""

    RUNNING = "running"
    OFF = "off"
    CHANGING = "changing"  # between two levels: it ramps, boots or tunes
    FAULT = "fault"  # the device itself reports that it cannot work
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Level:
    """A level that a unit can be set to: off, on, or an operating point between."""

    name: str
    power_w: float | None = None  # [W] expected; None where nobody states it
    rate_per_s: float | None = None  # [hash/s] or [token/s] expected


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that is controlled: a miner, a GPU server, a node or a group that one command switches."""

    name: str
    block: str  # of the site
    levels: tuple[Level, ...]  # by rising power; the first is off
    ramp_up_s: float = 0.0  # [s] from the command to full rate
    ramp_down_s: float = 0.0  # [s]

    @property
    def full_w(self) -> float:
        """Power at the highest level [W]."""
        return max(level.power_w or 0.0 for level in self.levels)


@dataclass(frozen=True, slots=True)
class UnitView:
    """What is known of a unit at a moment."""

    unit: Unit
    state: UnitState
    level: str | None  # that it is in; None if it is not known
    as_found: str | None = None  # level before the first command; None before the first look
    since_s: float | None = None  # [s, Unix] time of its last change of level
    power_w: float | None = None  # [W] that the device itself shows
    released: str = ""  # reason why it is not commanded; empty if it is


@dataclass(frozen=True, slots=True)
class Price:
    """A price of energy at the meter."""

    usd_per_mwh: float
    start_s: float  # [s, Unix] start of its interval
    end_s: float  # [s, Unix]
    received_s: float  # [s, Unix] when it came in
    source: str


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """The most that a site may draw, as somebody outside asks for it."""

    limit_mw: float
    start_s: float  # [s, Unix]
    end_s: float | None  # [s, Unix]; None until it is replaced
    received_s: float  # [s, Unix] when it came in
    source: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What came in from outside, up to a moment."""

    prices: tuple[Price, ...] = ()  # the latest intervals, oldest first
    targets: tuple[LoadTarget, ...] = ()  # those that hold now or later
    faults: tuple[str, ...] = ()  # sources that do not deliver, each in a line
    targets_lost: bool = False  # whether a declared source of targets is silent for longer than its limit

    def target_mw(self, now_s: float) -> float | None:
        """Return the lowest load target that holds at a time [MW meter], never below 0; None if there is none."""
        holding = (
            max(target.limit_mw, 0.0)
            for target in self.targets
            if target.start_s <= now_s and (target.end_s is None or now_s < target.end_s)
        )
        return min(holding, default=None)
