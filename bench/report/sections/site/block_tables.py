"""The tables of a site's blocks on the page: the year of each block, and what its revenue rests on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.quantity import plain, si
from bench.report.blocks import Cell, Chip, Table, figure_cell

if TYPE_CHECKING:
    from sites.dispatch.year import SiteYear
    from sites.perspective.blocks import BlockPerspective


def blocks_table(years: "Sequence[SiteYear]") -> Table:
    """Return the table of the year of each block; its last column is what remains after the cost of capital."""
    from sites.perspective.blocks import perspectives

    rows = [_row(item, year) for year in years for item in perspectives(year)]
    columns = (
        "Block", "Mean MW", "Output/day", "Revenue/year", "Energy cost/year", "USD/MWh revenue",
        "USD/MWh after energy", "USD/MWh after capital",
    )  # fmt: skip
    return Table(
        "site-table",
        "The year by block",
        columns,
        tuple(rows),
        frozenset(range(1, len(columns))),
        sortable=True,
        note="MW and MWh are those of the facility, PUE included. The energy cost excludes the demand charge.",
    )


def perspective_table(years: "Sequence[SiteYear]") -> Table:
    """Return the table of what each block's revenue rests on, one fact a line."""
    from sites.perspective.blocks import perspectives, sentences

    today = datetime.now(UTC).date()
    rows = [
        (Cell(item.year.name if first else "", item.year.name, note=year.site.name if first else ""), Cell(sentence))
        for year in years
        for item in perspectives(year)
        for first, sentence in ((number == 0, text) for number, text in enumerate(sentences(item, today)))
    ]
    return Table(
        "perspective", "What the revenue of each block rests on", ("Block", "Fact"), tuple(rows), roomy=frozenset({1})
    )


def _row(item: "BlockPerspective", year: "SiteYear") -> tuple[Cell, ...]:
    block, mwh, days = item.year, item.year.facility_mwh, year.hours / 24
    after_energy = (block.revenue_usd - block.energy_usd) / mwh if mwh else None
    output = f"{plain(block.btc / days)} BTC" if block.btc is not None else _output(block.units / days, block.unit)
    return (
        Cell(block.name, chips=(Chip(block.product),), note=year.site.name),
        figure_cell(plain(mwh / year.hours), mwh / year.hours),
        figure_cell(output, block.btc if block.btc is not None else block.units),
        figure_cell(si(block.revenue_usd, "USD"), block.revenue_usd),
        figure_cell(si(block.energy_usd, "USD"), block.energy_usd),
        _per_mwh(block.revenue_usd / mwh if mwh else None),
        _per_mwh(after_energy),
        _per_mwh(item.after_capital_usd_per_mwh),
    )


def _per_mwh(value: float | None) -> Cell:
    return figure_cell("-" if value is None else plain(value), value)


def _output(per_day: float, unit: str) -> str:
    if unit == "token":
        return f"{si(per_day, '').strip()} tokens"
    return f"{plain(per_day)} {unit.replace('_', ' ')}s"
