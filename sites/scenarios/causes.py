"""The causes of a spread (tornado), and the net in the deterministic cases of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.scenarios.distributions import exceeded
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import fleet_metric
from sites.scenarios.model import BASE_CASE, INPUT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sites.model import Site
    from sites.scenarios.engine import Executor, FleetRun, Run

MEASUREMENT = "measurement"


@dataclass(frozen=True, slots=True)
class Cause:
    """The spread that one input causes while all others follow their mean path."""

    name: str
    p90: float  # in the unit of the metric, as are p10 and sd
    p10: float  # exceeded in 10 % of the scenarios
    sd: float  # standard deviation
    share_frac: float  # of the sum of the variances


@dataclass(frozen=True, slots=True)
class Tornado:
    """The causes of a metric's spread, the largest first."""

    metric: str
    base: float  # value on the mean path of all inputs
    sd: float  # with all inputs
    causes: tuple[Cause, ...]
    interaction_frac: float  # variance with all inputs over the sum of the variances, less 1 (correlation included)


TORNADO_METHOD = (
    "one input at a time, the others on their mean path, with common random numbers; share of the sum of variances"
)


def tornado(  # noqa: PLR0913
    sites: Sequence[Site],
    run: Run,
    scenarios: int,
    metric: str = "net_usd",
    *,
    whole: FleetRun | None = None,
    execute: Executor | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Tornado:
    """Run a fleet with one varying input at a time, on the same random numbers, and compare the spreads.

    The measured intervals of devices count as an input.

    Parameters
    ----------
    sites
        The sites.
    run
        Model and seed of the scenarios.
    scenarios
        Number of scenarios of each run.
    metric
        The metric.
    whole
        The run with all inputs, if it exists already.
    execute
        Executor of the shards.
    on_progress
        Function that receives the completed share.
    """
    names = list(run.model.varying())
    if run.model.measurement and _measured(sites):
        names.append(MEASUREMENT)
    parts = {}
    for index, name in enumerate(names):
        model = run.model.only(measurement=True) if name == MEASUREMENT else run.model.only(name)
        done = run_fleet(fleet_cases(sites, model), replace(run, model=model), scenarios, execute=execute)
        parts[name] = fleet_metric(done, metric)
        if on_progress is not None:
            on_progress((index + 1) / (len(names) + 1))
    still = replace(run, model=run.model.still())
    base = float(fleet_metric(run_fleet(fleet_cases(sites, still.model), still, 1), metric)[0])
    if whole is None:
        whole = run_fleet(fleet_cases(sites, run.model), run, scenarios, execute=execute)
    total = fleet_metric(whole, metric)
    variances = {name: float(values.var()) for name, values in parts.items()}
    summed = math.fsum(variances.values())
    causes = [
        Cause(
            name,
            exceeded(values, 0.9),
            exceeded(values, 0.1),
            math.sqrt(variances[name]),
            variances[name] / summed if summed > 0 else 0.0,
        )
        for name, values in parts.items()
    ]
    return Tornado(
        metric=metric,
        base=base,
        sd=float(total.std()),
        causes=tuple(sorted(causes, key=lambda cause: -cause.share_frac)),
        interaction_frac=float(total.var()) / summed - 1.0 if summed > 0 else 0.0,
    )


def _measured(sites: Sequence[Site]) -> bool:
    rates = [block.rate for site in sites for block in site.mining]
    rates += [block.rate for site in sites for block in site.inference]
    return any(rate.rate_interval_per_s is not None or rate.power_interval_w is not None for rate in rates)


def deterministic_cases(sites: Sequence[Site], run: Run, metric: str = "net_usd") -> dict[str, float]:
    """Return a metric of the fleet in the case `base` and in those of the model, with the factors of each case."""
    values = {}
    for case, factors in {BASE_CASE: {}, **run.model.cases}.items():
        model = run.model.still()
        shifted = [scaled(site, factors) for site in sites]
        done = run_fleet(fleet_cases(shifted, model), replace(run, model=model), 1)
        values[case] = float(fleet_metric(done, metric)[0])
    return values


def scaled(site: Site, factors: Mapping[str, float]) -> Site:
    """Return a site whose inputs are multiplied by factors, by INPUT_NAMES, as scenarios do."""
    unknown = set(factors) - set(INPUT_NAMES)
    if unknown:
        raise InputError.at("case", min(unknown), expected=f"one of {', '.join(INPUT_NAMES)}")
    spot = site.spot_usd_per_mwh * factors.get("power", 1.0)
    price, demand = factors.get("inference_price", 1.0), factors.get("demand", 1.0)
    availability = factors.get("availability", 1.0)
    hashes = 1.0 / factors.get("difficulty", 1.0)
    mining = tuple(
        replace(
            block,
            availability_frac=min(block.availability_frac * availability, 1.0),
            margins=tuple(step._replace(rate_per_s=step.rate_per_s * hashes) for step in block.margins),
        )
        for block in site.mining
    )
    inference = tuple(
        replace(
            block,
            availability_frac=min(block.availability_frac * availability, 1.0),
            demand_frac=block.demand_frac * demand,
            price_usd=block.price_usd * (1.0 if block.is_lease else price),  # a contract fixes the rent
        )
        for block in site.inference
    )
    btc = factors.get("btc", 1.0)
    return replace(
        site,
        spot_usd_per_mwh=spot,
        resale_usd_per_mwh=spot + (site.resale_usd_per_mwh - site.spot_usd_per_mwh),
        btc_usd=site.btc_usd * btc,
        btc_path_usd=None if site.btc_path_usd is None else site.btc_path_usd * btc,
        mining=mining,
        inference=inference,
    )
