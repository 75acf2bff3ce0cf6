"""From scenarios to statements: exceedance levels, tail means, the share of the spread that each input causes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import fleet_metric, more_is_better, site_metric
from sites.scenarios.model import BASE_CASE, INPUT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.engine import Executor, FleetRun, Run

LEVELS = (0.50, 0.90, 0.99)
TAIL = 0.05
MEASUREMENT = "measurement"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a quantity comes to over scenarios.

    p50, p90, p99: exceeded with 50, 90, 99 % probability, so P90 < P50, for a cost too: its P90 is a low cost, and what
    it exceeds with only 10 % is p10. p10, p01: exceeded with 10 and 1 %. cvar: mean of the worst 5 % of scenarios, the
    lowest of a yield and the highest of a cost. n: scenarios with a value. sd: standard deviation.
    """

    n: int
    mean: float
    sd: float
    p01: float
    p10: float
    p50: float
    p90: float
    p99: float
    cvar: float


def exceeded(values: Floats, probability: float) -> float:
    """Value that scenarios exceed with a probability; between order statistics in a straight line (Hyndman and Fan, 7).

    Raises InputError for a probability outside 0 to 1, or no values.
    """
    if not 0.0 <= probability <= 1.0:
        raise InputError.at("exceedance", expected="a probability of 0 to 1", got=probability)
    if values.size == 0:
        raise InputError("exceedance: expected at least one scenario, got none")
    return float(np.quantile(values, 1.0 - probability))


def tail_mean(values: Floats, share: float = TAIL, *, more_is_better: bool = True) -> float:
    """Mean of the worst share of scenarios (conditional value at risk), at least one of them.

    more_is_better: False for a cost, whose worst are its highest.
    """
    count = max(1, math.ceil(share * values.size))
    ranked = np.sort(values)
    return float((ranked[:count] if more_is_better else ranked[-count:]).mean())


def distribution(values: Floats, *, more_is_better: bool = True) -> Distribution | None:
    """Describe a quantity over scenarios; scenarios without a value are left out, None where none has one."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return None
    mean = math.fsum(finite) / finite.size
    return Distribution(
        n=int(finite.size),
        mean=mean,
        sd=float(finite.std(ddof=1)) if finite.size > 1 else 0.0,
        p01=exceeded(finite, 0.01),
        p10=exceeded(finite, 0.10),
        p50=exceeded(finite, 0.50),
        p90=exceeded(finite, 0.90),
        p99=exceeded(finite, 0.99),
        cvar=tail_mean(finite, more_is_better=more_is_better),
    )


def quantile_error(values: Floats, probability: float) -> float:
    """Estimate the standard error of an exceedance level from the order statistics about it (distribution-free).

    References: H. A. David and H. N. Nagaraja, Order Statistics (2003), section 7.1: ranks are binomial.
    """
    size = values.size
    ranked = np.sort(values)
    middle, width = (1.0 - probability) * size, math.sqrt(size * probability * (1.0 - probability))
    low, high = max(0, math.floor(middle - width)), min(size - 1, math.ceil(middle + width))
    return float((ranked[high] - ranked[low]) / 2.0)


@dataclass(frozen=True, slots=True)
class Cause:
    """What one input does alone, the others on their mean path: its P90 and P10, and its share of the variances."""

    name: str
    p90: float
    p10: float
    sd: float
    share_frac: float


@dataclass(frozen=True, slots=True)
class Tornado:
    """Causes of a metric's spread, the largest first.

    interaction_frac: variance of all inputs together over the sum of the causes' variances, less one: what they do only
    together (correlation included).
    """

    metric: str
    base: float
    sd: float
    causes: tuple[Cause, ...]
    interaction_frac: float


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
    """Run a fleet again with one input at a time, on the same random numbers, and set the spreads side by side.

    whole: the run with all of them, where it is at hand. The measured intervals of devices are an input too.
    """
    from dataclasses import replace

    names = list(run.model.varying())
    if run.model.measurement and _measured(sites):
        names.append(MEASUREMENT)
    parts = {}
    for index, name in enumerate(names):
        alone = name == MEASUREMENT
        model = run.model.only(measurement=True) if alone else run.model.only(name)
        one = replace(run, model=model)
        done = run_fleet(fleet_cases(sites, model), one, scenarios, execute=execute)
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
    """Return a metric of the fleet in the cases `base` and those of the model (low, high): each input at its factor."""
    from dataclasses import replace

    found = {}
    for case, factors in {BASE_CASE: {}, **run.model.cases}.items():
        model = run.model.still()
        shifted = [scaled(site, factors) for site in sites]
        one = replace(run, model=model)
        found[case] = float(fleet_metric(run_fleet(fleet_cases(shifted, model), one, 1), metric)[0])
    return found


def scaled(site: Site, factors: dict[str, float] | object) -> Site:
    """Return a site whose inputs are multiplied by factors of INPUT_NAMES: the same levers that scenarios move."""
    from dataclasses import replace

    given = dict(factors) if isinstance(factors, dict) else {}
    unknown = set(given) - set(INPUT_NAMES)
    if unknown:
        raise InputError.at("case", min(unknown), expected=f"one of {', '.join(INPUT_NAMES)}")
    spot = site.spot_usd_per_mwh * given.get("power", 1.0)
    price, demand = given.get("inference_price", 1.0), given.get("demand", 1.0)
    able = given.get("availability", 1.0)
    hashes = 1.0 / given.get("difficulty", 1.0)
    mining = tuple(
        replace(
            block,
            availability_frac=min(block.availability_frac * able, 1.0),
            margins=tuple(step._replace(rate_per_s=step.rate_per_s * hashes) for step in block.margins),
        )
        for block in site.mining
    )
    inference = tuple(
        replace(
            block,
            availability_frac=min(block.availability_frac * able, 1.0),
            demand_frac=block.demand_frac * demand,
            price_usd=block.price_usd * price,
        )
        for block in site.inference
    )
    return replace(
        site,
        spot_usd_per_mwh=spot,
        resale_usd_per_mwh=spot + (site.resale_usd_per_mwh - site.spot_usd_per_mwh),
        btc_usd=site.btc_usd * given.get("btc", 1.0),
        mining=mining,
        inference=inference,
    )


def of_sites(run: FleetRun, metric: str) -> dict[str, Distribution | None]:
    """Describe a metric for every site of a run, by name."""
    better = more_is_better(metric)
    return {
        case.name: distribution(site_metric(run, index, metric), more_is_better=better)
        for index, case in enumerate(run.cases)
    }
