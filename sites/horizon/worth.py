"""What the cash of a horizon is worth: present value, internal rate, payback, debt service and levelised costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.contracts.lines import total_usd
from sites.file.contracts.hosting_tables import GpuHoursTable, HostingTable, LeaseTable
from sites.money.cash import measures
from sites.money.measures import levelised_usd, ph_s_days

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.file.contracts.tables import AnyContract
    from sites.file.site_file import SiteFile
    from sites.horizon.statement import Statement
    from sites.horizon.years import Horizon
    from sites.money.cash import Measures


@dataclass(frozen=True, slots=True)
class HorizonWorth:
    """The measures of a horizon."""

    discount_frac: float | None  # a year; None without a rate, and so without present values and levelised costs
    cash: Measures  # of project and equity
    usd_per_ph_s_day: float | None  # levelised; None unless the site mines alone
    usd_per_mtok: float | None  # levelised; None unless the site sells tokens alone


def worth(horizon: Horizon, done: Statement) -> HorizonWorth | None:
    """Return the measures of a statement; None for a site file with neither a discount rate nor an investment.

    Notes
    -----
    Levelised are all costs of the site, less credits, with its contracts on power and investments less what is sold.
    Contracts that sell its output, its GPUs or its space are no cost.
    """
    discount_frac = discount_of(horizon.inputs.file)
    if discount_frac is None and not done.settlement.money.capex.any():
        return None
    years = horizon.months.end_years
    monthly = done.monthly
    running_usd = monthly["power_usd"] + monthly["penalty_usd"] + monthly["fixed_usd"] - monthly["credits_usd"]
    contracts = done.settlement.contracts
    of_power = (total_usd(contracts[table.name]) for table in horizon.inputs.file.contract if not _sells(table))
    cost_usd: Floats = running_usd - sum(of_power, 0.0 * years) + monthly["capex_usd"]

    def levelised(unit: str, scaled: Floats) -> float | None:
        if discount_frac is None or any(block.unit != unit for block in done.blocks):
            return None
        return levelised_usd(cost_usd, scaled, years, discount_frac)

    made: Floats = sum((block.columns["units"] for block in done.blocks), 0.0 * years)
    return HorizonWorth(
        discount_frac=discount_frac,
        cash=measures(done.settlement.money, horizon.months, discount_frac),
        usd_per_ph_s_day=levelised("hash", ph_s_days(made)),
        usd_per_mtok=levelised("token", made / 1e6),
    )


def _sells(table: AnyContract) -> bool:
    """Return whether a contract sells output, GPUs or space of the site."""
    if isinstance(table, HostingTable):
        return table.role == "host"
    return isinstance(table, LeaseTable | GpuHoursTable)


def discount_of(file: SiteFile) -> float | None:
    """Return the discount rate of [horizon], or else that of [capital], as a share a year."""
    own = file.horizon.discount_percent if file.horizon is not None else None
    rate = own or (file.capital.discount_percent if file.capital is not None else None)
    return None if rate is None else rate.value / 100.0
