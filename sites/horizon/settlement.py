"""The contracts and the money of a horizon: what its files say, settled month by month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.contracts.file import settled
from sites.contracts.lines import total_usd
from sites.contracts.power_file import Outside
from sites.dispatch.later_year import same_hours
from sites.file.horizon.forward import read_forward
from sites.file.hourly.reader import HourlyReader
from sites.file.ranges import MEGAWATTS_OR_NONE, PRICE
from sites.horizon.ledger import ledger_of
from sites.horizon.outlays import assets_of
from sites.hours.clock import Clock
from sites.money.cash import cash
from sites.money.file import plan_of

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.contracts.lines import Lines
    from sites.file.horizon.tables import ForwardTable
    from sites.file.values import HourlyTable
    from sites.horizon.years import Horizon
    from sites.hours.months import Months
    from sites.money.cash import Cash


@dataclass(frozen=True, slots=True)
class Settlement:
    """What contracts and money add to a horizon in each month, [M]."""

    contracts: dict[str, Lines]  # [USD] lines of each contract by its name, income positive
    contracts_usd: Floats  # [USD] of all contracts
    money: Cash


def settle(horizon: Horizon, net_usd: Floats) -> Settlement:
    """Settle the contracts and the money of a horizon.

    Parameters
    ----------
    horizon
        The years of a site.
    net_usd
        Net of the site without contracts [USD], [M].

    Raises
    ------
    InputError
        A contract, an investment or a loan does not fit the horizon, or a file that one names is faulty.
    """
    try:
        return _settled(horizon, net_usd)
    except InputError as error:
        path = str(horizon.inputs.path)
        raise InputError(*(fault if path in fault else f"{path}: {fault}" for fault in error.faults)) from None


def _settled(horizon: Horizon, net_usd: Floats) -> Settlement:
    file, months = horizon.inputs.file, horizon.months
    contracts: dict[str, Lines] = {}
    if file.contract:
        contracts = settled(file.contract, ledger_of(horizon), months, _outside(horizon))
    contracts_usd = sum((total_usd(lines) for lines in contracts.values()), np.zeros(len(months)))
    plan = plan_of(file)
    plan = replace(plan, assets=(*plan.assets, *assets_of(file, months)))
    return Settlement(contracts, contracts_usd, cash(plan, net_usd + contracts_usd, months, _btc_usd(horizon)))


def _outside(horizon: Horizon) -> Outside:
    site, folder = horizon.site, Path(horizon.inputs.path).parent
    clock = Clock.of(site.timezone)

    def hourly(table: HourlyTable) -> Floats:
        first = HourlyReader(folder, site.calendar, clock, "USD").read(table, MEGAWATTS_OR_NONE)
        return np.concatenate([first[same_hours(site, year)] for year in range(len(horizon.years))])

    def forward(table: ForwardTable, months: Months) -> Floats:
        return np.asarray(read_forward(folder / table.file, table.column, months.names, PRICE))

    return Outside(clock, hourly, forward)


def _btc_usd(horizon: Horizon) -> Floats:
    """Return the price of bitcoin in the last hour of each month [USD/BTC], [M]."""
    prices = np.zeros(len(horizon.months))
    for year, site in enumerate(horizon.years):
        month = 12 * year + site.calendar.billing
        last = np.flatnonzero(np.diff(month, append=-1))
        prices[month[last]] = site.btc_usd if site.btc_path_usd is None else site.btc_path_usd[last]
    return prices
