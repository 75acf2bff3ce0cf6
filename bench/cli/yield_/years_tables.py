"""The tables of `perwatt yield --years`: months and years, what contracts bring, and what the cash is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import plain, say, short
from bench.cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.arrays import Floats
    from sites.horizon.outlook import HorizonOutlook
    from sites.horizon.statement import Statement
    from sites.horizon.worth import HorizonWorth
    from sites.money.cash import Worth

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
    "storage_usd": "storage",
    "fixed_usd": "fixed",
    "net_usd": "net USD",
    "capex_usd": "capex",
    "debt_usd": "debt",
    "tax_usd": "tax",
    "cash_usd": "cash USD",
}
ALWAYS_SHOWN = ("energy_mwh", "revenue_usd", "power_usd", "net_usd")


def print_statements(statements: Sequence[Statement]) -> None:
    """Print a row for each year of all sites together, and for several sites a row for each."""
    import numpy as np

    longest = max(statements, key=lambda one: len(one.years))
    yearly = {
        name: np.sum([np.pad(one.yearly[name], (0, len(longest.years) - len(one.years))) for one in statements], axis=0)
        for name in SHOWN
    }
    names = _shown(yearly)
    rows = [_row(begin, yearly, year, names) for year, begin in enumerate(longest.years)]
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


def print_months(statements: Sequence[Statement]) -> None:
    """Print the monthly statement of each site: a row for each month, and after its months the sum of each year."""
    for one in statements:
        names = _shown(one.yearly)
        rows: list[list[str]] = []
        for year, begin in enumerate(one.years):
            rows += [_row(one.months.names[m], one.monthly, m, names) for m in (one.year_of_month == year).nonzero()[0]]
            rows.append(_row(f"year from {begin}", one.yearly, year, names))
        print_table(
            ["month", *(SHOWN[name] for name in names)],
            rows,
            title=f"{one.site}: monthly statement; output and USD are modelled",
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


def print_outlook(outlook: HorizonOutlook, years: Sequence[str]) -> None:
    """Print the distribution of net and output of each year and of all years."""
    rows = []
    for name, of_year, whole in (
        ("net USD", outlook.yearly["net_usd"], outlook.total["net_usd"]),
        ("BTC", outlook.yearly["btc"], outlook.total["btc"]),
    ):
        for year, spread in zip((*years, "all"), (*of_year, whole), strict=True):
            if spread is not None and (spread.mean or spread.sd):
                levels = (spread.mean, *spread.by_label().values(), spread.cvar)
                rows.append([name, year, *(short(value) for value in levels)])
    labels = next(spread for spread in outlook.total.values() if spread is not None).by_label()
    print_table(
        ["quantity", "year from", "mean", *labels, "worst 5 %"],
        rows,
        title=f"{outlook.scenarios:,} scenarios of {outlook.years} years, seed {outlook.seed}",
        right=range(2, 4 + len(labels)),
        caption="P90 is exceeded with 90 % probability. One path of prices runs through all years.",
    )


def print_worth(worth: HorizonWorth | None) -> None:
    """Print present value, internal rate and payback of the cash, debt service and levelised costs."""
    if worth is None:
        return
    project, equity = worth.cash.project, worth.cash.equity
    rows = [
        ["internal rate of return", _rate(project), _rate(equity)],
        [
            "payback",
            *("never" if one.payback_years is None else f"{one.payback_years:.1f} years" for one in (project, equity)),
        ],
    ]
    at = ""
    if worth.discount_frac is not None:
        at = f" at {100.0 * worth.discount_frac:.4g}% a year"
        rows.insert(0, ["net present value", *(f"{plain(one.npv_usd or 0.0)} USD" for one in (project, equity))])
    if worth.cash.least_dscr is not None:
        rows.append(["debt service coverage, worst year", "", f"{worth.cash.least_dscr:.2f}"])
    for value, unit in ((worth.usd_per_ph_s_day, "USD per PH/s-day"), (worth.usd_per_mtok, "USD/Mtok")):
        if value is not None:
            rows.append(["levelised cost", f"{plain(value)} {unit}", ""])
    print_table(["", "project", "equity"], rows, title=f"worth{at}", right=(1, 2))
    for reason in dict.fromkeys(one.no_irr for one in (project, equity) if one.no_irr):
        say(f"no internal rate of return: {reason}")


def _shown(yearly: Mapping[str, Floats]) -> list[str]:
    """Return the columns that are printed: those that every statement has, and those with a figure."""
    names = [name for name in SHOWN if name in ALWAYS_SHOWN or yearly[name].any()]
    if not {"capex_usd", "debt_usd", "tax_usd"} & set(names):
        names.remove("cash_usd")
    return names


def _row(label: str, columns: Mapping[str, Floats], at: int, names: Sequence[str]) -> list[str]:
    return [label, *(_cell(name, float(columns[name][at])) for name in names)]


def _rate(worth: Worth) -> str:
    return "none" if worth.irr_frac is None else f"{worth.irr_frac:.2%}"


def _cell(name: str, value: float) -> str:
    if name == "btc":
        return plain(value)
    return short(value / 1e9) if name == "tokens" else short(value)
