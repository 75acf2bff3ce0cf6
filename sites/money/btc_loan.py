"""Loans against bitcoin: margin calls that are met in bitcoin or in cash, and the sale of collateral by the lender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.hours.months import Months


@dataclass(frozen=True, slots=True)
class BtcLoanTerms:
    """The terms of a loan against bitcoin, repaid in one sum at its end."""

    name: str
    principal_usd: float
    collateral_btc: float
    interest_frac: float  # [1/year] nominal, by real days over 365
    drawn: date
    repaid: date  # last day of the loan
    margin_call_ltv: float  # [-] loan-to-value from which on the lender asks for more
    liquidation_ltv: float  # [-] loan-to-value from which on the lender sells collateral
    cured_ltv: float  # [-] loan-to-value that a call or a sale restores
    met_in: Literal["btc", "usd"] = "btc"  # how a margin call is met
    interest_paid: bool = True  # paid each month, or else added to the loan
    sale_cost_frac: float = 0.0  # [-] of sold collateral


@dataclass(frozen=True, slots=True)
class BtcLoanSchedule:
    """A loan against bitcoin in each month of a horizon, [M]; balance and collateral at the end of the month."""

    drawn_usd: Floats
    interest_usd: Floats  # due, paid or added to the loan
    paid_usd: Floats  # interest and repayment in cash
    posted_btc: Floats  # to meet margin calls; negative when the collateral comes back
    sold_btc: Floats  # collateral that the lender sold
    sold_usd: Floats  # proceeds, which repay the loan
    balance_usd: Floats
    collateral_btc: Floats
    ltv: Floats  # [-] at the end of the month, before a call or a sale; 0 without a loan

    @property
    def cash(self) -> Floats:
        """Cash of the borrower [USD]: drawing less interest and repayment; collateral is not cash."""
        return self.drawn_usd - self.paid_usd


def btc_loan(terms: BtcLoanTerms, months: Months, btc_usd: Floats) -> BtcLoanSchedule:
    """Return the schedule of a loan against bitcoin.

    Parameters
    ----------
    terms
        Terms of the loan.
    months
        Months of the horizon.
    btc_usd
        Price of bitcoin at the end of each month, at which the loan-to-value is checked [USD/BTC], [M].

    Raises
    ------
    InputError
        The levels of loan-to-value are not in order, the loan is drawn or repaid outside the horizon, it is under a
        margin call when it is drawn, or all collateral does not repay it, so that it is never repaid.

    Notes
    -----
    A sale of x BTC at price p and cost c restores the loan-to-value L: (B - x p (1 - c)) / ((C - x) p) = L, so
    x = (B - L C p) / (p (1 - c - L)). A call is met by B / (L p) - C bitcoin, or by B - L C p USD.
    """
    first, last = _checked(terms, months)
    count = len(months)
    drawn, interest, paid, posted, sold, sold_usd, balances, collaterals, ltvs = (np.zeros(count) for _ in range(9))
    balance, collateral = terms.principal_usd, terms.collateral_btc
    drawn[first], posted[first] = balance, collateral
    in_force = months.in_force(terms.drawn, terms.repaid) * months.calendar_days
    for month in range(first, last + 1):
        price = float(btc_usd[month])
        interest[month] = balance * terms.interest_frac * in_force[month] / 365.0
        if terms.interest_paid:
            paid[month] = interest[month]
        else:
            balance += interest[month]
        ltvs[month] = balance / (collateral * price) if collateral > 0.0 else 0.0
        if ltvs[month] >= terms.liquidation_ltv:
            sold[month] = _sale_btc(terms, balance, collateral, price)
            sold_usd[month] = sold[month] * price * (1.0 - terms.sale_cost_frac)
            balance, collateral = balance - sold_usd[month], collateral - sold[month]
            if balance > 0 and collateral <= 0:
                raise InputError(
                    f"debt {terms.name}: expected collateral that repays it, got {balance:,.0f} USD that are never "
                    f"repaid after all of it is sold at {price:,.0f} USD/BTC"
                )
        elif ltvs[month] >= terms.margin_call_ltv:
            if terms.met_in == "btc":
                more = balance / (terms.cured_ltv * price) - collateral
                posted[month] += more
                collateral += more
            else:
                cure = balance - terms.cured_ltv * collateral * price
                paid[month] += cure
                balance -= cure
        if month == last:
            paid[month] += balance
            posted[month] -= collateral
            balance = collateral = 0.0
        balances[month], collaterals[month] = balance, collateral
    return BtcLoanSchedule(drawn, interest, paid, posted, sold, sold_usd, balances, collaterals, ltvs)


def _sale_btc(terms: BtcLoanTerms, balance_usd: float, collateral_btc: float, price: float) -> float:
    """Return the collateral that the lender sells [BTC]: what restores the loan-to-value, at most all of it."""
    kept = 1.0 - terms.sale_cost_frac
    if kept <= terms.cured_ltv:
        return collateral_btc
    return min(
        (balance_usd - terms.cured_ltv * collateral_btc * price) / (price * (kept - terms.cured_ltv)), collateral_btc
    )


def _checked(terms: BtcLoanTerms, months: Months) -> tuple[int, int]:
    """Return the months of drawing and repayment; raise InputError for terms that do not fit."""
    place = f"debt {terms.name}"
    if not 0.0 < terms.cured_ltv < terms.margin_call_ltv < terms.liquidation_ltv <= 1.0:
        raise InputError(
            f"{place}: expected 0 < cured < margin call < liquidation <= 100 % of loan-to-value, got "
            f"{terms.cured_ltv:.0%}, {terms.margin_call_ltv:.0%} and {terms.liquidation_ltv:.0%}"
        )
    if terms.repaid < terms.drawn:
        raise InputError.at(place, "repaid", expected=f"a day from {terms.drawn} on", got=terms.repaid.isoformat())
    found = []
    for key in ("drawn", "repaid"):
        day: date = getattr(terms, key)
        month = months.index(day)
        if month is None:
            days = f"a day of {months.start} to {months.end - timedelta(days=1)}, the horizon"
            tail = ", else it is never repaid" if key == "repaid" else ""
            raise InputError.at(place, key, expected=f"{days}{tail}", got=day.isoformat())
        found.append(month)
    return found[0], found[1]
