"""Tax on income by calendar year, with losses that are carried forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.hours.months import Months


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """The terms of a tax on income."""

    rate_frac: float
    losses_usd: float = 0.0  # carried into the horizon
    loss_use_frac: float = 1.0  # [-] of a year's income that carried losses may offset (0.8 in the United States)


@dataclass(frozen=True, slots=True)
class TaxSchedule:
    """The tax of each month [USD], [M], and the years from which it follows."""

    tax: Floats  # due in the last month of each calendar year within the horizon
    income: dict[int, float]  # [USD] before losses, by calendar year
    losses: dict[int, float]  # [USD] carried out of each calendar year


def income_tax(terms: TaxTerms, income_usd: Floats, months: Months) -> TaxSchedule:
    """Return the tax on the income of each month.

    Parameters
    ----------
    terms
        Terms of the tax.
    income_usd
        Income of each month: operating net, less interest and depreciation, plus gains of sales [USD], [M].
    months
        Months of the horizon.
    """
    tax = np.zeros(len(months))
    income, carried = {}, {}
    losses = terms.losses_usd
    for year in np.unique(months.calendar_year).tolist():
        here = np.flatnonzero(months.calendar_year == year)
        income[year] = float(income_usd[here].sum())
        offset = min(losses, terms.loss_use_frac * max(income[year], 0.0))
        losses += max(-income[year], 0.0) - offset
        carried[year] = losses
        tax[here[-1]] = terms.rate_frac * max(income[year] - offset, 0.0)
    return TaxSchedule(tax, income, carried)
