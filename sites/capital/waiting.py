"""The worth of waiting: converting now, at the start of a later year, or never, by regression on random paths.

Method: least-squares Monte Carlo. A polynomial of what is known at each date estimates what converting and what waiting
are worth; the policy that follows is fitted on one set of paths and valued on another, so its value is a lower bound.

References: F. A. Longstaff and E. S. Schwartz, "Valuing American options by simulation: a simple least-squares
approach", Review of Financial Studies 14 (2001), 113; A. K. Dixit and R. S. Pindyck, "Investment under Uncertainty"
(1994).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.capital.finance import in_service
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric
from sites.scenarios.model import INPUT_NAMES, STEPS_PER_YEAR, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats
    from sites.capital.purchase import Bought
    from sites.scenarios.engine import Executor, Run, SiteCase

MOST_PATHS = 4096  # of each of the two sets
LEAST_PATHS = 200  # below which a regression says nothing
DATES = 5  # now, and the start of each of the next years
OTHER_SEED = 0x9E3779B97F4A7C15  # by which the seed of the paths that the policy is fitted on differs


@dataclass(frozen=True, slots=True)
class Waiting:
    """The worth of being free to convert later."""

    value_usd: float  # present value of converting at the best of the dates, or never; a lower bound
    value_se_usd: float  # standard error
    in_sample_usd: float  # the same value on the paths that the policy was fitted on
    now_usd: float  # net present value of converting now, on the same paths
    worth_usd: float  # value_usd less that of converting now, or of 0 where converting now loses
    worth_se_usd: float  # standard error
    shares: tuple[float, ...]  # of the paths that convert at each date; the rest never does
    paths: int  # that the policy was valued on


class Paths(NamedTuple):
    """What is known and what is earned on one set of paths."""

    known: Floats  # at each date, shape [K, F, S]
    payoff_usd: Floats  # present value of converting at each date, shape [K, S]


def worth_of_waiting(fitted: Paths, valued: Paths, *, is_known: bool = False) -> Waiting:
    """Return the worth of being free to convert at the best of K dates, or never.

    Parameters
    ----------
    fitted
        Paths that the policy is fitted on.
    valued
        Other paths, that it is valued on.
    is_known
        Whether the payoff of a date is known at the date, as that of a traded option is; otherwise it is estimated.
    """
    dates = fitted.payoff_usd.shape[0]
    rules = [_Rule.empty()] * dates
    later = np.zeros(fitted.payoff_usd.shape[1])
    for k in range(dates - 1, -1, -1):
        rules[k] = _Rule.fit(fitted.known[k], fitted.payoff_usd[k], later, is_known=is_known)
        later = np.where(rules[k].converts(fitted.known[k], fitted.payoff_usd[k]), fitted.payoff_usd[k], later)
    count = valued.payoff_usd.shape[1]
    got, waits, shares = np.zeros(count), np.ones(count, bool), []
    for k in range(dates):
        now = waits & rules[k].converts(valued.known[k], valued.payoff_usd[k])
        got[now] = valued.payoff_usd[k][now]
        waits &= ~now
        shares.append(float(now.mean()))
    now_usd = float(valued.payoff_usd[0].mean())
    gain = got - (valued.payoff_usd[0] if now_usd > 0.0 else 0.0)
    return Waiting(
        value_usd=float(got.mean()),
        value_se_usd=float(got.std(ddof=1)) / math.sqrt(count),
        in_sample_usd=float(later.mean()),
        now_usd=now_usd,
        worth_usd=float(gain.mean()),
        worth_se_usd=float(gain.std(ddof=1)) / math.sqrt(count),
        shares=tuple(shares),
        paths=count,
    )


class _Rule(NamedTuple):
    """The estimates of one date, by which a path converts or waits."""

    centre: Floats  # of what is known, shape [F]
    scale: Floats  # 0 for what is the same on all paths, shape [F]
    payoff: Floats | None  # coefficients; None where the payoff is known
    waiting: Floats  # coefficients

    @classmethod
    def empty(cls) -> _Rule:
        return cls(np.zeros(0), np.zeros(0), None, np.zeros(1))

    @classmethod
    def fit(cls, known: Floats, payoff_usd: Floats, later_usd: Floats, *, is_known: bool) -> _Rule:
        centre, spread = known.mean(axis=1), known.std(axis=1)
        scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-12)
        basis = _basis((known - centre[:, None]) * scale[:, None], scale > 0.0)
        # A traded option is never exercised at a loss, so only paths with a gain matter to the fit.
        chosen = payoff_usd > 0.0 if is_known and (payoff_usd > 0.0).sum() > 4 * basis.shape[1] else slice(None)
        waiting: Floats = np.linalg.lstsq(basis[chosen], later_usd[chosen], rcond=None)[0].astype(np.float64)
        payoff: Floats | None = None
        if not is_known:
            payoff = np.linalg.lstsq(basis, payoff_usd, rcond=None)[0].astype(np.float64)
        return cls(centre, scale, payoff, waiting)

    def converts(self, known: Floats, payoff_usd: Floats) -> NDArray[np.bool_]:
        basis = _basis((known - self.centre[:, None]) * self.scale[:, None], self.scale > 0.0)
        now = payoff_usd if self.payoff is None else basis @ self.payoff
        decided: NDArray[np.bool_] = (now > 0.0) & (now >= basis @ self.waiting)
        return decided


def _basis(known: Floats, varies: NDArray[np.bool_]) -> Floats:
    """Return 1, each factor to the power of one to three, and the products of two, shape [S, terms]."""
    own = known[varies]
    terms = [np.ones(known.shape[1])]
    for i, one in enumerate(own):
        terms += [one, one**2, one**3]
        terms += [one * other for other in own[:i]]
    return np.stack(terms, axis=1)


class Terms(NamedTuple):
    """When a conversion is in service, and what it costs, whenever it is ordered."""

    lead_years: float
    years: float  # in service
    discount_frac: float
    residual_usd: float


def waiting_of(
    bought: Bought, terms: Terms, run: Run, scenarios: int, *, execute: Executor | None = None
) -> Waiting | None:
    """Return the worth of being free to order a conversion at the start of a later year instead of now.

    The price of the purchase stays the same, its years in service move. None without a site to convert, or for fewer
    than 200 scenarios.

    Parameters
    ----------
    bought, terms
        The conversion.
    run, scenarios
        Model, seed and number of the paths; at most 4,096 paths are used.
    execute
        Executor of the shards, as for run_fleet.
    """
    if bought.before is None or scenarios < LEAST_PATHS:
        return None
    count = min(scenarios, MOST_PATHS)
    fitting = replace(run, seed=run.seed ^ OTHER_SEED)
    fitted, valued = (_paths(bought, terms, each, count, execute) for each in (fitting, run))
    return worth_of_waiting(fitted, valued)


def _paths(bought: Bought, terms: Terms, run: Run, count: int, execute: Executor | None) -> Paths:
    service = in_service(terms.lead_years, terms.years)
    first, last = service[0].year, DATES - 1 + service[-1].year
    sites = [replace(bought.after, name="with"), *([replace(bought.before, name="without")] if bought.before else [])]
    cases = fleet_cases(sites, run.model, years=range(first, last + 1))
    same = [replace(case, place=cases[0].place) for case in cases]
    done = run_fleet(same, run, count, execute=execute)
    gained = [
        site_metric(done, 2 * row, "net_usd") - site_metric(done, 2 * row + 1, "net_usd")
        for row in range(last + 1 - first)
    ]
    payoff = np.zeros((DATES, count))
    for k in range(DATES):
        payoff[k] = -bought.upfront_usd * (1.0 + terms.discount_frac) ** -k
        for part in service:
            worth = part.share * gained[k + part.year - first]
            payoff[k] += worth * (1.0 + terms.discount_frac) ** -(k + part.end)
        payoff[k] += terms.residual_usd * (1.0 + terms.discount_frac) ** -(k + service[-1].end)
    return Paths(_known(same[0], run, count), payoff)


def _known(case: SiteCase, run: Run, count: int) -> Floats:
    """Return the logarithm of each input's factor in the month before each date, 0 now, shape [K, 6, count]."""
    from sites.scenarios.draws import common_shocks
    from sites.scenarios.kernels import paths as drawn

    months = STEPS_PER_YEAR * (DATES - 1)
    factors = np.empty((len(INPUT_NAMES), months, count))
    shocks = common_shocks(run, 0, count, months)
    path = steps(run.model, months)
    seed = np.uint64(run.seed)
    drawn.input_factors(seed, 0, case.place, shocks, path, case.outage_frac, case.most_available, factors)
    known = np.zeros((DATES, len(INPUT_NAMES), count))
    known[1:] = np.log(np.maximum(factors[:, STEPS_PER_YEAR - 1 :: STEPS_PER_YEAR], 1e-12)).transpose(1, 0, 2)
    return known
