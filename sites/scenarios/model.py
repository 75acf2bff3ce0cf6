"""Stochastic models of the uncertain inputs, each split into a market-wide and a site-specific part."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import Faults, InputError, near_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.arrays import Floats

INPUT_NAMES = ("btc", "difficulty", "power", "inference_price", "demand", "availability")
STEPS_PER_YEAR = 12
Z_OF_95 = 1.959963984540054
EIGENVALUE_TOLERANCE = 1e-8
BASE_CASE = "base"
MIN_FACTOR, MAX_FACTOR = 1e-3, 1e3  # of a case: beyond any yearly change of an input, and sums stay finite
MAY_BE_ZERO = ("power", "demand")
MAX_YEARLY_SD = 3.0  # one scenario in six grows twentyfold; a larger spread is a wrong unit, and means do not converge


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The model of an uncertain input, whose factor follows a geometric Brownian motion or reverts to a mean.

    References
    ----------
    F. Black and M. Scholes (1973), J. Political Economy 81, 637; E. S. Schwartz (1997), J. Finance 52, 923.
    """

    volatility_frac: float = 0.0  # [1/sqrt(year)] of the factor's logarithm
    drift_frac_per_year: float = 0.0  # [1/year] growth of the factor's mean
    reversion_per_year: float = 0.0  # [1/year] of an Ornstein-Uhlenbeck logarithm; 0 for a Brownian motion
    common_frac: float = 1.0  # share of the variance that is market-wide, common to all sites
    source: str = "assumption"
    date: str = "unknown"

    def check(self, name: str) -> None:
        """Raise InputError, naming the input, if a value is outside its range or the yearly spread is implausible."""
        for key, low, high in (
            ("volatility_frac", 0.0, math.inf),
            ("reversion_per_year", 0.0, math.inf),
            ("common_frac", 0.0, 1.0),
        ):
            value = getattr(self, key)
            if not (math.isfinite(value) and low <= value <= high):
                expected = "a share of 0 to 1" if high == 1.0 else "a finite number of 0 or more"
                raise InputError.at(f"scenarios: {name}", key, expected=expected, got=value)
        if not (math.isfinite(self.drift_frac_per_year) and self.drift_frac_per_year > -1.0):
            raise InputError.at(
                f"scenarios: {name}",
                "drift_frac_per_year",
                expected="a finite growth above -1",
                got=self.drift_frac_per_year,
            )
        if self.yearly_sd > MAX_YEARLY_SD:
            raise InputError(
                f"scenarios: {name}: expected a spread of at most {MAX_YEARLY_SD:.0%} (standard deviation of the "
                f"logarithm after a year), got {100 * self.yearly_sd:.4g}% "
                f"from volatility {100 * self.volatility_frac:.4g}%, reversion {self.reversion_per_year:.4g} a year"
            )

    @property
    def yearly_sd(self) -> float:
        """Standard deviation of the factor's logarithm after a year."""
        rate = 2.0 * self.reversion_per_year
        return self.volatility_frac * (math.sqrt(-math.expm1(-rate) / rate) if rate > 0 else 1.0)


@dataclass(frozen=True, slots=True)
class ScenarioModel:
    """The models of all inputs of a run, and its deterministic cases."""

    inputs: Mapping[str, Uncertain] = field(default_factory=dict)  # by INPUT_NAMES; others do not vary
    correlation: tuple[tuple[float, ...], ...] | None = None  # of the market-wide shocks, 6 x 6 by INPUT_NAMES
    measurement: bool = True  # whether the 95 % interval of a device's rate is a random factor, equal at all sites
    cases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # factors of inputs, by name of the case

    def __post_init__(self) -> None:
        """Raise InputError for an unknown input, an invalid value, or an invalid correlation matrix."""
        faults = Faults()
        for name, uncertain in self.inputs.items():
            with faults.noted():
                _known("scenarios", name)
                uncertain.check(name)
        for case, factors in self.cases.items():
            with faults.noted():
                _check_case(case, factors)
        if self.correlation is not None:
            with faults.noted():
                correlation_factor(self.correlation)
        faults.refuse()

    def of(self, name: str) -> Uncertain:
        """Return the model of an input, without spread if the input does not vary."""
        return self.inputs.get(name, Uncertain())

    def only(self, *names: str, measurement: bool = False) -> ScenarioModel:
        """Return the model in which only the named inputs vary; all drifts stay."""
        inputs = {
            name: uncertain if name in names else replace(uncertain, volatility_frac=0.0)
            for name, uncertain in self.inputs.items()
        }
        return replace(self, inputs=inputs, measurement=measurement)

    def still(self) -> ScenarioModel:
        """Return the model in which no input varies; all drifts stay."""
        return self.only()

    def varying(self) -> tuple[str, ...]:
        """Return the names of the inputs that vary."""
        return tuple(name for name in INPUT_NAMES if self.of(name).volatility_frac > 0.0)


