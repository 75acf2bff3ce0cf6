"""The spread between units of one device model, and how far a site of such units may be from the measured ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

FLEET_PREFIX = "fleet:"  # of the name of the measured units of a model: fleet:WORKLOAD/MODEL
Z_OF_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class UnitMean:
    """The mean of one figure over the measured units of a model, with its uncertainties relative to it."""

    measured: int  # units
    spread_frac: float  # [-] standard deviation between units
    weight_frac: float  # [-] sum of the squared weights of the units: 1/measured where all weigh alike
    u_own_frac: float  # [-] standard uncertainty of the mean by the errors that each unit has alone
    u_common_frac: float  # [-] standard uncertainty of the mean by what units share: their meters
    inflation: float  # [-] factor on the first two where the units scatter more than they let expect, at least 1
    quantile: float  # [-] Student's two-sided quantile of 95 % for the first two

    def interval(self, mean: float, units: float) -> tuple[float, float]:
        """Return the 95 % interval of the mean of a site's units, of which the measured ones are a sample.

        Parameters
        ----------
        mean
            Of the measured units, in the unit of the figure.
        units
            Number of the site's units.

        Notes
        -----
        Sampling adds the variance between units times 1/measured - 1/units.
        """
        sampled = self.spread_frac**2 * abs(self.weight_frac - 1.0 / units)
        scatter = self.quantile * self.inflation * math.sqrt(sampled + self.u_own_frac**2)
        half = math.hypot(scatter, Z_OF_95 * self.u_common_frac)
        return mean * math.exp(-half), mean * math.exp(half)


@dataclass(frozen=True, slots=True)
class UnitSpread:
    """Rate and power of the measured units of a model."""

    rate: UnitMean
    power: UnitMean | None  # None for a declared power, or that of one unit

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> UnitSpread:
        """Return a spread from the JSON data of its fields."""
        power = stored["power"]
        return cls(UnitMean(**stored["rate"]), None if power is None else UnitMean(**power))
