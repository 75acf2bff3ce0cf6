"""What the controller knows between two cycles: of each unit, of its own commands, and of the feeder."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sites.control.model import UnitState

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class UnitMemory:
    """What is known of a unit."""

    as_found: str | None = None  # level at the first look that showed one
    identity: str | None = None  # that was pinned
    state: UnitState = UnitState.UNKNOWN
    level: str | None = None  # that fresh evidence has shown last
    power_w: float | None = None  # [W] that the device showed last
    seen_s: float | None = None  # [s, Unix] of the last look that showed anything
    since_s: float | None = None  # [s, Unix] of its last change of level, or of the first look
    command: str | None = None  # level of the last command that is not confirmed yet
    restores: bool = False  # whether that command brings back what was found
    before_w: float = 0.0  # [W] before the first command that is not confirmed yet
    ceiling_w: float = 0.0  # [W] that it may draw until the command is confirmed
    floor_w: float = 0.0  # [W] that it may have fallen to until then, by this command or one before it
    sent_s: tuple[float, ...] = ()  # [s, Unix] of its commands within the last hour, the last one in any case
    tries: int = 0  # commands for this level in a row without an effect
    answer: str = ""  # to the last command; empty if it is unknown
    touched: bool = False  # whether its setting may differ from what was found, by a command of ours
    contrary: int = 0  # looks in a row that show another level than the confirmed one
    released: str = ""  # code why it is not commanded any more

    @property
    def expected(self) -> str | None:
        """The level that a look is held against."""
        return self.level if self.command is None else self.command


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that was sent, as the gate and the feeder count it."""

    unit: str
    at_s: float  # [s, Unix]
    rise_w: float  # [W] at most
    fall_w: float = 0.0  # [W] at most; a unit that may be at either of two levels may rise or fall


@dataclass(frozen=True, slots=True)
class Claim:
    """A change of power that a device says it has made, or may have made by itself."""

    at_s: float  # [s, Unix] of the evidence
    change_w: float  # [W]
    is_sure: bool = True  # False if nothing but the feeder can tell


@dataclass(frozen=True, slots=True)
class FeederMemory:
    """What the feeder must show."""

    base_w: float | None = None  # [W] before the first claim
    base_s: float | None = None  # [s, Unix]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Halt:
    """A state in which no command is sent until a person ends it."""

    code: str
    at_s: float  # [s, Unix]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller knows."""

    now_s: float | None = None  # [s, Unix] of the last tick; the clock never runs back
    units: Mapping[str, UnitMemory] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()  # within the last minute and the last interval of waves
    feeder: FeederMemory = field(default_factory=FeederMemory)
    halt: Halt | None = None
