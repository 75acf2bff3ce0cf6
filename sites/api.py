"""The public functions of sites for notebooks: load, run, run several years, explain, write and plot.

`summary(run(load("georgia-50mw-gpu-modules", resolve_device)[0]))` is a year of the example site.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sites.backtest.backtest import backtest
from sites.backtest.backtest import summarise as summarise_backtest
from sites.backtest.reports import bundled_reports, read_reports
from sites.changes import changes_since
from sites.dispatch.columns import REASONS
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import SiteYear, fleet_year, site_year, summarise
from sites.examples import example_names, site_path
from sites.file.inputs import read_inputs
from sites.horizon.statement import statement as monthly_statement
from sites.horizon.years import run_years as horizon_years
from sites.market.mining import breakeven_usd_per_facility_kwh
from sites.market.published_rates import tokens_per_mwh, usd_per_mtok_sold
from sites.planners.package import write_package
from sites.planners.plan import plan_table
from sites.plots.files import year_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from sites.backtest.backtest import Outcome
    from sites.backtest.backtest import Summary as BacktestSummary
    from sites.changes import Changes
    from sites.dispatch.waterfall import Waterfall
    from sites.dispatch.year import Summary
    from sites.file.build_blocks import Resolve
    from sites.file.inputs import Inputs
    from sites.horizon.statement import Statement
    from sites.horizon.years import Horizon
    from sites.model import Site

__all__ = [
    "breakeven_usd_per_facility_kwh",
    "compare",
    "examples",
    "explain",
    "load",
    "mining_backtest",
    "plan",
    "plot",
    "read",
    "reasons",
    "run",
    "run_fleet",
    "run_years",
    "statement",
    "summary",
    "tokens_per_mwh",
    "usd_per_mtok_sold",
    "write",
]


def examples() -> list[str]:
    """Return the names of the bundled example sites, which `read` and `load` accept in place of paths."""
    return example_names()


def read(path: str | Path, resolve: Resolve, *, native: bool = False) -> list[tuple[Inputs, Site]]:
    """Read the sites of a site or fleet file with their inputs, which `write` and `compare` need.

    Parameters
    ----------
    path
        Path, or name of a bundled example.
    resolve
        Function that returns the rate of a device's name; `bench.device_rates.resolve_device` knows profiles and
        results.
    native
        Build the year in steps as long as the shortest interval of its prices, not in hours.
    """
    return read_inputs(site_path(str(path)), resolve, native=native)


def load(path: str | Path, resolve: Resolve, *, native: bool = False) -> list[Site]:
    """Read the sites of a site or fleet file; `native` as in `read`."""
    return [site for _, site in read(path, resolve, native=native)]


def run(site: Site, *, hourly: bool = True) -> SiteYear:
    """Run a site through its year; `hourly` keeps the dispatch of each step."""
    return site_year(site, hourly=hourly)


def run_fleet(sites: Sequence[Site], *, hourly: bool = False) -> list[SiteYear]:
    """Run every site of a fleet through its year."""
    return fleet_year(sites, hourly=hourly)


def run_years(inputs: Inputs, site: Site, years: int) -> Horizon:
    """Run a site through a number of years, with its phases; `read` returns inputs and site."""
    return horizon_years(inputs, site, years)


def statement(horizon: Horizon) -> Statement:
    """Return energy, output and cash of each month and year, with contracts, investments, debt and tax."""
    return monthly_statement(horizon)


def summary(year: SiteYear) -> Summary:
    """Return BTC and tokens per day, USD per MWh and carbon of a year."""
    return summarise(year)


def explain(year: SiteYear) -> tuple[Waterfall, ...]:
    """Return the losses between nameplate and sold output, for each product."""
    return waterfalls(year)


def plan(year: SiteYear) -> pa.Table:
    """Return the dispatch of each part in each hour with its reason (table yield_hourly of the planner tables)."""
    return plan_table(year)


def write(
    target: str | Path, years: Sequence[SiteYear], inputs: Sequence[Inputs], *, version: str = "unknown"
) -> list[str]:
    """Write the planner folder of a run, completely or not at all; return notes about omitted data."""
    return write_package(Path(target), years, inputs, version=version)


def compare(run_folder: str | Path, now: Sequence[Inputs]) -> Changes:
    """Return the inputs that changed since a stored run, and the effect of each."""
    return changes_since(Path(run_folder), now)


def plot(years: SiteYear | Sequence[SiteYear], folder: str | Path, ending: str = ".svg") -> list[Path]:
    """Save duration curves, dispatch week and waterfall of one or more years into a folder; return the paths."""
    return year_files([years] if isinstance(years, SiteYear) else years, Path(folder), ending)


def mining_backtest(path: str | Path | None = None) -> tuple[list[Outcome], BacktestSummary]:
    """Return the backtest of the mining model against monthly reports: all rows, and the errors of 2025 and 2026."""
    outcomes = backtest(bundled_reports() if path is None else read_reports(Path(path)))
    return outcomes, summarise_backtest(outcomes, recent_only=True)


def reasons() -> tuple[str, ...]:
    """Return the reasons that a plan can name."""
    return REASONS