def _check_case(case: str, factors: Mapping[str, float]) -> None:
    location = f"scenarios: case {case}"
    if case == BASE_CASE:
        raise InputError(f"{location}: expected another name, because this is the case with all factors at 1")
    for name, factor in factors.items():
        _known(location, name)
        allowed_zero = factor == 0.0 and name in MAY_BE_ZERO
        if not (allowed_zero or MIN_FACTOR <= factor <= MAX_FACTOR):
            zero = "0, or " if name in MAY_BE_ZERO else ""
            expected = f"{zero}a factor of {MIN_FACTOR:g} to {MAX_FACTOR:,g}"
            raise InputError.at(location, name, expected=expected, got=factor)


def _known(location: str, name: str) -> None:
    if name not in INPUT_NAMES:
        raise InputError.at(
            location, name, expected=f"one of {', '.join(INPUT_NAMES)}", got=name, near=near_names(name, INPUT_NAMES)
        )


def correlation_factor(matrix: Sequence[Sequence[float]]) -> Floats:
    """Return a factor F of a correlation matrix, F F' = matrix, from its eigenvectors (also for singular matrices).

    Raises
    ------
    InputError
        The matrix is not 6 x 6, finite, symmetric, 1 on the diagonal, within -1 to 1 and positive semidefinite.
    """
    location = "scenarios: correlation"
    size = len(INPUT_NAMES)
    try:
        array = np.array(matrix, float)
    except (TypeError, ValueError):
        raise InputError(f"{location}: expected {size} rows of {size} numbers, got rows of unequal length") from None
    if array.shape != (size, size):
        raise InputError(f"{location}: expected {size} rows of {size} numbers, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{location}: expected finite numbers, got {_list(array[~np.isfinite(array)][:1])}")
    if not np.array_equal(np.diag(array), np.ones(size)):
        raise InputError(f"{location}: expected 1 on the diagonal, got {_list(np.diag(array))}")
    if np.abs(array).max() > 1.0:
        raise InputError(f"{location}: expected numbers of -1 to 1, got {array.flat[int(np.abs(array).argmax())]:g}")
    i, j = np.unravel_index(int(np.abs(array - array.T).argmax()), array.shape)
    if array[i, j] != array[j, i]:
        raise InputError(
            f"{location}: expected a symmetric matrix, got {array[i, j]:g} for {INPUT_NAMES[i]} with {INPUT_NAMES[j]} "
            f"and {array[j, i]:g} for {INPUT_NAMES[j]} with {INPUT_NAMES[i]}"
        )
    values, vectors = np.linalg.eigh(array)
    if values.min() < -EIGENVALUE_TOLERANCE:
        raise InputError(
            f"{location}: expected a positive semidefinite matrix, got a smallest eigenvalue of {values.min():.3g}; no "
            "random numbers can have all of these correlations"
        )
    if np.array_equal(array, np.eye(size)):
        return array
    factor: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor


def _list(values: Floats) -> str:
    return ", ".join(f"{value:g}" for value in values)


class Steps(NamedTuple):
    """The recursion of the inputs' logarithms: x_m = decay x_(m-1) + spread z, with the factor exp(mean + x)."""

    decay: Floats  # [6, steps]
    spread: Floats  # [6, steps]
    mean: Floats  # [6, steps]
    share: Floats  # [6] of the variance that is market-wide


def steps(model: ScenarioModel, count: int, per_year: int = STEPS_PER_YEAR) -> Steps:
    """Return the recursion over `count` steps of 1/per_year year, each taken at its middle.

    The mean of a factor follows its drift.

    Notes
    -----
    The moments of a step are exact: decay e^(-k dt), variance s^2 (1 - e^(-2 k dt)) / 2 k, or s^2 dt without reversion.
    """
    size = len(INPUT_NAMES)
    decay, spread, mean = np.ones((size, count)), np.zeros((size, count)), np.zeros((size, count))
    share = np.array([model.of(name).common_frac for name in INPUT_NAMES])
    for i, name in enumerate(INPUT_NAMES):
        uncertain = model.of(name)
        variance = 0.0
        for step in range(count):
            dt = (0.5 if step == 0 else 1.0) / per_year
            a = math.exp(-uncertain.reversion_per_year * dt)
            added = uncertain.volatility_frac**2 * (
                -math.expm1(-2.0 * uncertain.reversion_per_year * dt) / (2.0 * uncertain.reversion_per_year)
                if uncertain.reversion_per_year > 0.0
                else dt
            )
            variance = a * a * variance + added
            decay[i, step], spread[i, step] = a, math.sqrt(added)
            years = (step + 0.5) / per_year
            mean[i, step] = math.log1p(uncertain.drift_frac_per_year) * years - 0.5 * variance
    return Steps(decay, spread, mean, share)
