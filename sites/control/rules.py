"""What the operator of a site declares for the times in which the controller does not know enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from hardware_profiles.errors import InputError

MOST_WINDOWS = 12  # price intervals that the inputs keep


class Fallback(StrEnum):
    """What to do without a fresh input."""

    HOLD = "hold"  # leave every unit as it is, within the limits
    CURTAIL = "curtail"  # stop all work but that of tenants with a right to power
    RUN = "run"  # run all there is, within the limits


@dataclass(frozen=True, slots=True)
class Rules:
    """The declared rules of a site. The fallbacks have no default: which side is safe differs from site to site."""

    on_stale_price: Fallback
    on_lost_telemetry: Fallback  # of a unit: hold or curtail
    on_lost_target: Fallback | None = None  # None only for a site without a source of load targets
    has_price: bool = True  # whether a source of prices is declared; else the plan's own prices hold
    stale_price_s: float = 900.0  # [s] for which the last price holds on after the end of its interval
    windows_down: int = 1  # price intervals in a row that must call for less power
    windows_up: int = 1  # price intervals in a row that must call for more power
    units_mw: float = math.inf  # [MW] that the units may draw, so that the feeder holds with its other loads and losses
    other_mw: float = 0.0  # [MW] of loads at the meter that are no units
    losses_frac: float = 0.0  # of the power at the meter

    def __post_init__(self) -> None:
        """Raise InputError for a rule that has no meaning."""
        if self.on_lost_telemetry is Fallback.RUN:
            raise InputError.at("control", "on_lost_telemetry", expected="hold or curtail", got=str(Fallback.RUN))
        for key in ("windows_down", "windows_up"):
            if not 1 <= getattr(self, key) <= MOST_WINDOWS:
                expected = f"1 to {MOST_WINDOWS} price intervals"
                raise InputError.at("control", key, expected=expected, got=getattr(self, key))
        if not self.stale_price_s >= 0.0:
            raise InputError.at("control", "stale_price_s", expected="0 s or more", got=self.stale_price_s)
        if not self.other_mw >= 0.0:
            raise InputError.at("limits", "other_kw", expected="0 kW or more", got=self.other_mw)
        if not 0.0 <= self.losses_frac < 1.0:
            raise InputError.at("limits", "losses_percent", expected="a share from 0 to below 1", got=self.losses_frac)
        if not self.units_mw >= 0.0:
            raise InputError.at("limits", "feeder_kw", expected="more than other_kw and losses", got=self.units_mw)

    def units_within_mw(self, meter_mw: float) -> float:
        """Return what the units may draw so that the meter shows no more than a load target [MW].

        It is below 0 if the other loads alone are above the target. A target of 0 asks for every unit to stop, whatever
        the other loads draw.
        """
        return meter_mw * (1.0 - self.losses_frac) - self.other_mw if meter_mw > 0.0 else 0.0
