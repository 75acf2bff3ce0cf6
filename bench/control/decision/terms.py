"""The terms of a site under control, which do not change within a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sites.control.model import OFF, ON, Inputs, Unit, UnitView


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that every command must keep; each is declared, and no one has a default."""

    feeder_w: float  # [W] at the feeder
    ramp_w_per_min: float  # [W] that may be commanded up, and down, in any minute
    units_per_wave: int  # commands in any interval of waves
    wave_interval_s: float  # [s]
    min_on_s: float  # [s] from on to the next off
    min_off_s: float  # [s] from off to the next on
    commands_per_hour: int  # a unit, in any hour
    fleet_frac: float  # share of the fleet that one wave may command
    overshoot_frac: float  # by which a unit that starts may exceed its full power
    other_w: float  # [W] of what else the feeder carries, such as fans, at most
    losses_frac: float  # share of the feeder's power that no load draws

    def wave_units(self, fleet: int) -> int:
        """Return how many commands may be sent in any interval of waves to a fleet of so many units."""
        return min(self.units_per_wave, int(self.fleet_frac * fleet + 1e-9))

    def at_feeder_w(self, units_w: float) -> float:
        """Return the power at the feeder for a power of all units, with other loads and losses [W]."""
        return (units_w + self.other_w) / (1.0 - self.losses_frac)


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """What is declared of a unit."""

    unit: Unit
    identity: str | None = None  # MAC, serial number or UUID; None to pin that of the first look

    def power_w(self, level: str) -> float:
        """Power at a level [W]; full power for a level that nobody declared."""
        for known in self.unit.levels:
            if known.name == level and known.power_w is not None:
                return known.power_w
        return 0.0 if level == OFF else self.unit.full_w

    def index(self, level: str) -> int:
        """Return the place of a level between off (0) and full."""
        if level == ON:
            return len(self.unit.levels)
        return next((at for at, known in enumerate(self.unit.levels) if known.name == level), len(self.unit.levels))


@dataclass(frozen=True, slots=True)
class Permit:
    """What an arm file allows."""

    units: frozenset[str]  # that may be commanded
    maximum_w: float  # [W] that may be different from what was found, at any time


@dataclass(frozen=True, slots=True)
class Intended:
    """What the units should be in now."""

    levels: Mapping[str, str]  # by unit, the most urgent first; a unit that is absent is left as it is
    codes: tuple[str, ...] = ()  # why
    plan_w: float | None = None  # [W] of the plan
    intended_w: float = 0.0  # [W] of all units at these levels


Policy = Callable[[Inputs, Sequence[UnitView], float], Intended]
"""What the units should be in by the inputs, what is known of them, and the time [s, Unix]; pure."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run of the controller is bound to."""

    site: str
    policy: Policy
    limits: Limits
    units: Mapping[str, UnitTerms]  # of the control file, in its order
    tick_s: float  # [s] between two cycles
    lost_telemetry_s: float  # [s] after which a look is too old to say anything
    verify_s: float | None = None  # [s] in which the feeder must show a change; None without a meter of the feeder
    permit: Permit | None = None  # None in shadow, where every unit may be planned with
