"""A measured ramp as the start terms of a block: `start = "ramp:ID"` in a site file."""

from __future__ import annotations

from dataclasses import dataclass

RAMP_PREFIX = "ramp:"
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class MeasuredRamp:
    """What a stored ramp says of a device."""

    name: str  # as the file names it
    down_s: float  # [s] from the command to off to resting power
    up_s: float  # [s] from the command to full rate; to full power where the device shows no rate
    lost_output_s: float  # [s] of full output that a start lacks
    off_energy_j: float  # [J] drawn above resting power after the command to off
    full_w: float  # [W]
    start_energy_j: float | None  # [J] drawn on the way up without the work that full power gives for it
    shortest_off_s: float  # [s] between the commands
    longest_off_s: float  # [s]
    source: str

    @property
    def wake_h(self) -> float:
        """Time at full power that stands for a start [h]: the output that the way up lacks, and the joules down."""
        return (self.lost_output_s + self.off_energy_j / self.full_w) / SECONDS_PER_HOUR

    @property
    def min_down_h(self) -> float:
        """Hours that the device needs to be off [h]."""
        return self.down_s / SECONDS_PER_HOUR

    def words(self) -> str:
        """Return the terms and their source as a line."""
        energy = f", {self.start_energy_j / 3.6e6:.3g} kWh without work" if self.start_energy_j is not None else ""
        return (
            f"{self.name}: {self.wake_h * 60.0:.3g} min of full power without output for each start, at least "
            f"{self.min_down_h * 60.0:.2g} min off (to full output {self.up_s:.0f} s{energy}; measured after "
            f"{self.shortest_off_s:.0f} to {self.longest_off_s:.0f} s off); {self.source}"
        )
