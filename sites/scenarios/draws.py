"""The random draws of a run: its seed, the shocks that all sites share, and the factors on one site's year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.scenarios.case import DEVICE_SPREADS
from sites.scenarios.model import INPUT_NAMES, ScenarioModel, correlation_factor, steps

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.scenarios.case import SiteCase
    from sites.scenarios.kernels.paths import Factors


@dataclass(frozen=True, slots=True)
class Run:
    """The seed of a run's random numbers, and the model of its inputs."""

    seed: int  # of the random numbers
    model: ScenarioModel

    def __post_init__(self) -> None:  # noqa: D105
        if not (isinstance(self.seed, int) and 0 <= self.seed < 1 << 64):
            raise InputError.at("scenarios", "seed", expected="a whole number of 0 to 2^64 - 1", got=self.seed)


def common_shocks(run: Run, first: int, count: int, months: int) -> Floats:
    """Draw the standard normals that all sites share in scenarios [first, first + count), shape [6, months, count]."""
    from sites.scenarios.kernels import paths as drawn

    correlation = run.model.correlation
    factor = np.eye(len(INPUT_NAMES)) if correlation is None else correlation_factor(correlation)
    shocks = np.empty((len(INPUT_NAMES), months, count))
    drawn.common_shocks(np.uint64(run.seed), first, factor, shocks)
    return shocks


def factors_of(case: SiteCase, run: Run, first: int, count: int, shocks: Floats | None = None) -> Factors:
    """Draw the factors of a site's year in scenarios [first, first + count).

    Parameters
    ----------
    case, run
        The site's year, and the run.
    first, count
        Range of scenarios.
    shocks
        common_shocks of these scenarios and of at least these months; drawn if None.

    Returns
    -------
    power
        Factor on the spot price, shape [M, count].
    worth, able, asked, units
        Factors on a block's worth, capacity, demand and output, each of shape [B, M, count].
    """
    from sites.scenarios.kernels import paths as drawn

    path = steps(run.model, case.first_month + case.months)
    if shocks is None:
        shocks = common_shocks(run, first, count, path.decay.shape[1])
    seed = np.uint64(run.seed)
    factors = np.empty((len(INPUT_NAMES), case.months, count))
    drawn.input_factors(
        seed, first, case.place, shocks, path, case.outage_frac, case.most_available, factors
    )  # fmt: skip
    rate, power = np.ones((len(case.devices), count)), np.ones((len(case.devices), count))
    for row, (place, rate_spread, power_spread) in enumerate(case.devices):
        if rate_spread > 0.0 or power_spread > 0.0:
            drawn.device_factors(seed, first, place, rate_spread, power_spread, DEVICE_SPREADS, rate[row], power[row])
    blocks = (np.empty((case.blocks.shape[0], case.months, count)) for _ in range(4))
    result = drawn.Factors(factors[drawn.POWER], *blocks)
    drawn.block_factors(factors, case.paid_per, case.device, rate, power, case.btc_usd, result)
    return result
