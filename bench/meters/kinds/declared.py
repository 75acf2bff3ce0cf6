"""A declared wattage: an assumption that is stored as `assumed_power_w` and never becomes joules."""

import math
from collections.abc import Sequence

from bench.meters.protocol import (
    EnergyReading,
    Found,
    Meter,
    MeterInfo,
    MeterKind,
    MeterKindEntry,
    MeterOptions,
    Reading,
    Tier,
)
from hardware_profiles.errors import InputError
from hardware_profiles.words import BOUNDARIES, Boundary


class Declared:
    """A power [W] that somebody declared, at a boundary; it reads nothing.

    Raises
    ------
    InputError
        The power is not a finite number above 0.
    """

    def __init__(self, power_w: float, boundary: Boundary = "wall", source: str = "declared with --watts") -> None:
        if not (math.isfinite(power_w) and power_w > 0.0):
            raise InputError.at("--watts", expected="a power above 0 W", got=power_w)
        self.power_w = power_w
        self.source = source
        self._info = MeterInfo(
            name="declared",
            kind=MeterKind.DECLARED,
            boundary=boundary,
            tier=Tier.E,
            accuracy_frac=None,
            accuracy_source="none: an assumption",
            period_s=0.0,
            scope=source,
        )

    @property
    def info(self) -> MeterInfo:
        """Tier E at the declared boundary."""
        return self._info

    def open(self) -> None:
        """Do nothing: there is nothing to read."""

    def mark(self) -> None:
        """Do nothing."""

    def readings(self) -> Sequence[Reading]:
        """Return no readings: none were taken."""
        return ()

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return no joules, and the declared power [W] beside the reason."""
        return EnergyReading(
            meter=self._info.name,
            joules=None,
            boundary=self._info.boundary,
            tier=Tier.E,
            accuracy_frac=None,
            accuracy_source=self._info.accuracy_source,
            duration_s=t1 - t0,
            reasons=("declared_power",),
            assumed_power_w=self.power_w,
        )

    def close(self) -> None:
        """Do nothing."""


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    text = target or settings.get("watts", "")
    boundary = settings.get("boundary", "wall")
    if boundary not in BOUNDARIES:
        raise InputError.at("--meter declared", "boundary", expected=f"one of {', '.join(BOUNDARIES)}", got=boundary)
    if not text:
        if options.watts is None:
            raise InputError.at("--meter declared", expected="a power, as in declared:450 or with --watts 450")
        return Declared(options.watts, boundary)  # type: ignore[arg-type]
    try:
        power_w = float(text)
    except ValueError:
        raise InputError.at("--meter declared", expected="a power in watts", got=text) from None
    return Declared(power_w, boundary, f"declared with --meter declared:{text}")  # type: ignore[arg-type]


def _find() -> list[Found]:
    return [
        Found(
            "declared",
            MeterKind.DECLARED,
            "wall",
            Tier.E,
            usable=True,
            spec="declared:WATTS",
            reason="an assumption, never energy",
        )
    ]


ENTRY = MeterKindEntry("declared", "a wattage that you state: an assumption, never energy", _make, _find)
