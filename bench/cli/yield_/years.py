"""`perwatt yield --years`: the years of sites, with a table of years and a monthly statement in JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.cli.output import emit_json, plain, progress, say, short
from bench.cli.table import print_table
from bench.cli.yield_.warnings import print_warnings
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cli.yield_.warnings import Warnings
    from sites.arrays import Floats
    from sites.file.inputs import Inputs
    from sites.horizon.statement import Statement
    from sites.model import Site

    Read = Sequence[tuple[Inputs, Site]]

ONE_YEAR = ("plan", "plots", "since", "native", "out", "scenarios")
SHOWN = {
    "energy_mwh": "MWh",
    "btc": "BTC",
    "tokens": "G tok",
    "revenue_usd": "revenue",
    "rent_usd": "rent",
    "credits_usd": "credits",
    "power_usd": "power",
    "penalty_usd": "penalties",
    "fixed_usd": "fixed",
    "net_usd": "net USD",
    "capex_usd": "capex",
    "cash_usd": "cash USD",
}
ALWAYS_SHOWN = ("energy_mwh", "revenue_usd", "power_usd", "net_usd")


def has_horizon(read: Read) -> bool:
    """Return whether a site's file asks for more than one year."""
    return any(inputs.file.horizon is not None for inputs, _ in read)


def check_years(options: Mapping[str, Any]) -> None:
    """Raise InputError if an option of `options` is set that takes one year."""
    used = [f"--{name}" for name in ONE_YEAR if options.get(name) is not None]
    if used:
        raise InputError(
            f"--years, [horizon]: expected no {', '.join(used)} with it, which takes a single year, got both"
        )


def show_years(read: Read, years: int | None, warnings: Warnings, *, as_json: bool) -> None:
    """Run the years of sites and print them.

    Parameters
    ----------
    read
        Inputs and site of each.
    years
        Number of years; that of each site's file if None.
    warnings
        Warnings about the sites.
    as_json
        Print the JSON document instead of the tables.
    """
    from sites.horizon.statement import statement
    from sites.horizon.years import run_years

    statements = []
    with progress(quiet=as_json) as bars:
        task = bars.add_task("sites", total=len(read))
        for inputs, site in read:
            statements.append(statement(run_years(inputs, site, _years(inputs, years))))
            bars.advance(task)
    if as_json:
        emit_json(_document(read, statements, warnings))
        return
    print_statements(statements)
    print_warnings(warnings)


def _years(inputs: Inputs, years: int | None) -> int:
    if years is not None:
        return years
    if inputs.file.horizon is None:
        expected = "a number of years for every site, because another one has [horizon]"
        raise InputError.at(f"site {inputs.file.site.name!r}", "horizon.years", expected=expected)
    return inputs.file.horizon.years


def print_statements(statements: Sequence[Statement]) -> None:
    """Print a row for each year of all sites together, and for several sites a row for each."""
    import numpy as np

    longest = max(statements, key=lambda one: len(one.years))
    yearly = {
        name: np.sum([np.pad(one.yearly[name], (0, len(longest.years) - len(one.years))) for one in statements], axis=0)
        for name in SHOWN
    }
    names = [name for name in SHOWN if name in ALWAYS_SHOWN or yearly[name].any()]
    if "capex_usd" not in names:
        names.remove("cash_usd")
    rows = [
        [longest.years[year], *(_cell(name, float(yearly[name][year])) for name in names)]
        for year in range(len(longest.years))
    ]
    rows.append(["all", *(_cell(name, float(yearly[name].sum())) for name in names)])
    who = statements[0].site if len(statements) == 1 else f"{len(statements)} sites"
    print_table(
        ["year from", *(SHOWN[name] for name in names)],
        rows,
        title=f"{who}: {len(longest.years)} years; output and USD are modelled",
        right=tuple(range(1, len(names) + 1)),
    )
    if len(statements) > 1:
        print_table(
            ["site", *(SHOWN[name] for name in names)],
            [[one.site, *(_cell(name, one.total[name]) for name in names)] for one in statements],
            title="all years of each site",
            right=tuple(range(1, len(names) + 1)),
        )
    say("the months: --json")


def _cell(name: str, value: float) -> str:
    if name == "btc":
        return plain(value)
    return short(value / 1e9) if name == "tokens" else short(value)


def _document(read: Read, statements: Sequence[Statement], warnings: Warnings) -> dict[str, object]:
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
                "months": list(one.months),
                "yearly": listed(one.yearly),
                "monthly": listed(one.monthly),
                "total": one.total,
                "blocks": [
                    {"name": block.name, "product": block.product, "unit": block.unit, "monthly": listed(block.columns)}
                    for block in one.blocks
                ],
                "flags": warnings.by_site[one.site],
                "notes": list(site.notes),
            }
            for one, (_, site) in zip(statements, read, strict=True)
        ],
        "warnings": list(warnings.lines),
    }
