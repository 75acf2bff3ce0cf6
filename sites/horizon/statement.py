"""The statement of a site's horizon: energy, output and cash of each month and of each year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.horizon.settlement import settle
from sites.hours.calendar import anniversary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats, Integers
    from sites.horizon.activity import Activity, BlockActivity
    from sites.horizon.settlement import Settlement
    from sites.horizon.years import Horizon
    from sites.hours.months import Months

MONTHS = 12
Columns = dict[str, "Floats"]
"""Amounts by the name of the column, one for each month or year."""


class Column(NamedTuple):
    """A column of the statement."""

    name: str
    unit: str
    meaning: str


COLUMNS = (
    Column("energy_mwh", "MWh", "drawn at the meter"),
    Column("btc", "BTC", "mined, after rejects and pool fee"),
    Column("tokens", "1", "sold by the token"),
    Column("revenue_usd", "USD", "for work: bitcoin, tokens and GPU-hours"),
    Column("rent_usd", "USD", "leases and take-or-pay, due whatever is drawn"),
    Column("credits_usd", "USD", "curtailment programme"),
    Column("contracts_usd", "USD", "all contracts of [[contract]], income less cost"),
    Column("power_usd", "USD", "spot and contract, less resale, with adders and demand charge"),
    Column("penalty_usd", "USD", "for promised work that is not served"),
    Column("storage_usd", "USD", "degradation of the battery, and starts of blocks"),
    Column("fixed_usd", "USD", "fixed cost of the site"),
    Column("net_usd", "USD", "revenue, rent, credits and contracts less power, penalties, storage and fixed cost"),
    Column("capex_usd", "USD", "paid for hardware and conversions, less what is sold"),
    Column("debt_usd", "USD", "interest, fees and repayment, less what is drawn"),
    Column("tax_usd", "USD", "tax on income"),
    Column("cash_usd", "USD", "net less capex, debt and tax"),
)


HOURLY = (
    "energy_mwh",
    "btc",
    "tokens",
    "revenue_usd",
    "rent_usd",
    "credits_usd",
    "power_usd",
    "penalty_usd",
    "storage_usd",
    "fixed_usd",
)  # what is added up from the hours
BY_MONTH = ("contracts_usd", "capex_usd", "debt_usd", "tax_usd")  # what has no hours
BLOCK_HOURLY = ("facility_mwh", "units", "btc", "revenue_usd", "rent_usd")


class BlockMonths(NamedTuple):
    """A block in each month."""

    name: str
    product: str  # mining or inference
    unit: str  # of `units`: hash, token, gpu_hour or kw_month
    columns: Columns  # BLOCK_HOURLY; bitcoin is NaN for a block that does not mine, [M]


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of a site; amounts without a month of their own are spread as `activity` spreads them."""

    site: str
    months: Months  # the first and the last may be parts of months
    years: tuple[str, ...]  # first day of each year
    year_of_month: Integers  # number of the year of each month, from 0, [M]
    monthly: Columns  # [M]
    yearly: Columns  # [Y]
    total: dict[str, float]
    blocks: tuple[BlockMonths, ...]
    settlement: Settlement  # contracts and money by month


def statement(horizon: Horizon) -> Statement:
    """Return the statement of a horizon.

    Notes
    -----
    Months and years are each added up from the hours. In a horizon that begins within a month, a month belongs to two
    years, and what has no hours, such as capex, counts in the year that begins in this month.
    """
    months, years = len(horizon.months), len(horizon.years)
    monthly, yearly = np.zeros((len(HOURLY), months)), np.zeros((len(HOURLY), years))
    blocks = {block.name: np.zeros((len(BLOCK_HOURLY), months)) for block in horizon.site.blocks}
    for year, activity in horizon.parts:
        bounds = np.flatnonzero(np.diff(activity.month, prepend=-1))
        here = slice(int(activity.month[0]), int(activity.month[-1]) + 1)
        added = np.add.reduceat(_hourly(activity), bounds, axis=1)
        monthly[:, here] += added
        yearly[:, year] += added.sum(axis=1)
        for block in activity.blocks:
            blocks[block.name][:, here] += np.add.reduceat(_block_hourly(block), bounds, axis=1)
    settled = settle(horizon, _net_usd(dict(zip(HOURLY, monthly, strict=True))))
    money = settled.money
    owed = (
        settled.contracts_usd,
        money.capex - money.proceeds,
        money.fees + money.service - money.drawn,
        money.tax,
    )
    year_of_month = np.minimum(np.arange(months) // MONTHS, years - 1)
    by_year = _columns(yearly, [np.bincount(year_of_month, usd, minlength=years).astype(np.float64) for usd in owed])
    known = {block.name: block for part in horizon.parts for block in part.activity.blocks}
    return Statement(
        site=horizon.site.name,
        months=horizon.months,
        years=tuple(anniversary(horizon.start, year).isoformat() for year in range(years)),
        year_of_month=year_of_month,
        monthly=_columns(monthly, owed),
        yearly=by_year,
        total={name: float(values.sum()) for name, values in by_year.items()},
        blocks=tuple(_block_months(block, blocks[name]) for name, block in known.items()),
        settlement=settled,
    )


def _hourly(activity: Activity) -> Floats:
    """Return the amounts of each hour, rows as HOURLY, [rows, T]."""
    blocks, none = activity.blocks, np.zeros(activity.calendar.steps)
    return np.stack(
        [
            activity.metered_mwh,
            sum((block.btc for block in blocks if block.btc is not None), none),
            sum((block.units for block in blocks if block.unit == "token"), none),
            activity.revenue_usd,
            activity.rent_usd,
            activity.credits_usd,
            activity.power_usd,
            activity.penalty_usd,
            activity.storage_usd,
            activity.fixed_usd,
        ]
    )


def _net_usd(columns: Columns) -> Floats:
    """Return the net without contracts [USD]."""
    income = columns["revenue_usd"] + columns["rent_usd"] + columns["credits_usd"]
    return income - columns["power_usd"] - columns["penalty_usd"] - columns["storage_usd"] - columns["fixed_usd"]


def _columns(hourly: Floats, owed: Sequence[Floats]) -> Columns:
    """Return all columns in their order, from the sums over hours and what is owed by month."""
    columns = dict(zip(HOURLY, hourly, strict=True)) | dict(zip(BY_MONTH, owed, strict=True))
    columns["net_usd"] = _net_usd(columns) + columns["contracts_usd"]
    columns["cash_usd"] = columns["net_usd"] - columns["capex_usd"] - columns["debt_usd"] - columns["tax_usd"]
    return {column.name: columns[column.name] for column in COLUMNS}


def _block_hourly(block: BlockActivity) -> Floats:
    """Return the amounts of a block in each hour, rows as BLOCK_HOURLY, [rows, T]."""
    btc = np.zeros(block.units.size) if block.btc is None else block.btc
    return np.stack([block.facility_mwh, block.units, btc, block.revenue_usd, block.rent_usd])


def _block_months(block: BlockActivity, sums: Floats) -> BlockMonths:
    values = dict(zip(BLOCK_HOURLY, sums, strict=True))
    if block.btc is None:
        values["btc"] = np.full(sums.shape[1], np.nan)
    return BlockMonths(block.name, block.product, block.unit, values)
