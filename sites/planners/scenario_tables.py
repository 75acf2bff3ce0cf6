"""Tables and plots of a scenario run, written as one new folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.engine import Executor, FleetRun
    from sites.scenarios.outlook import Outlook
    from sites.scenarios.uncertainty import Distribution

    Row = dict[str, Any]
    SwitchMap = tuple[Any, list[float], list[float], str]

FLEET = "all sites"
STATISTICS = ("mean", "p99", "p90", "p50", "p10", "p01", "cvar", "sd")
CURVE_STATISTICS = ("mean", "p50", "p90", "p99", "cvar")
METER, REVENUE = 0, 1
FAN_YEARS, FAN_SCENARIOS = 5, 1000


def write_tables(
    target: Path, outlook: Outlook, sites: Sequence[Site], maps: Mapping[str, SwitchMap], execute: Executor
) -> list[str]:
    """Write yield_annual, value_curve and assumption, and the plots, whole or not at all; return the paths as lines.

    maps: of each plan, what `switch_map_of` returns: best shares of conversion, both price axes, the price's unit.

    Raises InputError when the target exists or cannot be made.
    """
    from sites.dispatch.year import site_year
    from sites.files import new_folder
    from sites.planners import tables
    from sites.planners.package import write_table
    from sites.plots.scenarios import save, scenario_files, switch_map

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
    """Levels of the fleet's net in each of the next years, on the same scenarios, [FAN_YEARS, 5]."""
    from sites.plots.scenarios import fan_levels
    from sites.scenarios.engine import fleet_cases, run_fleet
    from sites.scenarios.metrics import site_metric

    run, count = outlook.run.run, min(outlook.run.scenarios, FAN_SCENARIOS)
    net = np.zeros((FAN_YEARS, count))
    for year in range(FAN_YEARS):  # one by one: the hours of a fleet's five years are a fifth of a gigabyte
        done = run_fleet(fleet_cases(sites, run.model, years=(year,)), run, count, execute=execute)
        for i in range(len(sites)):
            net[year] += site_metric(done, i, "net_usd")
    return fan_levels(net)


def annual_rows(outlook: Outlook) -> list[Row]:
    """Rows of `yield_annual`: a statistic of a metric over the scenarios, for the fleet, its sites and their blocks."""
    from sites.scenarios.metrics import unit_of

    run, rows = outlook.run, []
    for site, found in {FLEET: outlook.fleet, **outlook.sites}.items():
        for metric, one in found.items():
            rows += _rows(run, one, {"site": site, "block": None, "product": None, "metric": metric}, unit_of(metric))
    for index, case in enumerate(run.cases):
        for name in dict.fromkeys(label.name for label in case.labels):
            mine = [k for k, label in enumerate(case.labels) if label.name == name]
            owner = {"site": case.name, "block": name, "product": case.labels[mine[0]].product}
            for metric, column, unit in (("revenue_usd", REVENUE, "USD"), ("metered_mwh", METER, "MWh")):
                one = _described(run.rows[index][mine, column].sum(axis=0))
                rows += _rows(run, one, {**owner, "metric": metric}, unit)
    return rows


def _described(values: Floats) -> Distribution | None:
    from sites.scenarios.uncertainty import distribution

    return distribution(values)


def _rows(run: FleetRun, one: Distribution | None, owner: Row, unit: str) -> list[Row]:
    return [
        {
            **owner,
            "unit": unit,
            "statistic": statistic,
            "value": getattr(one, statistic) if one is not None else None,
            "scenarios": run.scenarios,
        }
        for statistic in STATISTICS
    ]


def curve_rows(run: FleetRun, base: list[Row]) -> list[Row]:
    """Rows of `value_curve`: the base ones, and what each block's metered MWh earned over the scenarios."""
    from sites.scenarios.metrics import ratio

    places = {
        (case.name, label.text): (index, k)
        for index, case in enumerate(run.cases)
        for k, label in enumerate(case.labels)
    }
    rows = list(base)
    for row in base:
        index, k = places[row["site"], row["block"]]
        sums = run.rows[index][k]
        one = _described(ratio(sums[REVENUE], sums[METER]))
        if one is not None:
            rows += [
                {**row, "statistic": statistic, "usd_per_mwh": getattr(one, statistic)}
                for statistic in CURVE_STATISTICS
            ]
    return rows


def assumption_rows(outlook: Outlook) -> list[Row]:
    """Rows of `assumption`: how each input varies, with its source."""
    rows: list[Row] = []
    for name, given in outlook.run.run.model.inputs.items():
        for key in ("volatility_frac", "drift_frac_per_year", "reversion_per_year", "common_frac"):
            value = f"{getattr(given, key):g}"
            row = {"site": FLEET, "key": f"scenarios.{name}.{key}", "value": value}
            rows.append({**row, "source": given.source, "date": given.date})
    seed = str(outlook.run.run.seed)
    rows.append({"site": FLEET, "key": "scenarios.seed", "value": seed, "source": "given", "date": "unknown"})
    return rows
