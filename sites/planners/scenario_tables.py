"""The writer of a scenario run's tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sites.dispatch.year import site_year
from sites.files import new_folder
from sites.planners import tables
from sites.planners.package import write_table
from sites.planners.schema import CURVE_LEVELS
from sites.plots.scenarios import fan_levels, save, scenario_files, switch_map
from sites.scenarios.distributions import LEVELS, distribution
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import ratio, site_metric, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.distributions import Distribution
    from sites.scenarios.engine import Executor, FleetRun
    from sites.scenarios.outlook import Outlook

    Row = dict[str, Any]
    SwitchMap = tuple[Any, list[float], list[float], str]

FLEET = "all sites"
STATISTICS = ("mean", *LEVELS, "cvar", "sd")
CURVE_STATISTICS = ("mean", *CURVE_LEVELS, "cvar")
METER, REVENUE = 0, 1
FAN_YEARS, FAN_SCENARIOS = 5, 1000


def write_tables(
    target: Path, outlook: Outlook, sites: Sequence[Site], maps: Mapping[str, SwitchMap], execute: Executor
) -> list[str]:
    """Write the tables yield_annual, value_curve and assumption and the plots, completely or not at all.

    Parameters
    ----------
    target
        The new folder.
    outlook
        The scenario run.
    sites
        Its sites.
    maps
        Switch map of each plan, as `switch_map_of` returns it.
    execute
        Executor of the shards.

    Returns
    -------
    list of str
        Lines that report the written paths.

    Raises
    ------
    InputError
        The target exists or cannot be created.
    """
    years = [site_year(site) for site in sites]
    with new_folder(target) as work:
        write_table(work, "yield_annual", [*tables.annual_rows(years), *annual_rows(outlook)])
        write_table(work, "value_curve", curve_rows(outlook.run, tables.curve_rows(years)))
        write_table(work, "assumption", [*assumption_rows(outlook), *tables.assumption_rows(years)])
        scenario_files(outlook.run, outlook.tornado, _fan_levels(outlook, sites, execute), work)
        for name, (shares, btc, prices, unit) in maps.items():
            save(work, f"switch-{name}", lambda axes: switch_map(axes, shares, btc, prices, unit=unit))  # noqa: B023
    return [f"written: {target}"]


def _fan_levels(outlook: Outlook, sites: Sequence[Site], execute: Executor) -> Floats:
    """Return the levels of the fleet's net in each of the next years, on the same scenarios, [FAN_YEARS, 5]."""
    run, count = outlook.run.run, min(outlook.run.scenarios, FAN_SCENARIOS)
    net = np.zeros((FAN_YEARS, count))
    for year in range(FAN_YEARS):  # year by year: five years of a fleet take a fifth of a gigabyte
        done = run_fleet(fleet_cases(sites, run.model, years=(year,)), run, count, execute=execute)
        for i in range(len(sites)):
            net[year] += site_metric(done, i, "net_usd")
    return fan_levels(net)


def annual_rows(outlook: Outlook) -> list[Row]:
    """Return the rows of `yield_annual`: statistics over scenarios for the fleet, its sites and their blocks."""
    run, rows = outlook.run, []
    for site, distributions in {FLEET: outlook.fleet, **outlook.sites}.items():
        for metric, described in distributions.items():
            key = {"site": site, "block": None, "product": None, "metric": metric}
            rows += _rows(run, described, key, unit_of(metric))
    for index, case in enumerate(run.cases):
        for name in dict.fromkeys(label.name for label in case.labels):
            parts = [k for k, label in enumerate(case.labels) if label.name == name]
            block = {"site": case.name, "block": name, "product": case.labels[parts[0]].product}
            for metric, column, unit in (("revenue_usd", REVENUE, "USD"), ("metered_mwh", METER, "MWh")):
                described = distribution(run.rows[index][parts, column].sum(axis=0))
                rows += _rows(run, described, {**block, "metric": metric}, unit)
    return rows


def _rows(run: FleetRun, described: Distribution | None, owner: Row, unit: str) -> list[Row]:
    return [
        {
            **owner,
            "unit": unit,
            "statistic": statistic,
            "value": getattr(described, statistic) if described is not None else None,
            "scenarios": run.scenarios,
        }
        for statistic in STATISTICS
    ]


def curve_rows(run: FleetRun, base: list[Row]) -> list[Row]:
    """Return the rows of `value_curve`: the base rows, and the revenue per metered MWh of each part over scenarios."""
    positions = {
        (case.name, label.text): (index, k)
        for index, case in enumerate(run.cases)
        for k, label in enumerate(case.labels)
    }
    rows = list(base)
    for row in base:
        index, k = positions[row["site"], row["block"]]
        sums = run.rows[index][k]
        described = distribution(ratio(sums[REVENUE], sums[METER]))
        if described is not None:
            rows += [
                {**row, "statistic": statistic, "usd_per_mwh": getattr(described, statistic)}
                for statistic in CURVE_STATISTICS
            ]
    return rows


def assumption_rows(outlook: Outlook) -> list[Row]:
    """Return the rows of `assumption`: the model of each input with its source."""
    rows: list[Row] = []
    for name, uncertain in outlook.run.run.model.inputs.items():
        for key in ("volatility_frac", "drift_frac_per_year", "reversion_per_year", "common_frac"):
            value = f"{getattr(uncertain, key):g}"
            row = {"site": FLEET, "key": f"scenarios.{name}.{key}", "value": value}
            rows.append({**row, "source": uncertain.source, "date": uncertain.date})
    seed = str(outlook.run.run.seed)
    rows.append({"site": FLEET, "key": "scenarios.seed", "value": seed, "source": "command line", "date": "unknown"})
    return rows
