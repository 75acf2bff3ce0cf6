"""The rows of the planner tables of several years."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.horizon.statement import Statement

    Row = dict[str, Any]


def yield_rows(done: Statement) -> Iterator[Row]:
    """Yield the rows of `yield_monthly`: a month and a block."""
    for key, month in _months(done):
        for block in done.blocks:
            values = {name: float(column[month]) for name, column in block.columns.items()}
            btc = None if math.isnan(values["btc"]) else values["btc"]
            own = {"block": block.name, "product": block.product, "unit": block.unit}
            yield {**key, **own, **values, "btc": btc}


def cash_rows(done: Statement) -> Iterator[Row]:
    """Yield the rows of `cash_monthly`: a month of the site."""
    for key, month in _months(done):
        yield {**key, **{name: float(column[month]) for name, column in done.monthly.items()}}


def contract_rows(done: Statement) -> Iterator[Row]:
    """Yield the rows of `contract`: a month and a line of a contract."""
    for name, lines in done.settlement.contracts.items():
        for line, usd in lines.items():
            for month, amount in zip(done.months.names, usd.tolist(), strict=True):
                yield {"site": done.site, "month": month, "contract": name, "line": line, "usd": amount}


def _months(done: Statement) -> Iterator[tuple[Row, int]]:
    for month, name in enumerate(done.months.names):
        yield {"site": done.site, "month": name, "year_from": done.years[done.year_of_month[month]]}, month
