"""`perwatt yield --years`: the years of sites, with a table of years and a monthly statement in JSON."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli.output import emit_json, progress, say
from bench.cli.yield_.scenarios import asked
from bench.cli.yield_.warnings import print_warnings
from bench.cli.yield_.years_tables import (
    print_contracts,
    print_months,
    print_outlook,
    print_statements,
    print_worth,
)
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cli.yield_.scenarios import Request
    from bench.cli.yield_.warnings import Warnings
    from sites.arrays import Floats
    from sites.file.inputs import Inputs
    from sites.horizon.outlook import HorizonOutlook
    from sites.horizon.statement import Statement
    from sites.horizon.worth import HorizonWorth
    from sites.model import Site

    Read = Sequence[tuple[Inputs, Site]]

ONE_YEAR = ("plan", "plots", "since", "native", "scenario_out", "capital")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is asked of the years of sites."""

    years: int | None  # number of years; that of each site's file if None
    months: bool  # print each month
    xlsx: Path | None  # workbook to write
    out: Path | None  # folder to write
    sam: bool | None  # whether the folder has series for SAM; None for a few sites
    request: Request  # scenarios of the years
    as_json: bool  # print the JSON document instead of tables


def show_years(read: Read, shown: Shown, warnings: Warnings, options: Mapping[str, Any]) -> bool:
    """Run and print the years of sites, if more than one year is asked for; return whether it is.

    Parameters
    ----------
    read
        Inputs and site of each.
    shown
        What is asked of the years.
    warnings
        Warnings about the sites.
    options
        Other options; those that take a single year are refused.

    Raises
    ------
    InputError
        An option takes a single year, or a site's years cannot be run.
    """
    if shown.years is None and not any(inputs.file.horizon is not None for inputs, _ in read):
        for option, is_used in (("--xlsx", shown.xlsx is not None), ("--months", shown.months)):
            if is_used:
                expected = "expected --years or [horizon] with it, whose statement it shows, got neither"
                raise InputError(f"{option}: {expected}")
        return False
    given = {**options, "scenario_out": shown.request.scenario_out, "capital": shown.request.capital or None}
    used = [f"--{name.replace('_', '-')}" for name in ONE_YEAR if given.get(name) is not None]
    if used:
        raise InputError(
            f"--years, [horizon]: expected no {', '.join(used)} with it, which takes a single year, got both"
        )
    _print(read, shown, warnings)
    return True


def _print(read: Read, shown: Shown, warnings: Warnings) -> None:
    statements, worths, written = _run(read, shown)
    outlook = _outlook(read, shown)
    if shown.as_json:
        scenarios = {} if outlook is None else {"scenarios": asdict(outlook)}
        emit_json(_document(read, statements, worths, warnings) | {"written": written} | scenarios)
        return
    if shown.months:
        print_months(statements)
    print_statements(statements)
    if len(statements) == 1:
        print_contracts(statements[0])
        print_worth(worths[0])
    if outlook is not None:
        print_outlook(outlook, max((one.years for one in statements), key=len))
    print_warnings(warnings)
    if not (written or shown.months):
        say("the months: --months, --json, --out FOLDER, or --xlsx FILE")
    for line in written:
        say(line)


def _run(read: Read, shown: Shown) -> tuple[list[Statement], list[HorizonWorth | None], list[str]]:
    """Return the statement and the worth of each site, and a line for each file that was written."""
    from bench import __version__
    from sites.files import new_folder
    from sites.horizon.statement import statement
    from sites.horizon.worth import worth
    from sites.horizon.years import run_years
    from sites.planners.horizon.book import book_of
    from sites.planners.horizon.package import YearsFolder
    from sites.planners.workbook import write_workbook

    statements: list[Statement] = []
    worths: list[HorizonWorth | None] = []
    written: list[str] = []
    with ExitStack() as stack:
        bars = stack.enter_context(progress(quiet=shown.as_json))
        folder = None
        if shown.out is not None:
            work = stack.enter_context(new_folder(shown.out))
            folder = YearsFolder(work, [inputs for inputs, _ in read], sam=shown.sam)
        task = bars.add_task("sites", total=len(read))
        for inputs, site in read:
            horizon = run_years(inputs, site, _years(inputs, shown.years))
            statements.append(statement(horizon))
            worths.append(worth(horizon, statements[-1]))
            if folder is not None:
                folder.add(horizon, statements[-1])
            bars.advance(task)
        if folder is not None and shown.out is not None:
            notes = folder.finish(shown.out.name, __version__)
            written += [f"written: {shown.out}", *(f"note: {note}" for note in notes)]
    if shown.xlsx is not None:
        write_workbook(shown.xlsx, [book_of(*pair) for pair in zip(statements, worths, strict=True)])
        written.append(f"written: {shown.xlsx}")
    return statements, worths, written


def _outlook(read: Read, shown: Shown) -> HorizonOutlook | None:
    """Return the distributions of the years over scenarios; None without --scenarios."""
    if shown.request.scenarios is None:
        return None
    from bench.errors import RunFailedError
    from sites.horizon.outlook import horizon_outlook

    run, execute = asked(shown.request)
    every = [(inputs, site, _years(inputs, shown.years)) for inputs, site in read]
    with progress(quiet=shown.as_json) as bars:
        task = bars.add_task("scenarios", total=1.0)
        try:
            return horizon_outlook(
                every,
                run,
                shown.request.scenarios,
                execute=execute,
                on_progress=lambda share: bars.update(task, completed=share),
            )
        except RuntimeError as error:
            raise RunFailedError(str(error)) from error


def _years(inputs: Inputs, years: int | None) -> int:
    if years is not None:
        return years
    if inputs.file.horizon is None:
        expected = "a number of years for every site, because another one has [horizon]"
        raise InputError.at(f"site {inputs.file.site.name!r}", "horizon.years", expected=expected)
    return inputs.file.horizon.years


def _document(
    read: Read, statements: Sequence[Statement], worths: Sequence[HorizonWorth | None], warnings: Warnings
) -> dict[str, object]:
    from sites.horizon.statement import COLUMNS

    def listed(columns: Mapping[str, Floats]) -> dict[str, list[float | None]]:
        return {
            name: [None if math.isnan(value) else value for value in values.tolist()]
            for name, values in columns.items()
        }

    return {
        "schema": "perwatt.years/1",
        "columns": [column._asdict() for column in COLUMNS],
        "sites": [
            {
                "site": one.site,
                "years": list(one.years),
                "months": list(one.months.names),
                "yearly": listed(one.yearly),
                "monthly": listed(one.monthly),
                "total": one.total,
                "blocks": [
                    {"name": block.name, "product": block.product, "unit": block.unit, "monthly": listed(block.columns)}
                    for block in one.blocks
                ],
                "contracts": {name: listed(lines) for name, lines in one.settlement.contracts.items()},
                "worth": None if worth is None else asdict(worth),
                "flags": warnings.by_site[one.site],
                "notes": list(site.notes),
            }
            for one, worth, (_, site) in zip(statements, worths, read, strict=True)
        ],
        "warnings": list(warnings.lines),
    }
