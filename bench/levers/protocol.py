"""What every lever does: look, say what it can set, set it, judge the effect, and bring back what was there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sites.control.model import Level, UnitState

Setting = Mapping[str, Any]
"""What a restore needs, as JSON: mode, power target, cap; never a password."""


class Evidence(StrEnum):
    """Whether an observation shows that a unit is at a level."""

    CONFIRMED = "confirmed"  # fresh positive evidence
    CONTRARY = "contrary"  # fresh evidence of another level
    UNKNOWN = "unknown"  # neither: too old, missing, or between two levels


class Reply(StrEnum):
    """What a device answered to a command; none of them is an effect."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SILENT = "silent"  # no answer in time, or a closed connection: the command may have worked


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command."""

    reply: Reply
    says: str = ""  # in words, without secrets


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a device. A figure that it does not show is None, never 0."""

    at_s: float  # [s, Unix] on the controller's clock
    state: UnitState
    level: str | None = None  # that the device reports; None if it does not say
    identity: str | None = None  # MAC, serial number or UUID
    power_w: float | None = None  # [W] that the device shows
    power_kind: str = "unknown"  # as the records of miners call it: ac_in_psu, estimate, target, ...
    rate_per_s: float | None = None  # [hash/s] or [token/s]
    hottest_c: float | None = None  # [°C] of chips or boards
    reasons: tuple[str, ...] = ()  # codes of what makes the look doubtful


class Lever(Protocol):
    """One device that can be set.

    Every method that talks to the device is bounded in time and bytes, and none raises for what a device answers or
    fails to answer: that is an Observation with state UNKNOWN, or an Answer. No password is tried that the user has not
    stated.
    """

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels of this device, off first."""
        ...

    @property
    def writes_flash(self) -> bool:
        """Whether a command writes the device's memory or restarts it, so that it is not to be sent often."""
        ...

    async def observe(self, now_s: float) -> Observation:
        """Look at the device; sends nothing that changes it."""
        ...

    async def as_found(self) -> Setting | None:
        """Return what a restore needs, or None if it could not be read completely: then nothing may be written."""
        ...

    def can(self, level: str) -> str | None:
        """Return why this level cannot be set, as a code and words, or None if it can."""
        ...

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Send the command for a level; `deadline_s` is the time [s] that it may take."""
        ...

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level; pure."""
        ...

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Send what brings the former setting back exactly."""
        ...

    async def close(self) -> None:
        """Release what the lever holds."""
        ...
