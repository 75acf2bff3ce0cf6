"""What may turn out otherwise: models of the uncertain inputs, apart into a common and an independent part."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.arrays import Floats

INPUT_NAMES = ("btc", "difficulty", "power", "inference_price", "demand", "availability")
STEPS_PER_YEAR = 12
Z_OF_95 = 1.959963984540054
EIGENVALUE_TOLERANCE = 1e-8
BASE_CASE = "base"
LEAST_FACTOR, MOST_FACTOR = 1e-3, 1e3  # of a case: wider than any input has moved in a year, narrow enough to add up
MAY_BE_NOTHING = ("power", "demand")
MOST_YEARLY_SD = 3.0  # one in six scenarios beyond twentyfold; above it a unit was mistaken, and means do not settle


@dataclass(frozen=True, slots=True)
class Uncertain:
    """One uncertain input: the logarithm of its factor is a Brownian motion, pulled back where reversion is above 0.

    volatility_frac: [1/sqrt(year)] of the logarithm. drift_frac_per_year: growth of the factor's mean.
    reversion_per_year: [1/year] 0 for a geometric Brownian motion, else the speed of return (an Ornstein-Uhlenbeck
    logarithm).
    common_frac: share of the variance that all sites have in common. source, date: of these values.

    Raises InputError (check) for a negative volatility or reversion, a share outside 0 to 1, or a spread without sense.
    References: F. Black and M. Scholes (1973), J. Political Economy 81, 637; E. S. Schwartz (1997), J. Finance 52, 923.
    """

    volatility_frac: float = 0.0
    drift_frac_per_year: float = 0.0
    reversion_per_year: float = 0.0
    common_frac: float = 1.0
    source: str = "assumption"
    date: str = "unknown"

    def check(self, name: str) -> None:
        """Raise InputError, naming the input, unless every value is one that the model takes."""
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
        if self.yearly_sd > MOST_YEARLY_SD:
            raise InputError(
                f"scenarios: {name}: expected a spread of at most {MOST_YEARLY_SD:.0%} (standard deviation of the "
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
    """How the inputs of a run vary.

    inputs: by name of INPUT_NAMES; one that is not given does not vary. correlation: 6 x 6, of the common shocks, in
    the order of INPUT_NAMES; None for none. measurement: carry the 95 % intervals of device rates in, as a factor that
    a device has in all hours and at all sites alike. cases: for `low` and `high`, input to factor.

    Raises InputError for an unknown input, values that an input does not take, or a matrix that is not a correlation
    matrix.
    """

    inputs: Mapping[str, Uncertain] = field(default_factory=dict)
    correlation: tuple[tuple[float, ...], ...] | None = None
    measurement: bool = True
    cases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:  # noqa: D105
        for name, given in self.inputs.items():
            _known("scenarios", name)
            given.check(name)
        for case, factors in self.cases.items():
            _check_case(case, factors)
        if self.correlation is not None:
            correlation_factor(self.correlation)

    def of(self, name: str) -> Uncertain:
        """Model of an input; one without spread where it was not given."""
        return self.inputs.get(name, Uncertain())

    def only(self, *names: str, measurement: bool = False) -> ScenarioModel:
        """Let the named inputs vary alone; drifts stay."""
        inputs = {
            name: given if name in names else replace(given, volatility_frac=0.0) for name, given in self.inputs.items()
        }
        return replace(self, inputs=inputs, measurement=measurement)

    def still(self) -> ScenarioModel:
        """Let nothing vary; drifts stay."""
        return self.only()

    def varying(self) -> tuple[str, ...]:
        """Names of the inputs that have a spread."""
        return tuple(name for name in INPUT_NAMES if self.of(name).volatility_frac > 0.0)


def _check_case(case: str, factors: Mapping[str, float]) -> None:
    place = f"scenarios: case {case}"
    if case == BASE_CASE:
        raise InputError(f"{place}: expected another name, as this is the case with every factor at 1")
    for name, factor in factors.items():
        _known(place, name)
        nothing = factor == 0.0 and name in MAY_BE_NOTHING
        if not (nothing or LEAST_FACTOR <= factor <= MOST_FACTOR):
            zero = "0, or " if name in MAY_BE_NOTHING else ""
            expected = f"{zero}a factor of {LEAST_FACTOR:g} to {MOST_FACTOR:,g}"
            raise InputError.at(place, name, expected=expected, got=factor)


def _known(place: str, name: str) -> None:
    if name not in INPUT_NAMES:
        raise InputError.at(
            place, name, expected=f"one of {', '.join(INPUT_NAMES)}", got=name, near=near_names(name, INPUT_NAMES)
        )


def correlation_factor(matrix: Sequence[Sequence[float]]) -> Floats:
    """Factor F of a correlation matrix, F F' = matrix, by its eigenvectors, so that a singular matrix has one too.

    Raises InputError unless it is 6 x 6, finite, symmetric, 1 on the diagonal, within -1 to 1 and positive
    semidefinite.
    """
    place = "scenarios: correlation"
    size = len(INPUT_NAMES)
    try:
        given = np.array(matrix, float)
    except (TypeError, ValueError):
        raise InputError(f"{place}: expected {size} rows of {size} numbers, got rows of unequal length") from None
    if given.shape != (size, size):
        raise InputError(f"{place}: expected {size} rows of {size} numbers, got shape {given.shape}")
    if not np.isfinite(given).all():
        raise InputError(f"{place}: expected finite numbers, got one that is not")
    if not np.array_equal(np.diag(given), np.ones(size)):
        raise InputError(f"{place}: expected 1 on the diagonal, got {_list(np.diag(given))}")
    if np.abs(given).max() > 1.0:
        raise InputError(f"{place}: expected numbers of -1 to 1, got {given.flat[int(np.abs(given).argmax())]:g}")
    i, j = np.unravel_index(int(np.abs(given - given.T).argmax()), given.shape)
    if given[i, j] != given[j, i]:
        raise InputError(
            f"{place}: expected a symmetric matrix, got {given[i, j]:g} for {INPUT_NAMES[i]} with {INPUT_NAMES[j]} and "
            f"{given[j, i]:g} the other way round"
        )
    values, vectors = np.linalg.eigh(given)
    if values.min() < -EIGENVALUE_TOLERANCE:
        raise InputError(
            f"{place}: expected a positive semidefinite matrix, got a smallest eigenvalue of {values.min():.3g}; no "
            "random numbers have these correlations together"
        )
    if np.array_equal(given, np.eye(size)):
        return given
    factor: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor


def _list(values: Floats) -> str:
    return ", ".join(f"{value:g}" for value in values)


@dataclass(frozen=True, slots=True)
class Steps:
    """Recursion of the inputs' logarithms, each [6, steps]: x_m = decay x_(m-1) + spread z, factor exp(mean + x).

    share: [6] of the variance that is common.
    """

    decay: Floats
    spread: Floats
    mean: Floats
    share: Floats


def steps(model: ScenarioModel, count: int, per_year: int = STEPS_PER_YEAR) -> Steps:
    """Recursion over `count` steps of 1/per_year year, each taken at its middle, so that factors have the drift's mean.

    A step's exact moments: decay e^(-k dt), variance s^2 (1 - e^(-2 k dt)) / 2 k, or s^2 dt without reversion.
    """
    size = len(INPUT_NAMES)
    decay, spread, mean = np.ones((size, count)), np.zeros((size, count)), np.zeros((size, count))
    share = np.array([model.of(name).common_frac for name in INPUT_NAMES])
    for i, name in enumerate(INPUT_NAMES):
        given = model.of(name)
        variance = 0.0
        for step in range(count):
            dt = (0.5 if step == 0 else 1.0) / per_year
            a = math.exp(-given.reversion_per_year * dt)
            added = given.volatility_frac**2 * (
                -math.expm1(-2.0 * given.reversion_per_year * dt) / (2.0 * given.reversion_per_year)
                if given.reversion_per_year > 0.0
                else dt
            )
            variance = a * a * variance + added
            decay[i, step], spread[i, step] = a, math.sqrt(added)
            years = (step + 0.5) / per_year
            mean[i, step] = math.log1p(given.drift_frac_per_year) * years - 0.5 * variance
    return Steps(decay, spread, mean, share)
