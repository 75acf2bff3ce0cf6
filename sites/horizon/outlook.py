"""Scenarios of a horizon: every year and part of a year of every site through the same random paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.horizon.phases import pieces
from sites.horizon.years import MONTHS, years_of
from sites.hours.calendar import HOUR_S
from sites.scenarios.case import part_case
from sites.scenarios.distributions import distribution
from sites.scenarios.engine import run_fleet
from sites.scenarios.metrics import more_is_better, site_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.arrays import Floats
    from sites.file.inputs import Inputs
    from sites.model import Site
    from sites.scenarios.case import SiteCase
    from sites.scenarios.distributions import Distribution
    from sites.scenarios.engine import Executor, Run

METRICS = ("net_usd", "revenue_usd", "energy_usd", "btc", "tokens", "metered_mwh")


@dataclass(frozen=True, slots=True)
class HorizonOutlook:
    """The distributions of a fleet's years over scenarios, by metric."""

    scenarios: int
    seed: int
    years: int
    yearly: dict[str, tuple[Distribution | None, ...]]  # of each year
    total: dict[str, Distribution | None]  # of all years, scenario by scenario


def cases_of(years: Sequence[Site], run: Run) -> tuple[list[SiteCase], Floats]:
    """Return the cases of a site's years, and the net of what has no blocks in each year [USD], [Y].

    Parameters
    ----------
    years
        The site in each year.
    run
        Model and seed of the scenarios.
    """
    cases: list[SiteCase] = []
    idle_usd = np.zeros(len(years))
    for year, own in enumerate(years):
        for piece in pieces(own):
            month = int(own.calendar.billing[(piece.start_s - own.start_s) // HOUR_S])
            if piece.blocks:
                cases.append(part_case(piece, run.model, year=year, first_month=MONTHS * year + month))
            else:
                idle_usd[year] += site_year(piece).net_usd
    return cases, idle_usd


def horizon_outlook(
    read: Sequence[tuple[Inputs, Site, int]],
    run: Run,
    scenarios: int,
    *,
    execute: Executor | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> HorizonOutlook:
    """Run the years of sites through scenarios.

    Parameters
    ----------
    read
        Inputs, site and number of years of each.
    run, scenarios
        Model and seed, and the number of scenarios.
    execute, on_progress
        As for `run_fleet`; the bits do not depend on the executor.

    Raises
    ------
    InputError
        A site has contracts, which are settled on the base case alone, or a price that is a series.
    """
    cases: list[SiteCase] = []
    most = max(years for _, _, years in read)
    idle_usd = np.zeros(most)
    for inputs, site, years in read:
        if inputs.file.contract:
            raise InputError(
                f"scenarios: expected site {site.name!r} without [[contract]], which is settled on the base case "
                f"alone, got {len(inputs.file.contract)}"
            )
        own, idle = cases_of(years_of(inputs, site, years), run)
        cases += own
        idle_usd[:years] += idle
    done = run_fleet(cases, run, scenarios, execute=execute, on_progress=on_progress)
    yearly: dict[str, tuple[Distribution | None, ...]] = {}
    total: dict[str, Distribution | None] = {}
    for metric in METRICS:
        values = np.zeros((most, scenarios))
        for index, case in enumerate(cases):
            values[case.year] += site_metric(done, index, metric)
        if metric == "net_usd":
            values += idle_usd[:, None]
        better = more_is_better(metric)
        yearly[metric] = tuple(distribution(year, more_is_better=better) for year in values)
        total[metric] = distribution(values.sum(axis=0), more_is_better=better)
    return HorizonOutlook(scenarios, run.seed, most, yearly, total)
