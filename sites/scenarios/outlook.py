"""The outlook of sites over scenarios: a run, its distributions, deterministic cases and the causes of the spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.scenarios.causes import deterministic_cases, tornado
from sites.scenarios.defaults import default_model
from sites.scenarios.distributions import distribution, of_sites
from sites.scenarios.engine import Run, check_scenarios, fleet_cases, run_fleet
from sites.scenarios.metrics import METRICS, RATIOS, fleet_metric, more_is_better

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.model import Site
    from sites.scenarios.causes import Tornado
    from sites.scenarios.distributions import Distribution
    from sites.scenarios.engine import Executor, FleetRun

CAUSE_SCENARIOS = 2000
"""Maximum number of scenarios in the run of a single input."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The results of a scenario run; a distribution is None if no scenario has a value."""

    run: FleetRun
    fleet: dict[str, Distribution | None]  # of all sites together, by metric
    sites: dict[str, dict[str, Distribution | None]]  # by site and metric
    cases: dict[str, float]  # net [USD] of the deterministic cases
    tornado: Tornado  # causes of the spread of the net


def outlook(
    sites: Sequence[Site],
    run: Run,
    scenarios: int,
    *,
    execute: Executor | None = None,
    on_progress: Callable[[str, float], None] = lambda _stage, _share: None,
) -> Outlook:
    """Run sites through scenarios and return distributions, cases and causes of the spread.

    Parameters
    ----------
    sites
        The sites.
    run
        Model and seed of the scenarios.
    scenarios
        Number of scenarios.
    execute
        Executor of the shards; by default the cores of this machine.
    on_progress
        Function that receives the stage (`scenarios` or `causes`) and its completed share.

    Raises
    ------
    InputError
        The number of scenarios is invalid, or two sites have the same name.
    """
    check_scenarios(scenarios)
    cases = fleet_cases(sites, run.model)
    done = run_fleet(cases, run, scenarios, execute=execute, on_progress=lambda share: on_progress("scenarios", share))
    causes = tornado(
        sites, run, min(scenarios, CAUSE_SCENARIOS), execute=execute,
        on_progress=lambda share: on_progress("causes", share),
    )  # fmt: skip
    metrics = (*METRICS, *RATIOS)
    each = {name: of_sites(done, name) for name in metrics}
    return Outlook(
        run=done,
        fleet={name: distribution(fleet_metric(done, name), more_is_better=more_is_better(name)) for name in metrics},
        sites={case.name: {name: each[name][case.name] for name in metrics} for case in done.cases},
        cases=deterministic_cases(sites, run),
        tornado=causes,
    )


def default_outlook(sites: Sequence[Site], scenarios: int) -> Outlook:
    """Run sites through scenarios of the default model with seed 1; raise as `outlook` does."""
    return outlook(sites, Run(1, default_model()), scenarios)
