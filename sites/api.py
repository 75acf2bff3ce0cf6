"""The library in a dozen functions, for notebooks: load, run, explain, write, plot.

`summary(run(load("georgia-50mw-half-gpu", resolve_device)[0]))` is a year of the example site.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sites.backtest.backtest import backtest
from sites.backtest.backtest import summarise as summarise_backtest
from sites.backtest.reports import bundled_reports, read_reports
from sites.changes import since
from sites.dispatch.merit_order import REASONS
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import SiteYear, fleet_year, site_year, summarise
from sites.examples import example_names, site_path
from sites.planners.inputs import read_inputs
from sites.planners.package import write_package
from sites.planners.plan import plan_table
from sites.plots.files import year_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from sites.backtest.backtest import Outcome
    from sites.backtest.backtest import Summary as BacktestSummary
    from sites.changes import Since
    from sites.dispatch.waterfall import Waterfall
    from sites.dispatch.year import Summary
    from sites.market.device_rate import DeviceRate
    from sites.model import Site
    from sites.planners.inputs import Inputs

__all__ = [
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
    "summary",
    "write",
]


def examples() -> list[str]:
    """Names of the bundled example sites, which `read` and `load` take like paths."""
    return example_names()


def read(path: str | Path, resolve: Callable[[str], DeviceRate]) -> list[tuple[Inputs, Site]]:
    """Read a site or fleet file with its inputs, which `write` and `compare` need.

    resolve: turns a device's name into its rate; `bench.device_rates.resolve_device` knows profiles and results.
    """
    return read_inputs(site_path(str(path)), resolve)


def load(path: str | Path, resolve: Callable[[str], DeviceRate]) -> list[Site]:
    """Read the sites of a site or fleet file."""
    return [site for _, site in read(path, resolve)]


def run(site: Site, *, hourly: bool = True) -> SiteYear:
    """Run a site through its year; hourly keeps what each block does in each hour."""
    return site_year(site, hourly=hourly)


def run_fleet(sites: Sequence[Site], *, hourly: bool = False) -> list[SiteYear]:
    """Run every site of a fleet through its year."""
    return fleet_year(sites, hourly=hourly)


def summary(year: SiteYear) -> Summary:
    """Reduce a year to BTC and tokens a day, USD per MWh and carbon."""
    return summarise(year)


def explain(year: SiteYear) -> tuple[Waterfall, ...]:
    """Say what each loss takes between nameplate and sold, for each product."""
    return waterfalls(year)


def plan(year: SiteYear) -> pa.Table:
    """List which megawatt does what, when, and why (table yield_hourly of the output contract)."""
    return plan_table(year)


def write(
    target: str | Path, years: Sequence[SiteYear], inputs: Sequence[Inputs], *, version: str = "unknown"
) -> list[str]:
    """Write a run's folder for planners, whole or not at all; return what was left out and why."""
    return write_package(Path(target), years, inputs, version=version)


def compare(run_folder: str | Path, now: Sequence[Inputs]) -> Since:
    """Say what changed since a stored run, and which input did it."""
    return since(Path(run_folder), now)


def plot(years: SiteYear | Sequence[SiteYear], folder: str | Path, ending: str = ".svg") -> list[Path]:
    """Save duration curves, dispatch week and waterfall of one year or several into a folder."""
    return year_files([years] if isinstance(years, SiteYear) else years, Path(folder), ending)


def mining_backtest(path: str | Path | None = None) -> tuple[list[Outcome], BacktestSummary]:
    """Hold the mining model against monthly reports: every row, and the errors of 2025 and 2026."""
    outcomes = backtest(bundled_reports() if path is None else read_reports(Path(path)))
    return outcomes, summarise_backtest(outcomes, recent_only=True)


def reasons() -> tuple[str, ...]:
    """Reasons that a plan can name."""
    return REASONS
