"""`perwatt yield`: the yield of sites in a year, with mining and inference on the same megawatt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import WholeRange, json_option
from bench.cli.output import emit_json, say
from bench.cli.yield_.native import check_native, native_gaps, print_native_gaps
from bench.cli.yield_.scenarios import (
    document,
    print_outcome,
    run_scenarios,
    scenario_options,
    taken_from,
)
from bench.cli.yield_.warnings import print_warnings, refuse, warnings_of
from bench.cli.yield_.years import Shown, show_years
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.cli.yield_.warnings import Warnings
    from sites.changes import Changes
    from sites.dispatch.year import SiteYear
    from sites.file.inputs import Inputs
    from sites.model import Site
    from sites.native import NativeGap


@click.command(
    "yield",
    epilog=examples(
        "perwatt yield georgia-50mw-gpu-modules",
        "perwatt yield georgia-50mw-gpu-modules --assumptions",
        "perwatt yield mysite.toml --strict --out year --plots plots",
        "perwatt yield fleet-40-sites --scenarios 10000",
        "perwatt yield georgia-50mw-mining --years 10",
        "perwatt yield georgia-50mw-mining --scenarios 500 --capital plan.toml",
    ),
)
@click.argument("sites", nargs=-1, required=True, metavar="SITE...", shell_complete=completion.sites)
@click.option("--assumptions", is_flag=True, help="Show every assumption, in a pager if stdout is a terminal.")
@click.option("--strict", is_flag=True, help="Refuse sites with warnings, such as a price that looks like one per kWh.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder to write tables and inputs of PyPSA and SAM to."
)
@click.option("--plan", type=click.Path(path_type=Path), help="File (.csv or .parquet) to write the hourly plan to.")
@click.option("--plots", type=click.Path(path_type=Path), help="Folder to write duration curve, week and waterfall to.")
@click.option(
    "--since", "run", type=click.Path(path_type=Path), help="Folder of an earlier --out; shows what changed since."
)
@click.option(
    "--native", is_flag=True, help="Dispatch at the resolution of the prices (5, 15, 30 minutes), not in hours."
)
@click.option(
    "--years",
    "horizon",
    type=WholeRange(min=1, max=50),
    help="Number of years, from the start of the site on.",
)
@click.option("--months", is_flag=True, help="Show each month of the years, with the sums of the years.")
@click.option(
    "--xlsx", type=click.Path(path_type=Path), help="Workbook to write the statement of the years to (.xlsx)."
)
@click.option("--sam/--no-sam", default=None, help="Write the series for SAM. [default: for up to four sites]")
@scenario_options
@json_option
def yield_(
    sites: tuple[str, ...],
    assumptions: bool,
    strict: bool,
    native: bool,
    run: Path | None,
    horizon: int | None,
    months: bool,
    xlsx: Path | None,
    as_json: bool,
    **files: Any,
) -> None:
    """Compute what a site yields in a year: BTC, tokens and USD per MWh.

    SITE is a site file (.toml), a fleet file, or the name of a bundled example such as georgia-50mw-gpu-modules.
    """
    if as_json and assumptions:
        raise InputError("--assumptions: expected no --json with it, which lists every assumption anyway, got both")
    check_native({**files, "since": run}, native=native)
    request = taken_from(files)
    _check_targets(scenario_out=request.scenario_out, **files)
    read = _read(sites, native=native)
    warnings = warnings_of(read, request.capital)
    if strict:
        refuse(warnings)
    used = {**files, "since": run, "native": native or None}
    shown = Shown(horizon, months, xlsx, files["out"], files["sam"], request, as_json)
    if show_years(read, shown, warnings, used):
        return
    hourly = len(read) == 1 or any(files[key] is not None for key in ("out", "plan", "plots"))
    years = _years([site for _, site in read], quiet=as_json, hourly=hourly)
    inputs = [site_inputs for site_inputs, _ in read]
    gaps = native_gaps(inputs, years)
    outcome = run_scenarios([site for _, site in read], request, quiet=as_json)
    changes = _since(run, inputs)
    written = _write(years, inputs, **files)
    if as_json:
        yield_document = _document(years, warnings, gaps, changes, written)
        emit_json(yield_document if outcome is None else {**yield_document, "scenarios": document(outcome)})
        return
    from bench.cli.yield_.assumptions import print_fleet_assumptions, print_site_assumptions
    from bench.cli.yield_.changes import print_changes
    from bench.cli.yield_.fleet import print_fleet
    from bench.cli.yield_.tables import print_site

    if len(years) > 1:
        print_fleet(years)
    else:
        print_site(years[0])
    print_native_gaps(gaps, years)
    print_warnings(warnings)
    if changes is not None:
        print_changes(changes)
    if outcome is not None:
        print_outcome(outcome, every_assumption=assumptions)
    for line in written:
        say(line)
    if len(years) > 1:
        print_fleet_assumptions(years, inputs, every=assumptions)
    else:
        print_site_assumptions(years[0], inputs[0], every=assumptions)


def _check_targets(
    *, out: Path | None, plan: Path | None, plots: Path | None, scenario_out: Path | None, sam: bool | None
) -> None:
    """Refuse a target that cannot be written, before anything is computed or written."""
    from sites.files import check_folder, check_new
    from sites.planners.plan import check_plan_path

    if sam is not None and out is None:
        option = "--sam" if sam else "--no-sam"
        raise InputError(f"{option}: expected --out FOLDER with it, to write the series to, got none")
    if out is not None:
        check_new(out)
    if plan is not None:
        check_plan_path(plan)
    if plots is not None:
        check_folder(plots)
    targets = [path for path in (out, plan, plots, scenario_out) if path is not None]
    for path in targets:
        if [other.absolute() for other in targets].count(path.absolute()) > 1:
            raise InputError(f"--out, --plan, --plots, --scenario-out: expected different paths, got {path} twice")


def _read(sites: tuple[str, ...], *, native: bool) -> list[tuple[Inputs, Site]]:
    from bench.device_rates import resolve_device
    from sites.examples import site_path
    from sites.file.inputs import read_inputs

    read = [pair for name in sites for pair in read_inputs(site_path(name), resolve_device, native=native)]
    names = [inputs.file.site.name for inputs, _ in read]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"sites: expected a different name for each site, got {name!r} {names.count(name)} times")
    return read


def _years(sites: list[Site], *, quiet: bool, hourly: bool) -> list[SiteYear]:
    from bench.cli.output import progress
    from sites.dispatch.year import site_year

    years = []
    with progress(quiet=quiet) as bars:
        task = bars.add_task("sites", total=len(sites))
        for site in sites:
            years.append(site_year(site, hourly=hourly))
            bars.advance(task)
    return years


def _since(run: Path | None, inputs: list[Inputs]) -> Changes | None:
    if run is None:
        return None
    from sites.changes import changes_since

    return changes_since(run, inputs)


def _write(
    years: list[SiteYear],
    inputs: list[Inputs],
    *,
    out: Path | None,
    plan: Path | None,
    plots: Path | None,
    sam: bool | None,
) -> list[str]:
    lines: list[str] = []
    try:
        if out is not None:
            from bench import __version__
            from sites.planners.package import write_package

            notes = write_package(out, years, inputs, version=__version__, sam=sam)
            lines += [f"written: {out}", *(f"note: {note}" for note in notes)]
        if plan is not None:
            from sites.planners.plan import write_plan

            write_plan(years, plan)
            lines.append(f"written: {plan}")
        if plots is not None:
            from sites.plots.files import year_files

            lines += [f"written: {path}" for path in year_files(years, plots)]
    except OSError as error:
        from bench.errors import not_written

        raise not_written(error.filename or out or plan or plots, error) from error
    return lines


def _document(
    years: list[SiteYear],
    warnings: Warnings,
    gaps: dict[str, NativeGap],
    changes: Changes | None,
    written: list[str],
) -> dict[str, object]:
    from dataclasses import asdict

    from sites.dispatch.year import summarise
    from sites.planners import tables

    document: dict[str, object] = {
        "schema": "perwatt.yield/2",
        "sites": [
            {
                "summary": asdict(summarise(year)),
                "site": tables.site_rows([year])[0],
                "blocks": tables.block_rows([year]),
                "devices": tables.device_rows([year]),
                "waterfall": tables.waterfall_rows([year]),
                "flags": warnings.by_site[year.site.name],
                "notes": list(year.site.notes),
                "step_minutes": year.site.calendar.step_s // 60,
                "native": asdict(gaps[year.site.name]) if year.site.name in gaps else None,
                "assumptions": tables.assumption_rows([year]),
            }
            for year in years
        ],
        "warnings": list(warnings.lines),
        "written": written,
    }
    if changes is not None:
        document["since"] = asdict(changes)
    return document
