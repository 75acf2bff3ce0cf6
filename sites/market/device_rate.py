"""The one record through which a measured result or a catalogue profile enters a site."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hardware_profiles.errors import InputError
from hardware_profiles.words import BASES, BOUNDARIES, CONFIDENCES, Basis, Boundary, Confidence

Unit = Literal["hash", "token"]

UNITS = ("hash", "token")
POWER_KINDS = ("measured", "provisioned")
TOKEN_BASES = ("output", "total")


@dataclass(frozen=True, slots=True)
class TokenTags:
    """The five tags without which tokens per MWh mean nothing.

    boundary: where the power is drawn (chip, board, package, node, rack or wall).
    power_kind: power `measured` at that boundary or `provisioned` for it.
    token_basis: `output` tokens only, or `total` (input and output).
    lengths: input and output length, e.g. "1000:1000", or the name of the data set that fixes them.
    latency_limit: the limit the rate was reached under, in words; "none (offline)" where there was none.
    """

    boundary: Boundary
    power_kind: str
    token_basis: str
    lengths: str
    latency_limit: str

    def __post_init__(self) -> None:
        """Refuse unknown words and empty texts."""
        _one_of("token tags", "boundary", self.boundary, BOUNDARIES)
        _one_of("token tags", "power_kind", self.power_kind, POWER_KINDS)
        _one_of("token tags", "token_basis", self.token_basis, TOKEN_BASES)
        for key in ("lengths", "latency_limit"):
            value = getattr(self, key)
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"token tags: {key}: expected a text, got {value!r}")


@dataclass(frozen=True, slots=True)
class DeviceRate:
    """Rate and power of one device, with where each figure comes from.

    name: device, result or figure the rate belongs to.
    unit: what is counted, "hash" or "token".
    rate_per_s: [unit/s] per device.
    rate_interval_per_s: [unit/s] 95 % interval, or None where there is none.
    power_w: [W] per device at `boundary`, or None where it is not known.
    power_interval_w: [W] 95 % interval, or None.
    boundary: of the power: chip, board, package, node, rack or wall.
    basis: of the rate: measured, rated, modelled or assumed.
    power_basis: of the power, or None without a power.
    confidence: two_sources, one_source or unverified.
    source: where the figures come from, with date.
    tags: the five tags of a token rate; None for hashes.

    Raises InputError for a figure that is not finite and positive, an unknown word, or a token rate without tags.
    """

    name: str
    unit: Unit
    rate_per_s: float
    rate_interval_per_s: tuple[float, float] | None
    power_w: float | None
    power_interval_w: tuple[float, float] | None
    boundary: Boundary
    basis: Basis
    power_basis: Basis | None
    confidence: Confidence
    source: str
    tags: TokenTags | None = None

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        place = f"device rate {self.name!r}"
        _one_of(place, "unit", self.unit, UNITS)
        _one_of(place, "boundary", self.boundary, BOUNDARIES)
        _one_of(place, "basis", self.basis, BASES)
        _one_of(place, "confidence", self.confidence, CONFIDENCES)
        _positive(place, "rate_per_s", self.rate_per_s)
        _interval(place, "rate_interval_per_s", self.rate_interval_per_s)
        if self.power_w is not None:
            _positive(place, "power_w", self.power_w)
            _one_of(place, "power_basis", self.power_basis, BASES)
        _interval(place, "power_interval_w", self.power_interval_w)
        if self.unit == "token" and self.tags is None:
            raise InputError(
                f"{place}: tags: expected the five tags of a token rate (boundary, measured or provisioned, "
                "token basis, input:output lengths, latency limit), got none"
            )

    @property
    def joules_per_unit(self) -> float | None:
        """Energy per hash or token [J], or None without a power."""
        return None if self.power_w is None else self.power_w / self.rate_per_s


def _one_of(place: str, key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{place}: {key}: expected one of {', '.join(allowed)}, got {value!r}")


def _positive(place: str, key: str, value: float) -> None:
    if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
        raise InputError(f"{place}: {key}: expected a finite number above 0, got {value!r}")


def _interval(place: str, key: str, value: tuple[float, float] | None) -> None:
    if value is None:
        return
    low, high = value
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"{place}: {key}: expected (low, high) with low <= high, got {value!r}")
