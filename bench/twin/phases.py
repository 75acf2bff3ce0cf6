"""Phases of a simulated unit: power and rate between two events, as closed forms of time."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What a simulated unit does."""

    MINING = "mining"
    RAMP_DOWN = "ramp_down"
    SLEEP = "sleep"
    BOOT = "boot"
    RAMP_UP = "ramp_up"
    TUNING = "tuning"
    HUNG = "hung"  # its control board answers nothing and does nothing until somebody cuts its power
    STUCK = "stuck"  # it booted and never hashes
    OFFLINE = "offline"  # its network is down; what it does goes on


@dataclass(frozen=True, slots=True)
class Approach:
    """A figure that approaches a value as a first-order lag does: y = to + (from - to) exp(-t / lag)."""

    start: float
    end: float
    lag_s: float = 0.0  # [s] time constant; 0 is a step

    def at(self, after_s: float) -> float:
        """Return the figure some seconds after its start."""
        if self.lag_s <= 0.0:
            return self.end
        return self.end + (self.start - self.end) * math.exp(-after_s / self.lag_s)

    def integral(self, from_s: float, to_s: float) -> float:
        """Return the integral between two times after its start."""
        flat = self.end * (to_s - from_s)
        if self.lag_s <= 0.0:
            return flat
        bend = math.exp(-from_s / self.lag_s) - math.exp(-to_s / self.lag_s)
        return flat + (self.start - self.end) * self.lag_s * bend


@dataclass(frozen=True, slots=True)
class Stretch:
    """One phase of a unit from its start until the next one's."""

    phase: Phase
    start_s: float  # [s, Unix]
    power_w: Approach
    rate_per_s: Approach  # [hash/s] or [token/s]
    level_w: float  # [W] that the unit was set to; 0 is asleep
