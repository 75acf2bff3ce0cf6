"""The rate and power of one device, the only form in which a result or a profile enters a site."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BASES, BOUNDARIES, CONFIDENCES, Basis, Boundary, Confidence
from sites.market.unit_spread import FLEET_PREFIX

if TYPE_CHECKING:
    from sites.market.unit_spread import UnitSpread

Unit = Literal["hash", "token"]

UNITS = ("hash", "token")
INTERACTIVE_TPOT_S = 0.2
"""[s] longest mean time per token that counts as interactive: the server limit of MLPerf Inference for Llama 2 70B."""
POWER_KINDS = ("measured", "provisioned", "modelled")
RateBasis = Literal[Basis, "replayed"]  # `replayed`: modelled, and scaled by a measurement on the same device
RATE_BASES = (*BASES, "replayed")
TOKEN_BASES = ("output", "total")


@dataclass(frozen=True, slots=True)
class TokenTags:
    """The five tags that a token rate needs before its tokens per MWh can be compared."""

    boundary: Boundary  # where the power is drawn: chip, board, package, node, rack or wall
    power_kind: str  # `measured` at the boundary, `modelled` for the load, or `provisioned`
    token_basis: str  # `output` tokens only, or `total` (input and output)
    lengths: str  # input and output length, "1000:1000", or the name of the data set
    latency_limit: str  # the limit that the rate was reached under, in words; "none (offline)" without a limit

    def __post_init__(self) -> None:
        """Raise InputError for unknown words and empty texts."""
        _one_of("token tags", "boundary", self.boundary, BOUNDARIES)
        _one_of("token tags", "power_kind", self.power_kind, POWER_KINDS)
        _one_of("token tags", "token_basis", self.token_basis, TOKEN_BASES)
        for key in ("lengths", "latency_limit"):
            value = getattr(self, key)
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"token tags: {key}: expected a text, got {value!r}")


@dataclass(frozen=True, slots=True)
class DeviceRate:
    """The rate and power of one device, with the source of each figure."""

    name: str  # of the device, result or published figure
    unit: Unit  # what is counted
    rate_per_s: float  # [unit/s]
    rate_interval_per_s: tuple[float, float] | None  # [unit/s] 95 % interval
    power_w: float | None  # [W] at the boundary
    power_interval_w: tuple[float, float] | None  # [W] 95 % interval
    boundary: Boundary  # of the power: chip, board, package, node, rack or wall
    basis: RateBasis  # of the rate: measured, replayed, rated, modelled or assumed
    power_basis: Basis | None  # None without a power
    confidence: Confidence  # two_sources, one_source or unverified
    source: str  # of the figures, with date
    tags: TokenTags | None = None  # None for hashes
    plan: str = ""  # that a result was measured with; empty for other rates
    codes: tuple[str, ...] = ()  # warnings of the result
    tpot_s: float | None = None  # [s] mean time per output token of one user at this rate; None if it is unknown
    spread: UnitSpread | None = None  # between the units whose mean it is; None for one unit, or without units

    def __post_init__(self) -> None:
        """Raise InputError for a figure or interval that is not finite and positive, an unknown word, or no tags."""
        location = f"device rate {self.name!r}"
        _one_of(location, "unit", self.unit, UNITS)
        _one_of(location, "boundary", self.boundary, BOUNDARIES)
        _one_of(location, "basis", self.basis, RATE_BASES)
        _one_of(location, "confidence", self.confidence, CONFIDENCES)
        _positive(location, "rate_per_s", self.rate_per_s)
        _interval(location, "rate_interval_per_s", self.rate_interval_per_s)
        if self.power_w is not None:
            _positive(location, "power_w", self.power_w)
            _one_of(location, "power_basis", self.power_basis, BASES)
        _interval(location, "power_interval_w", self.power_interval_w)
        if self.unit == "token" and self.tags is None:
            raise InputError(
                f"{location}: tags: expected the five tags of a token rate (boundary, measured or provisioned, "
                "token basis, input:output lengths, latency limit), got none"
            )

    def of_units(self, units: float) -> DeviceRate:
        """Return the rate as that of the mean of a site's units, with the intervals that their number gives it."""
        if self.spread is None:
            return self
        rate, power = self.spread.rate, self.spread.power
        return replace(
            self,
            rate_interval_per_s=rate.interval(self.rate_per_s, units),
            power_interval_w=self.power_interval_w
            if power is None or self.power_w is None
            else power.interval(self.power_w, units),
        )

    def units_words(self, units: float) -> str:
        """Return how many measured units stand for a site's units, and what is known of their spread.

        The text is empty for a figure that was not measured on single units of ours, and for a single unit.
        """
        if self.spread is not None:
            power = self.spread.power
            of_power = "" if power is None else f", of the power {power.spread_frac:.2%}"
            return (
                f"{self.spread.rate.measured} measured units stand for {units:,.0f}; spread between units of the rate "
                f"{self.spread.rate.spread_frac:.2%}{of_power}, in the interval of their mean"
            )
        if not self.plan or units <= 1.0:
            return ""
        return (
            f"one measured unit stands for {units:,.0f}: the spread between units is unknown and not in the interval "
            f'(measure more units, and name them with device = "{FLEET_PREFIX}WORKLOAD@MODEL")'
        )

    @property
    def serving_class(self) -> str:
        """How the tokens of this rate can be sold: `interactive`, or `offline` if requests queue or tokens come late.

        List prices of tokens are for interactive use; a batch interface sells the same tokens later and for less.
        """
        limit = self.tags.latency_limit if self.tags is not None else ""
        if limit.startswith("none (offline)"):
            return "offline"
        if self.tpot_s is not None:
            return "interactive" if self.tpot_s <= INTERACTIVE_TPOT_S else "offline"
        return "offline" if limit.startswith("none") else "interactive"

    @property
    def energy_j_per_unit(self) -> float | None:
        """Energy per hash or token [J/unit], or None without a power."""
        return None if self.power_w is None else self.power_w / self.rate_per_s


def _one_of(location: str, key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{location}: {key}: expected one of {', '.join(allowed)}, got {value!r}")


def _positive(location: str, key: str, value: float) -> None:
    if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
        raise InputError(f"{location}: {key}: expected a finite number above 0, got {value!r}")


def _interval(location: str, key: str, value: tuple[float, float] | None) -> None:
    if value is None:
        return
    low, high = value
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"{location}: {key}: expected (low, high) with low <= high, got {value!r}")
    if low <= 0.0:
        raise InputError(
            f"{location}: {key}: expected an interval above 0, got {low:,.4g} to {high:,.4g}; a figure as uncertain as "
            "that cannot be carried to a site"
        )
