"""Hosting of another party's machines, and being hosted: fees, shares of revenue or profit, and a minimum.

Host and customer have the same statement with opposite signs: `hosting` is the host's, `hosted` the customer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.contracts.lines import escalated

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines


@dataclass(frozen=True, slots=True)
class HostingTerms:
    """The terms of a hosting contract; whatever is 0 is not charged."""

    usd_per_kwh: float = 0.0  # metered energy of the hosted machines
    usd_per_kw_month: float = 0.0  # contracted power, drawn or not
    contracted_kw: float = 0.0  # [kW]
    revenue_share_frac: float = 0.0  # [-] of what the machines earn
    profit_share_frac: float = 0.0  # [-] of revenue less all fees and passed-through energy
    losses_carried: bool = False  # whether a month without profit lowers the profit of later months
    minimum_usd_per_month: float = 0.0  # least sum of fees and shares in a month
    energy_passed_through: bool = False  # whether the customer repays the host's cost of energy
    escalator_frac: float = 0.0  # [-] rise of fees and minimum at each anniversary


@dataclass(frozen=True, slots=True)
class HostedMonths:
    """What the hosted machines did in each month, [M]."""

    energy_kwh: Floats  # metered
    revenue_usd: Floats  # worth of what they made
    energy_usd: Floats  # what their energy costs whoever pays the supplier
    in_force: Floats  # [-] share of the month in which the contract is in force
    anniversaries: Integers  # of the contract that have passed


def fees(terms: HostingTerms, months: HostedMonths) -> Lines:
    """Return what the customer owes the host in each month [USD], by line, all positive.

    Parameters
    ----------
    terms
        Terms of the contract.
    months
        Energy, revenue and cost of the hosted machines while the contract is in force.

    Notes
    -----
    The minimum counts fees and shares, and not the passed-through energy. A month in which the contract is in force in
    part owes that share of the minimum and of the fee per kW-month.
    """
    rise = escalated(1.0, terms.escalator_frac, months.anniversaries)
    energy = terms.usd_per_kwh * rise * months.energy_kwh
    capacity = terms.usd_per_kw_month * terms.contracted_kw * rise * months.in_force
    passed = months.energy_usd if terms.energy_passed_through else np.zeros_like(months.energy_usd)
    revenue_share = terms.revenue_share_frac * months.revenue_usd
    profit = months.revenue_usd - energy - capacity - revenue_share - passed
    if terms.losses_carried:
        profit = _after_losses(profit)
    profit_share = terms.profit_share_frac * np.maximum(profit, 0.0)
    charged = energy + capacity + revenue_share + profit_share
    minimum = terms.minimum_usd_per_month * rise * months.in_force
    return {
        "energy fee": energy,
        "capacity fee": capacity,
        "revenue share": revenue_share,
        "profit share": profit_share,
        "minimum top-up": np.maximum(minimum - charged, 0.0),
        "energy passed through": passed,
    }


def hosting(terms: HostingTerms, months: HostedMonths) -> Lines:
    """Return the host's lines [USD], [M]: the fees, less the output of the machines, which is the customer's.

    The statement of the site counts that output as revenue, and the cost of all its energy.
    """
    return fees(terms, months) | {"output of the customer": -months.revenue_usd}


def hosted(terms: HostingTerms, months: HostedMonths) -> Lines:
    """Return the customer's lines [USD], [M]: the fees, plus the energy, which the host pays.

    The statement of the site counts the output of the machines as revenue, and the cost of all its energy.
    """
    owed = {name: -usd for name, usd in fees(terms, months).items()}
    return owed | {"energy paid by the host": months.energy_usd.copy()}


def _after_losses(profit: Floats) -> Floats:
    """Return the profit of each month less the losses of earlier months that no profit has made up yet."""
    left = np.empty_like(profit)
    loss = 0.0
    for month, usd in enumerate(profit):
        left[month] = usd - loss
        loss = max(loss - usd, 0.0)
    return left
