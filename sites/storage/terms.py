"""The terms of a battery and of the starts of a block, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hardware_profiles.errors import InputError


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery at the meter of a site."""

    power_mw: float  # [MW meter] of charging and of discharging
    energy_mwh: float  # [MWh] that the cells hold between empty and full
    charge_frac: float  # share of the charging energy that reaches the cells
    discharge_frac: float  # share of the cells' energy that reaches the meter
    min_frac: float = 0.0  # lowest state of charge
    max_frac: float = 1.0  # highest state of charge
    start_frac: float = 0.5  # state of charge at the start of the year
    end_frac: float = 0.5  # lowest state of charge at its end
    wear_usd_per_mwh: float = 0.0  # [USD/MWh] degradation, of energy that is discharged at the meter
    may_export: bool = False  # whether it may feed the grid; else it only displaces load
    cycles_per_day: float = math.inf  # limit of each local day, in MWh discharged over energy_mwh

    @property
    def hours(self) -> float:
        """Hours of full power between the lowest and the highest state of charge; 0 without a battery."""
        return (self.max_frac - self.min_frac) * self.energy_mwh / self.power_mw if self.power_mw > 0.0 else 0.0

    def __post_init__(self) -> None:
        """Raise InputError for states of charge that contradict each other, or a number that is no share."""
        for key in ("charge_frac", "discharge_frac"):
            if not 0.0 < getattr(self, key) <= 1.0:
                raise InputError.at("battery", key, expected="a share above 0 and up to 1", got=getattr(self, key))
        if not 0.0 <= self.min_frac < self.max_frac <= 1.0:
            raise InputError.at("battery", "min_frac", expected="a share below max_frac", got=self.min_frac)
        for key in ("start_frac", "end_frac"):
            if not self.min_frac <= getattr(self, key) <= self.max_frac:
                expected = f"a share of min_frac to max_frac ({self.min_frac:g} to {self.max_frac:g})"
                raise InputError.at("battery", key, expected=expected, got=getattr(self, key))


@dataclass(frozen=True, slots=True)
class StartTerms:
    """What it takes to switch a whole block off and on again."""

    min_up_h: float = 0.0  # [h] that the block stays on
    min_down_h: float = 0.0  # [h] that it stays off
    wake_h: float = 0.0  # [h] in which it draws power without output
    start_usd: float = 0.0  # [USD] for each start of the whole block
    source: str = ""  # of a measured ramp; empty for what the file states

    def in_steps(self, step_h: float) -> tuple[int, int, tuple[float, ...]]:
        """Return the least steps on and off, and the share of output that is lost in each step of waking up."""
        wake = self.wake_h / step_h
        lost = tuple(min(1.0, wake - j) for j in range(math.ceil(wake - 1e-9)))
        up = max(1, math.ceil(self.min_up_h / step_h - 1e-9), len(lost))
        return up, max(1, math.ceil(self.min_down_h / step_h - 1e-9)), lost
