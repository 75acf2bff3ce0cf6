"""The cash of a site by month: operations, investments, debt and tax, and the measures of project and equity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.money.assets import asset
from sites.money.btc_loan import BtcLoanTerms, btc_loan
from sites.money.debt import debt
from sites.money.measures import dscr, irr_frac, npv_usd, payback_years
from sites.money.tax import income_tax

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.hours.months import Months
    from sites.money.assets import Asset
    from sites.money.debt import DebtTerms
    from sites.money.tax import TaxTerms


@dataclass(frozen=True, slots=True)
class Plan:
    """What is invested, borrowed and taxed over a horizon."""

    assets: tuple[Asset, ...] = ()
    debts: tuple[DebtTerms | BtcLoanTerms, ...] = ()
    tax: TaxTerms | None = None


@dataclass(frozen=True, slots=True)
class Cash:
    """The cash of each month [USD], [M]; costs and payments are positive in their own columns."""

    operating: Floats  # net of the site with its contracts
    capex: Floats
    proceeds: Floats  # of investments that are sold
    depreciation: Floats
    gain: Floats  # of sales over book values
    drawn: Floats
    fees: Floats  # of debt
    interest: Floats  # due, whether paid or added to the loan
    service: Floats  # interest and repayment that is paid
    balance: Floats  # of all debt at the end of the month
    tax: Floats
    tax_without_debt: Floats

    @property
    def project(self) -> Floats:
        """Cash before debt, with the tax that would be due without it."""
        return self.operating - self.capex + self.proceeds - self.tax_without_debt

    @property
    def equity(self) -> Floats:
        """Cash after debt and tax."""
        return self.operating - self.capex + self.proceeds + self.drawn - self.fees - self.service - self.tax


def cash(plan: Plan, operating_usd: Floats, months: Months, btc_usd: Floats | None = None) -> Cash:
    """Return the cash of a site.

    Parameters
    ----------
    plan
        Investments, debt and tax.
    operating_usd
        Net of the site with its contracts [USD], [M].
    months
        Months of the horizon.
    btc_usd
        Price of bitcoin at the end of each month [USD/BTC], [M]; needed for loans against bitcoin.

    Raises
    ------
    InputError
        An investment or a loan does not fit the horizon, a loan is never repaid, or the price of bitcoin is missing.

    Notes
    -----
    Taxed is the operating net less interest, fees of debt and depreciation, plus gains of sales.
    """
    zero = np.zeros(len(months))
    assets = [asset(item, months) for item in plan.assets]
    loans = [_loan(terms, months, btc_usd) for terms in plan.debts]
    depreciation = sum((item.depreciation for item in assets), zero)
    gain = sum((item.gain for item in assets), zero)
    income = operating_usd - depreciation + gain
    tax, without_debt = zero, zero
    interest, fees = (sum((getattr(loan, key) for loan in loans), zero) for key in ("interest", "fees"))
    if plan.tax is not None:
        tax = income_tax(plan.tax, income - interest - fees, months).tax
        without_debt = income_tax(plan.tax, income, months).tax
    return Cash(
        operating=operating_usd,
        capex=sum((item.capex for item in assets), zero),
        proceeds=sum((item.proceeds for item in assets), zero),
        depreciation=depreciation,
        gain=gain,
        drawn=sum((loan.drawn for loan in loans), zero),
        fees=fees,
        interest=interest,
        service=sum((loan.service for loan in loans), zero),
        balance=sum((loan.balance for loan in loans), zero),
        tax=tax,
        tax_without_debt=without_debt,
    )


class _Loan(NamedTuple):
    """A loan of any kind in each month [USD], [M]."""

    drawn: Floats
    fees: Floats
    interest: Floats
    service: Floats
    balance: Floats


def _loan(terms: DebtTerms | BtcLoanTerms, months: Months, btc_usd: Floats | None) -> _Loan:
    if isinstance(terms, BtcLoanTerms):
        if btc_usd is None:
            raise InputError(f"debt {terms.name}: expected a price of bitcoin, got a site without one")
        pledged = btc_loan(terms, months, btc_usd)
        none = np.zeros(len(months))
        return _Loan(pledged.drawn_usd, none, pledged.interest_usd, pledged.paid_usd, pledged.balance_usd)
    loan = debt(terms, months)
    return _Loan(loan.drawn, loan.fee, loan.interest, loan.service, loan.balance)


@dataclass(frozen=True, slots=True)
class Worth:
    """The measures of a stream of cash."""

    npv_usd: float | None  # None without a discount rate
    irr_frac: float | None  # [1/year]
    no_irr: str  # why there is no internal rate; empty if there is one
    payback_years: float | None  # None if the cash does not pay back


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a site's cash over its horizon."""

    project: Worth  # before debt
    equity: Worth  # after debt and tax
    least_dscr: float | None  # debt service coverage of the worst calendar year; None without debt service
    mean_dscr: float | None  # of all calendar years together


def measures(flows: Cash, months: Months, discount_frac: float | None) -> Measures:
    """Return the measures of a site's cash, whose payments fall due at the end of each month.

    Parameters
    ----------
    flows
        The cash.
    months
        Months of the horizon.
    discount_frac
        Discount rate a year, compounded yearly; None for no present values.
    """
    last = max((int(month) for month in np.flatnonzero(flows.capex)), default=0)
    available = flows.operating - flows.tax
    years = months.calendar_year
    ratios = dscr(available, flows.service, years)
    serviced = np.isin(years, list(ratios))
    mean = math.fsum(available[serviced]) / math.fsum(flows.service[serviced]) if ratios else None
    return Measures(
        project=_worth(flows.project, months, discount_frac, last),
        equity=_worth(flows.equity, months, discount_frac, last),
        least_dscr=min(ratios.values(), default=None),
        mean_dscr=mean,
    )


def _worth(usd: Floats, months: Months, discount_frac: float | None, last_investment: int) -> Worth:
    years = months.end_years
    rate: float | None = None
    reason = ""
    try:
        rate = irr_frac(usd, years)
    except InputError as error:
        reason = str(error).removeprefix("IRR: ")
    return Worth(
        npv_usd=None if discount_frac is None else npv_usd(usd, years, discount_frac),
        irr_frac=rate,
        no_irr=reason,
        payback_years=payback_years(usd.tolist(), years.tolist(), last_investment),
    )
