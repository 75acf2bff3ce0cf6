"""What a run of the controller is about, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.control.decision.terms import Setup
from bench.control.inputs import InputTables
from bench.levers.journal import Device
from sites.control.plan import Plan
from sites.control.rules import Rules


@dataclass(frozen=True)
class Run:
    """One run of the controller."""

    setup: Setup  # with a permit where it is armed
    plan: Plan
    rules: Rules
    devices: Mapping[str, Device]  # by unit
    inputs: InputTables
    feeder: str | None  # spec of the meter of the feeder
    control_sha256: str
    folder: Path  # of the site in this mode
    mode_reason: str = ""  # why it is in shadow, or by which file it is armed
    simulated: bool = False
    expires_s: float | None = None  # [s, Unix] of the arm file
    restoring: bool = False  # whether every unit is to be as it was found

    @property
    def sends(self) -> bool:
        """Whether commands are sent."""
        return self.setup.permit is not None or self.restoring

    @property
    def mode(self) -> str:
        """The mode, as the log and the page name it."""
        return "armed" if self.sends else "shadow"

    @property
    def who(self) -> str:
        """The name of the work in the journal of devices."""
        return f"control {self.setup.site}"


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    reason: str  # done, stopped, expired, restored, not_restored
    cycles: int
    halted: str = ""  # code of the halt that holds; empty without one
    listed: Mapping[str, str] = field(default_factory=dict)  # units that are not as they were found, and why
