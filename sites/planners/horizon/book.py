"""The statement of a horizon as the sheets of a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.horizon.statement import COLUMNS
from sites.planners.workbook import Book, Column, Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.horizon.statement import Statement
    from sites.horizon.worth import HorizonWorth

# The columns that are sums of others, with the sign of each.
TERMS = {
    "net_usd": (
        (1, "revenue_usd"),
        (1, "rent_usd"),
        (1, "credits_usd"),
        (1, "contracts_usd"),
        (-1, "power_usd"),
        (-1, "penalty_usd"),
        (-1, "storage_usd"),
        (-1, "fixed_usd"),
    ),
    "cash_usd": ((1, "net_usd"), (-1, "capex_usd"), (-1, "debt_usd"), (-1, "tax_usd")),
}


def book_of(done: Statement, worth: HorizonWorth | None) -> Book:
    """Return the workbook of a statement, with its worth if there is a discount rate."""
    lines = [
        Column(f"{name}: {line}", "USD", "line of a contract, income positive", usd)
        for name, own in done.settlement.contracts.items()
        for line, usd in own.items()
    ]
    terms = TERMS | {"contracts_usd": tuple((1, line.name) for line in lines)}
    statement = (
        Column(column.name, column.unit, column.meaning, done.monthly[column.name], terms.get(column.name, ()))
        for column in COLUMNS
    )
    return Book(
        site=done.site,
        months=done.months.firsts,
        years=tuple(int(done.years[year][:4]) for year in done.year_of_month),
        end_years=done.months.end_years,
        columns=(*statement, *lines),
        discount_frac=None if worth is None else worth.discount_frac,
        discounted=("cash_usd",),
        facts=() if worth is None else tuple(_facts(worth)),
    )


def _facts(worth: HorizonWorth) -> Iterator[Fact]:
    for name, one in (("project", worth.cash.project), ("equity", worth.cash.equity)):
        if one.npv_usd is not None:
            meaning = "before debt" if name == "project" else "after debt and tax"
            yield Fact(f"NPV of {name}", one.npv_usd, "USD", meaning)
        yield Fact(f"IRR of {name}", one.no_irr if one.irr_frac is None else one.irr_frac, "1/year", "")
        years = "never" if one.payback_years is None else one.payback_years
        yield Fact(f"payback of {name}", years, "years", "after the last investment")
    if worth.cash.least_dscr is not None:
        yield Fact("least DSCR", worth.cash.least_dscr, "1", "debt service coverage of the worst calendar year")
    if worth.usd_per_ph_s_day is not None:
        yield Fact("levelised hash cost", worth.usd_per_ph_s_day, "USD per PH/s-day", "")
    if worth.usd_per_mtok is not None:
        yield Fact("levelised cost of tokens", worth.usd_per_mtok, "USD/Mtok", "")
