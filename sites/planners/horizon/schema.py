"""The schema of the planner tables of several years."""

from __future__ import annotations

from sites.horizon.statement import COLUMNS
from sites.planners.schema import TABLES, Column

_SITE = Column("site", "string", "none", True, "name of the site")
_MONTH = Column("month", "string", "none", True, "local calendar month, YYYY-MM")
_YEAR = Column("year_from", "string", "none", True, "first day of the year of the horizon that the month belongs to")

YEARS_TABLES: dict[str, tuple[Column, ...]] = {
    "run": TABLES["run"],
    "yield_monthly": (
        _SITE,
        _MONTH,
        _YEAR,
        Column("block", "string", "none", True, "name of the block within the site"),
        Column("product", "string", "none", True, "mining or inference"),
        Column("unit", "string", "none", True, "unit of the output: hash, token, gpu_hour or kw_month"),
        Column("facility_mwh", "number", "MWh", True, "energy drawn by the facility for the block, PUE included"),
        Column("units", "number", "unit in column unit", True, "output of the month"),
        Column("btc", "number", "BTC", False, "bitcoin after rejects and pool fee; missing for inference"),
        Column("revenue_usd", "number", "USD", True, "revenue for work"),
        Column("rent_usd", "number", "USD", True, "leases and take-or-pay"),
    ),
    "cash_monthly": (
        _SITE,
        _MONTH,
        _YEAR,
        *(Column(column.name, "number", column.unit, True, column.meaning) for column in COLUMNS),
    ),
    "contract": (
        _SITE,
        _MONTH,
        Column("contract", "string", "none", True, "name of the contract"),
        Column("line", "string", "none", True, "line of its statement"),
        Column("usd", "number", "USD", True, "amount of the month; income is positive"),
    ),
    "assumption": TABLES["assumption"],
}
