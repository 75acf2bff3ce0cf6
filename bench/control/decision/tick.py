"""What a cycle brings to the brain, and what it decides: plain values that a log can hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.levers.protocol import Evidence, Reply
from sites.control.model import Inputs, UnitState


@dataclass(frozen=True, slots=True)
class Look:
    """What a cycle shows of a unit."""

    at_s: float  # [s, Unix]
    state: UnitState
    level: str | None = None  # that the device reports
    power_w: float | None = None  # [W] that the device shows
    identity: str | None = None
    shows: Evidence = Evidence.UNKNOWN  # whether it shows the level that the unit should be at
    reasons: tuple[str, ...] = ()  # codes of what makes the look doubtful


@dataclass(frozen=True, slots=True)
class FeederReading:
    """Power at the feeder, by a meter that is not a device's own."""

    at_s: float  # [s, Unix]
    power_w: float  # [W]


@dataclass(frozen=True, slots=True)
class Tick:
    """Everything that a cycle knows beyond the memory."""

    now_s: float  # [s, Unix] by the clock of the controller
    inputs: Inputs = field(default_factory=Inputs)
    looks: Mapping[str, Look] = field(default_factory=dict)  # of the units that were looked at
    answers: Mapping[str, Reply] = field(default_factory=dict)  # to the commands of the tick before
    barred: Mapping[str, str] = field(default_factory=dict)  # units that cannot be commanded, with the code why
    feeder: FeederReading | None = None  # the latest; None if there is none
    resumed_by: str = ""  # the person who ends a halt
    restoring: bool = False  # whether every unit is to be as it was found


@dataclass(frozen=True, slots=True)
class Command:
    """One command to one unit."""

    unit: str
    level: str
    change_w: float  # [W] expected; negative for less
    restores: bool = False  # whether the setting that was found is brought back, not a level set


@dataclass(frozen=True, slots=True)
class Refused:
    """Commands that were not sent, for one reason."""

    code: str
    units: int
    first: str  # name of one of them


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a unit."""

    unit: str
    code: str
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the brain decides in a cycle."""

    commands: tuple[Command, ...] = ()  # that passed the gate, in their order
    refused: tuple[Refused, ...] = ()
    changes: tuple[Change, ...] = ()  # confirmed, drifted, released, ...
    codes: tuple[str, ...] = ()  # why the intent is what it is
    halted: str = ""  # code; empty if it is not halted
    plan_w: float | None = None  # [W] of the plan now
    intended_w: float = 0.0  # [W] of all units as they should be now
    believed_w: float = 0.0  # [W] of all units as they are, unknown ones at full power
    known_w: float = 0.0  # [W] of the units that are known
