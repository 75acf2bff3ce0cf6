"""The scenarios of `perwatt yield`: options, run, and what is printed and written of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.cli.output import plain, progress, say, short, warn
from bench.cli.table import print_table
from bench.cli.yield_.capital import print_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.errors import RunFailedError
    from sites.capital.appraisal import PlanReport
    from sites.model import Site
    from sites.scenarios.engine import Executor, Run
    from sites.scenarios.model import ScenarioModel
    from sites.scenarios.outlook import Outlook
    from sites.scenarios.uncertainty import Distribution

PLAN_SCENARIOS = 2000
Command = TypeVar("Command", bound=Callable[..., Any])
PRINTED = ("net_usd", "mining_revenue_usd", "inference_revenue_usd", "energy_usd", "btc", "tokens", "net_usd_per_mwh")


@dataclass(frozen=True, slots=True)
class Asked:
    """Options of a scenario run as they were given."""

    scenarios: int | None
    scheduler: str | None
    scenario_file: Path | None
    seed: int
    scenario_out: Path | None
    capital: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario run came to: the sites' outlook, the plans of capital, the lines that say what was written."""

    outlook: Outlook
    capital: list[PlanReport]
    written: list[str]


def scenario_options(command: Command) -> Command:
    """Add the options of a scenario run to a command; they arrive as keyword arguments of Asked."""
    for option in reversed(
        (
            click.option("--scenarios", type=int, help="Run this many scenarios: P50/P90/P99, CVaR and tornado."),
            click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to run them on (tcp://host:8786)."),
            click.option("--scenario-file", type=click.Path(path_type=Path), help="TOML: how the inputs vary."),
            click.option("--seed", type=int, default=1, show_default=True, help="Of the scenarios' random numbers."),
            click.option("--scenario-out", type=click.Path(path_type=Path), help="New folder: tables and plots."),
            click.option(
                "--capital", multiple=True, metavar="PLAN", help="A plan of capital: what it buys, when it pays."
            ),
        )
    ):
        command = option(command)
    return command


def taken_from(options: dict[str, Any]) -> Asked:
    """Take a command's scenario options out of its options. Raises UsageError where --scenarios is missing beside."""
    asked = Asked(
        **{
            key: options.pop(key)
            for key in ("scenarios", "scheduler", "scenario_file", "seed", "scenario_out", "capital")
        }
    )
    beside = (asked.scheduler, asked.scenario_file, asked.scenario_out, asked.capital or None)
    if asked.scenarios is None and any(given is not None for given in beside):
        raise click.UsageError(
            "--scheduler, --scenario-file, --scenario-out, --capital: expected --scenarios beside them"
        )
    return asked


def run_scenarios(sites: Sequence[Site], asked: Asked, *, quiet: bool) -> Outcome | None:
    """Run the scenarios that were asked for; None where none were. Errors leave before anything is written."""
    if asked.scenarios is None:
        return None
    from bench.errors import RunFailedError
    from sites.files import check_new
    from sites.scenarios.engine import Run, check_scenarios, local
    from sites.scenarios.file import default_model, read_scenarios
    from sites.scenarios.outlook import outlook

    check_scenarios(asked.scenarios)
    if asked.scenario_out is not None:
        check_new(asked.scenario_out)
    run = Run(asked.seed, read_scenarios(asked.scenario_file) if asked.scenario_file else default_model())
    execute = local()
    if asked.scheduler is not None:
        from sites.scenarios.dask_shards import dask

        execute = dask(asked.scheduler, on_note=warn)
    plans, maps = _plans(asked, run, execute)
    with progress(quiet=quiet) as bars:
        tasks = {stage: bars.add_task(stage, total=1.0) for stage in ("scenarios", "causes")}
        try:
            found = outlook(
                sites, run, asked.scenarios, execute=execute,
                on_progress=lambda stage, share: bars.update(tasks[stage], completed=share),
            )  # fmt: skip
        except RuntimeError as error:
            raise RunFailedError(str(error)) from error
    written = []
    if asked.scenario_out is not None:
        from sites.planners.scenario_tables import write_tables

        try:
            written = write_tables(asked.scenario_out, found, sites, maps, execute)
        except OSError as error:
            raise not_written(asked.scenario_out, error) from error
    return Outcome(found, plans, written)


def not_written(target: object, error: OSError) -> RunFailedError:
    """Return the error of a file or folder that the system did not take, in one line that names it."""
    from os import strerror

    from bench.errors import RunFailedError

    why = strerror(error.errno) if error.errno else str(error)
    return RunFailedError(f"{target}: could not be written: {why}; no half is left")


def _plans(asked: Asked, run: Run, execute: Executor) -> tuple[list[PlanReport], dict[str, Any]]:
    from bench.device_rates import resolve_device
    from sites.capital.appraisal import report
    from sites.capital.file import read_plan
    from sites.capital.purchase import switch_map_of
    from sites.examples import capital_path, site_path
    from sites.file.build import load_site

    count = min(asked.scenarios or 1, PLAN_SCENARIOS)
    reports, maps = [], {}
    for path in map(capital_path, asked.capital):

        def load(name: str, folder: Path = path.parent) -> Site:
            beside = folder / name
            return load_site(beside if beside.is_file() else site_path(name), resolve_device)

        plan = read_plan(path)
        reports.append(report(plan, load, run, count, execute=execute))
        if plan.purchase.kind == "gpu_modules" and asked.scenario_out:
            maps[path.stem] = switch_map_of(plan, load)
    return reports, maps


def document(outcome: Outcome) -> dict[str, object]:
    """Return a scenario run as it stands in `perwatt yield --json`."""
    from sites.scenarios.metrics import unit_of
    from sites.scenarios.uncertainty import TORNADO_METHOD

    def described(by_metric: dict[str, Distribution | None]) -> dict[str, object]:
        return {name: {"unit": unit_of(name), **asdict(one)} if one else None for name, one in by_metric.items()}

    found, model = outcome.outlook, outcome.outlook.run.run.model
    return {
        "scenarios": found.run.scenarios,
        "seed": found.run.run.seed,
        "levels": "exceedance: p90 is exceeded with 90 % probability; cvar is the mean of the worst 5 %",
        "fleet": described(found.fleet),
        "sites": {name: described(one) for name, one in found.sites.items()},
        "cases_net_usd": found.cases,
        "tornado": {"method": TORNADO_METHOD, **asdict(found.tornado)},
        "capital": [plan.document() for plan in outcome.capital],
        "model": {name: asdict(given) for name, given in model.inputs.items()},
        "correlation": model.correlation,
        "written": outcome.written,
    }


def print_outcome(outcome: Outcome) -> None:
    """Print a scenario run for people."""
    from sites.scenarios.metrics import unit_of

    found, rows = outcome.outlook, []
    for name in PRINTED:
        one = found.fleet[name]
        if one is None or (one.mean == 0 and one.sd == 0):
            continue
        scale, unit = (1e12, "T token") if name == "tokens" else (1.0, unit_of(name))
        rows.append(
            [name, unit, *(short(value / scale) for value in (one.mean, one.p99, one.p90, one.p50, one.p10, one.cvar))]
        )
    count = len(found.run.cases)
    print_table(
        ["quantity", "unit", "mean", "P99", "P90", "P50", "P10", "worst 5 %"],
        rows,
        title=f"{found.run.scenarios} scenarios, seed {found.run.run.seed}; sites: {count}",
        right=range(2, 8),
        caption="P90 is exceeded with 90 % probability, for costs too; worst 5 %: mean of the lowest (costs: highest).",
    )
    _print_causes(found)
    say("net USD in the cases: " + ", ".join(f"{name} {plain(value)}" for name, value in found.cases.items()))
    for plan in outcome.capital:
        print_plan(plan)
    for line in outcome.written:
        say(line)


def _print_causes(found: Outlook) -> None:
    from sites.scenarios.uncertainty import TORNADO_METHOD

    model = found.run.run.model
    if not found.tornado.causes:
        say("no input varies: there is no spread to share out")
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
            for cause in found.tornado.causes
        ],
        title="What the spread of net USD comes from",
        caption=f"{TORNADO_METHOD}; together {found.tornado.interaction_frac:+.0%} of that sum.",
        right=(1, 2, 3),
    )


def _model_text(model: ScenarioModel, name: str) -> str:
    if name not in model.inputs:
        return "device figures"
    given = model.inputs[name]
    kind = "returns to its mean" if given.reversion_per_year > 0 else "random walk"
    return f"{kind}, {given.volatility_frac:.0%} a year, {given.common_frac:.0%} common"
