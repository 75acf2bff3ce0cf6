"""What sites come to over scenarios: a run, its distributions, the deterministic cases, and what causes the spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.scenarios.engine import Run, check_scenarios, fleet_cases, run_fleet
from sites.scenarios.file import default_model
from sites.scenarios.metrics import METRICS, RATIOS, fleet_metric, more_is_better
from sites.scenarios.uncertainty import deterministic_cases, distribution, of_sites, tornado

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.model import Site
    from sites.scenarios.engine import Executor, FleetRun
    from sites.scenarios.uncertainty import Distribution, Tornado

CAUSE_SCENARIOS = 2000
"""Most scenarios of each input's own run."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A scenario run of sites together.

    fleet, sites: distribution of each metric, of all sites and by site; None where no scenario has a value. cases: net
    USD of the deterministic cases. tornado: what spreads the net.
    """

    run: FleetRun
    fleet: dict[str, Distribution | None]
    sites: dict[str, dict[str, Distribution | None]]
    cases: dict[str, float]
    tornado: Tornado


def outlook(
    sites: Sequence[Site],
    run: Run,
    scenarios: int,
    *,
    execute: Executor | None = None,
    on_progress: Callable[[str, float], None] = lambda _stage, _share: None,
) -> Outlook:
    """Run sites through scenarios and describe what comes of it.

    execute: how shards are run; on this machine's cores where none is given. on_progress: told the stage (`scenarios`,
    `causes`) and the share of it that is done.

    Raises
    ------
    InputError
        `scenarios` is no number that the engine takes, or two sites have one name.
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
    """Run sites through scenarios of the default model, seed 1. Raises as `outlook` does."""
    return outlook(sites, Run(1, default_model()), scenarios)
