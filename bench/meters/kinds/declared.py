"""A declared power: an assumption that is stored as `assumed_power_w` and never becomes energy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from bench import limits
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
from hardware_profiles.provenance import BOUNDARIES, Boundary


class Declared:
    """A power [W] that the user declared at a boundary; it reads nothing.

    Raises
    ------
    InputError
        The power is not one that a machine draws.
    """

    def __init__(self, power_w: float, boundary: Boundary = "wall", source: str = "declared with --watts") -> None:
        if not limits.LEAST_POWER_W <= power_w <= limits.MOST_POWER_W:
            expected = f"a power from {limits.LEAST_POWER_W:g} to {limits.MOST_POWER_W:,.0f} W"
            raise InputError.at("--watts", expected=expected, got=power_w)
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
        """Do nothing, since nothing is read."""

    def mark(self) -> None:
        """Do nothing."""

    def readings(self) -> Sequence[Reading]:
        """Return no readings."""
        return ()

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return no joules, but the declared power [W] and the reason."""
        reading = EnergyReading.missing(self._info, t1 - t0, "declared_power")
        return replace(reading, assumed_power_w=self.power_w)

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
        return Declared(options.watts, cast("Boundary", boundary))
    try:
        power_w = float(text)
    except ValueError:
        raise InputError.at("--meter declared", expected="a power in watts", got=text) from None
    return Declared(power_w, cast("Boundary", boundary), f"declared with --meter declared:{text}")


def _find() -> list[Found]:
    return [
        Found(
            "declared",
            MeterKind.DECLARED,
            "wall",
            Tier.E,
            usable=True,
            spec="declared:WATTS",
            reads="an assumption, never energy",
        )
    ]


ENTRY = MeterKindEntry("declared", "a power that you declare: an assumption, never energy", _make, _find)
