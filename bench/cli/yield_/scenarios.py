"""The scenarios of `perwatt yield`: their options, the run, its table and its JSON document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench import limits
from bench.cli import completion
from bench.cli.options import WHOLE, WholeRange
from bench.cli.output import counted, plain, progress, say, short, warn
from bench.cli.table import print_table
from bench.cli.yield_.capital import print_plan
from bench.cli.yield_.storage import print_quick_errors
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.capital.appraisal import PlanReport
    from sites.capital.file import PlanFile
    from sites.file.build_blocks import Resolve
    from sites.model import Site
    from sites.scenarios.distributions import Distribution
    from sites.scenarios.engine import Executor, Run
    from sites.scenarios.model import ScenarioModel
    from sites.scenarios.outlook import Outlook

PLAN_SCENARIOS = 2000
SEED = 1
Command = TypeVar("Command", bound=Callable[..., Any])
PRINTED = ("net_usd", "mining_revenue_usd", "inference_revenue_usd", "energy_usd", "btc", "tokens", "net_usd_per_mwh")
NOT_PRINTED = ("P1",)  # a terminal has no room for every level


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a scenario run."""

    scenarios: int | None  # number of scenarios; None runs none
    scheduler: str | None
    scenario_file: Path | None
    seed: int | None  # of the random numbers; None for SEED
    scenario_out: Path | None
    capital: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outlook of the sites, the capital plans, and a line for each file that was written."""

    outlook: Outlook
    capital: list[PlanReport]
    written: list[str]


def scenario_options(command: Command) -> Command:
    """Add the options of a scenario run to a command; `taken_from` collects their values."""
    for option in reversed(
        (
            click.option(
                "--scenarios",
                type=WholeRange(max=limits.MOST_SCENARIOS),
                help="Number of scenarios; adds P50, P90, P99, CVaR and the drivers of the spread.",
            ),
            click.option(
                "--scheduler", metavar="ADDRESS", help="Dask scheduler that runs the scenarios (tcp://host:8786)."
            ),
            click.option(
                "--scenario-file", type=click.Path(path_type=Path), help="TOML file with the uncertainty of the inputs."
            ),
            click.option("--seed", type=WHOLE, show_default=f"{SEED}", help="Seed of the random numbers."),
            click.option(
                "--scenario-out",
                type=click.Path(path_type=Path),
                help="New folder to write the tables and plots of the scenarios to.",
            ),
            click.option(
                "--capital",
                multiple=True,
                metavar="PLAN",
                shell_complete=completion.capital_plans,
                help="Capital plan (.toml, or a bundled one); adds payback and loan risk. May be repeated.",
            ),
        )
    ):
        command = option(command)
    return command


def taken_from(options: dict[str, Any]) -> Request:
    """Take the scenario options out of the options of a command.

    Raises
    ------
    InputError
        An option of the scenarios is set without --scenarios.
    """
    request = Request(
        **{
            key: options.pop(key)
            for key in ("scenarios", "scheduler", "scenario_file", "seed", "scenario_out", "capital")
        }
    )
    dependent = {
        "--scheduler": request.scheduler,
        "--scenario-file": request.scenario_file,
        "--seed": request.seed,
        "--scenario-out": request.scenario_out,
        "--capital": request.capital or None,
    }
    used = [option for option, value in dependent.items() if value is not None]
    if request.scenarios is None and used:
        raise InputError.at(", ".join(used), expected=f"--scenarios with {'it' if len(used) == 1 else 'them'}")
    return request


def asked(request: Request) -> tuple[Run, Executor]:
    """Return the model and seed of a run of scenarios, and its executor."""
    from sites.scenarios.defaults import default_model
    from sites.scenarios.engine import Run, check_scenarios, local
    from sites.scenarios.file import read_scenarios

    check_scenarios(request.scenarios)
    seed = SEED if request.seed is None else request.seed
    run = Run(seed, read_scenarios(request.scenario_file) if request.scenario_file else default_model())
    if request.scheduler is None:
        return run, local()
    from sites.scenarios.cluster.shards import dask

    return run, dask(request.scheduler, on_note=warn)


def run_scenarios(sites: Sequence[Site], request: Request, *, quiet: bool) -> Outcome | None:
    """Run the scenarios, or return None without --scenarios; nothing is written before every input is checked."""
    if request.scenarios is None:
        return None
    from bench.errors import RunFailedError
    from sites.files import check_new
    from sites.scenarios.outlook import outlook

    if request.scenario_out is not None:
        check_new(request.scenario_out)
    run, execute = asked(request)
    plans, maps = _plans(request, run, execute)
    with progress(quiet=quiet) as bars:
        tasks = {stage: bars.add_task(stage, total=1.0) for stage in ("scenarios", "causes")}
        try:
            site_outlook = outlook(
                sites, run, request.scenarios, execute=execute,
                on_progress=lambda stage, share: bars.update(tasks[stage], completed=share),
            )  # fmt: skip
        except RuntimeError as error:
            raise RunFailedError(str(error)) from error
    written = []
    if request.scenario_out is not None:
        from sites.planners.scenario_tables import write_tables

        try:
            written = write_tables(request.scenario_out, site_outlook, sites, maps, execute)
        except OSError as error:
            from bench.errors import not_written

            raise not_written(request.scenario_out, error) from error
    return Outcome(site_outlook, plans, written)


def _plans(request: Request, run: Run, execute: Executor) -> tuple[list[PlanReport], dict[str, Any]]:
    from bench.device_rates import resolve_device
    from sites.capital.appraisal import report
    from sites.capital.file import read_plan
    from sites.capital.purchase import switch_map_of
    from sites.examples import capital_path

    count = min(request.scenarios or 1, PLAN_SCENARIOS)
    reports, maps = [], {}
    for path in map(capital_path, request.capital):
        plan = read_plan(path)
        load = partial(_site_of, path, plan, resolve_device)
        try:
            reports.append(report(plan, load, run, count, execute=execute))
            if plan.purchase.kind == "gpu_modules" and request.scenario_out:
                maps[path.stem] = switch_map_of(plan, load)
        except InputError as error:
            of_plan = ("key ", "expected ")  # the beginnings of faults that name no file
            faults = (f"{path}: {fault}" if fault.startswith(of_plan) else fault for fault in error.faults)
            raise InputError(*faults) from None
    return reports, maps


def _site_of(path: Path, plan: PlanFile, resolve: Resolve, name: str) -> Site:
    """Return the site that a capital plan names."""
    from sites.examples import site_of_plan
    from sites.file.build import load_site

    return load_site(site_of_plan(name, path, "site" if name == plan.site else "module_from"), resolve)


def document(outcome: Outcome) -> dict[str, object]:
    """Return the document of a scenario run, as in `perwatt yield --json`."""
    from sites.scenarios.causes import TORNADO_METHOD
    from sites.scenarios.metrics import unit_of

    def described(by_metric: dict[str, Distribution | None]) -> dict[str, object]:
        return {
            name: {"unit": unit_of(name), **asdict(spread)} if spread else None for name, spread in by_metric.items()
        }

    result, model = outcome.outlook, outcome.outlook.run.run.model
    return {
        "scenarios": result.run.scenarios,
        "seed": result.run.run.seed,
        "levels": "exceedance: p90 is exceeded with 90 % probability; cvar is the mean of the worst 5 %",
        "fleet": described(result.fleet),
        "sites": {name: described(metrics) for name, metrics in result.sites.items()},
        "cases_net_usd": result.cases,
        "tornado": {"method": TORNADO_METHOD, **asdict(result.tornado)},
        "capital": [plan.document() for plan in outcome.capital],
        "model": {name: asdict(uncertain) for name, uncertain in model.inputs.items()},
        "correlation": model.correlation,
        "written": outcome.written,
    }


def print_outcome(outcome: Outcome, *, every_assumption: bool) -> None:
    """Print the table of a scenario run, the drivers of its spread, and its capital plans."""
    from sites.scenarios.distributions import LEVELS, WHY_P50_IS_LOWER, label_of
    from sites.scenarios.metrics import unit_of
    from sites.scenarios.model import BASE_CASE

    labels = [label for label in map(label_of, LEVELS) if label not in NOT_PRINTED]
    result, rows = outcome.outlook, []
    for name in PRINTED:
        spread = result.fleet[name]
        if spread is None or (spread.mean == 0 and spread.sd == 0):
            continue
        scale, unit = (1e12, "T token") if name == "tokens" else (1.0, unit_of(name))
        levels = (spread.mean, *(spread.by_label()[label] for label in labels), spread.cvar)
        rows.append([name, unit, *(short(value / scale) for value in levels)])
    count = len(result.run.cases)
    print_table(
        ["quantity", "unit", "mean", *labels, "worst 5 %"],
        rows,
        title=f"{result.run.scenarios:,} scenarios of {counted(count, 'site')}, seed {result.run.run.seed}",
        right=range(2, 4 + len(labels)),
        caption="P90 is exceeded with 90 % probability, also for costs. Worst 5 %: mean of the lowest (cost: highest).",
    )
    print_quick_errors(result.run.cases)
    _print_causes(result)
    say("net USD by case: " + ", ".join(f"{name} {plain(value)}" for name, value in result.cases.items()))
    net = result.fleet["net_usd"]
    if net is not None and net.p50 < result.cases[BASE_CASE]:
        say(WHY_P50_IS_LOWER)
    for plan in outcome.capital:
        print_plan(plan, every_assumption=every_assumption)
    for line in outcome.written:
        say(line)


def _print_causes(result: Outlook) -> None:
    from sites.scenarios.causes import TORNADO_METHOD

    model = result.run.run.model
    if not result.tornado.causes:
        say("no input varies, so there is no spread")
        return
    print_table(
        ["input", "net P90", "net P10", "share of spread", "model", "source"],
        [
            [
                cause.name,
                short(cause.p90),
                short(cause.p10),
                f"{cause.share_frac:.0%}",
                _model_text(model, cause.name),
                model.of(cause.name).source if cause.name in model.inputs else "95 % intervals",
            ]
            for cause in result.tornado.causes
        ],
        title="Drivers of the spread in net USD",
        caption=f"{TORNADO_METHOD}; together {result.tornado.interaction_frac:+.0%} of that sum.",
        right=(1, 2, 3),
    )


def _model_text(model: ScenarioModel, name: str) -> str:
    if name not in model.inputs:
        return "device figures"
    uncertain = model.inputs[name]
    kind = "mean-reverting" if uncertain.reversion_per_year > 0 else "random walk"
    return f"{kind}, volatility {uncertain.volatility_frac:.0%} per year, {uncertain.common_frac:.0%} market-wide"
