"""`perwatt yield --years`: the years of sites, with a table of years and a monthly statement in JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
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
    from sites.horizon.worth import HorizonWorth
    from sites.model import Site
    from sites.money.cash import Worth

    Read = Sequence[tuple[Inputs, Site]]

ONE_YEAR = ("plan", "plots", "since", "native", "out", "scenarios")
SHOWN = {
    "energy_mwh": "MWh",
    "btc": "BTC",
    "tokens": "G tok",
    "revenue_usd": "revenue",
    "rent_usd": "rent",
    "credits_usd": "credits",
    "contracts_usd": "contracts",
    "power_usd": "power",
    "penalty_usd": "penalties",
    "fixed_usd": "fixed",
    "net_usd": "net USD",
    "capex_usd": "capex",
    "debt_usd": "debt",
    "tax_usd": "tax",
    "cash_usd": "cash USD",
}
ALWAYS_SHOWN = ("energy_mwh", "revenue_usd", "power_usd", "net_usd")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is asked of the years of sites."""

    years: int | None  # number of years; that of each site's file if None
    xlsx: Path | None  # workbook to write
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
        Other options, of which those that take a single year are refused.

    Raises
    ------
    InputError
        An option takes a single year, or a site's years cannot be run.
    """
    if shown.years is None and not any(inputs.file.horizon is not None for inputs, _ in read):
        if shown.xlsx is not None:
            raise InputError("--xlsx: expected --years or [horizon] with it, whose statement it holds, got neither")
        return False
    used = [f"--{name}" for name in ONE_YEAR if options.get(name) is not None]
    if used:
        raise InputError(
            f"--years, [horizon]: expected no {', '.join(used)} with it, which takes a single year, got both"
        )
    _print(read, shown, warnings)
    return True


def _print(read: Read, shown: Shown, warnings: Warnings) -> None:
    from sites.horizon.statement import statement
    from sites.horizon.worth import worth
    from sites.horizon.years import run_years
    from sites.planners.horizon.book import book_of

    statements: list[Statement] = []
    worths: list[HorizonWorth | None] = []
    with progress(quiet=shown.as_json) as bars:
        task = bars.add_task("sites", total=len(read))
        for inputs, site in read:
            horizon = run_years(inputs, site, _years(inputs, shown.years))
            statements.append(statement(horizon))
            worths.append(worth(horizon, statements[-1]))
            bars.advance(task)
    if shown.xlsx is not None:
        from sites.planners.workbook import write_workbook

        write_workbook(shown.xlsx, [book_of(*pair) for pair in zip(statements, worths, strict=True)])
    if shown.as_json:
        emit_json(_document(read, statements, worths, warnings))
        return
    print_statements(statements)
    if len(statements) == 1:
        print_contracts(statements[0])
        print_worth(worths[0])
    print_warnings(warnings)
    say(f"written: {shown.xlsx}" if shown.xlsx is not None else "the months: --json, or --xlsx FILE")


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
    if not {"capex_usd", "debt_usd", "tax_usd"} & set(names):
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


def print_contracts(done: Statement) -> None:
    """Print what each contract brings in each year."""
    import numpy as np

    contracts = done.settlement.contracts
    if not contracts:
        return
    lines = [(name, line, usd) for name, own in contracts.items() for line, usd in own.items() if usd.any()]
    years = [np.bincount(done.year_of_month, usd, minlength=len(done.years)) for _, _, usd in lines]
    print_table(
        ["contract", "line", *(day[:4] for day in done.years), "all"],
        [
            [name, line, *(short(float(usd)) for usd in of_year), short(float(of_year.sum()))]
            for (name, line, _), of_year in zip(lines, years, strict=True)
        ],
        title="contracts, USD in the year that begins in",
        right=tuple(range(2, len(done.years) + 3)),
    )


def print_worth(worth: HorizonWorth | None) -> None:
    """Print present value, internal rate and payback of the cash, debt service and levelised costs."""
    if worth is None:
        return
    project, equity = worth.cash.project, worth.cash.equity
    rows = [
        ["net present value", f"{plain(project.npv_usd)} USD", f"{plain(equity.npv_usd)} USD"],
        ["internal rate of return", _rate(project), _rate(equity)],
        [
            "payback",
            *("never" if one.payback_years is None else f"{one.payback_years:.1f} years" for one in (project, equity)),
        ],
    ]
    if worth.cash.least_dscr is not None:
        rows.append(["debt service coverage, worst year", "", f"{worth.cash.least_dscr:.2f}"])
    for value, unit in ((worth.usd_per_ph_s_day, "USD per PH/s-day"), (worth.usd_per_mtok, "USD/Mtok")):
        if value is not None:
            rows.append(["levelised cost", f"{plain(value)} {unit}", ""])
    print_table(
        ["", "project", "equity"], rows, title=f"worth at {100.0 * worth.discount_frac:.4g}% a year", right=(1, 2)
    )


def _rate(worth: Worth) -> str:
    return worth.no_irr if worth.irr_frac is None else f"{worth.irr_frac:.2%}"


def _cell(name: str, value: float) -> str:
    if name == "btc":
        return plain(value)
    return short(value / 1e9) if name == "tokens" else short(value)


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
