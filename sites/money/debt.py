"""Loans by month: bullet and amortising, with interest by real days or by equal months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from hardware_profiles.errors import InputError
from sites.hours.months import Months

if TYPE_CHECKING:
    from sites.arrays import Floats

DayCount = Literal["30/360", "actual/365", "actual/360"]
Repayment = Literal["bullet", "level payment", "equal principal"]
CENT_USD = 0.01


@dataclass(frozen=True, slots=True)
class DebtTerms:
    """The terms of a loan that is drawn on one day."""

    name: str
    principal_usd: float
    interest_frac: float  # [1/year] nominal
    drawn: date
    months: int  # payments: at the end of each month from the drawing on
    repayment: Repayment = "level payment"
    interest_only_months: int = 0  # first payments without repayment
    payment_usd: float | None = None  # fixed payment in place of the level one that repays the loan in time
    fee_frac: float = 0.0  # [-] of the principal, at the drawing
    day_count: DayCount = "30/360"
    settled_at_end: bool = False  # whether what is owed at the end of the horizon is repaid there


@dataclass(frozen=True, slots=True)
class DebtSchedule:
    """A loan in each month of a horizon [USD], [M]; the balance is that at the end of the month."""

    drawn: Floats
    fee: Floats
    interest: Floats
    repaid: Floats
    balance: Floats

    @property
    def service(self) -> Floats:
        """Interest and repayment of each month."""
        return self.interest + self.repaid

    @property
    def cash(self) -> Floats:
        """Cash of the borrower: drawing less fee and service."""
        return self.drawn - self.fee - self.service


def debt(terms: DebtTerms, months: Months) -> DebtSchedule:
    """Return the schedule of a loan.

    Raises
    ------
    InputError
        The loan is drawn outside the horizon, it is never repaid, or it ends after the horizon.

    Notes
    -----
    Interest of a month is balance x rate x its share of the year: 1/12 (30/360; the month of the drawing by its real
    days), days/365 or days/360. A level payment is the equal sum that repays the loan in its months at these shares.
    """
    place = f"debt {terms.name}"
    first = months.index(terms.drawn)
    if first is None:
        days = f"a day of {months.start} to {months.end - timedelta(days=1)}, the horizon"
        raise InputError.at(place, "drawn", expected=days, got=terms.drawn.isoformat())
    whole = Months.between(terms.drawn, _end_of(terms.drawn, terms.months))
    rates = terms.interest_frac * _year_shares(whole, terms.day_count)
    interest, repaid = _payments(terms, rates, place)
    here = len(months) - first
    if interest.size > here:
        if not terms.settled_at_end:
            last = months.end - timedelta(days=1)
            raise InputError.at(
                place,
                "months",
                expected=f"at most {here}, because the horizon ends on {last} (or settled_at_end = true)",
                got=terms.months,
            )
        repaid[here - 1] = terms.principal_usd - repaid[: here - 1].sum()
        interest, repaid = interest[:here], repaid[:here]
    row = slice(first, first + interest.size)
    drawn, fee, paid_interest, paid_back = (np.zeros(len(months)) for _ in range(4))
    drawn[first], fee[first] = terms.principal_usd, terms.fee_frac * terms.principal_usd
    paid_interest[row], paid_back[row] = interest, repaid
    balance = np.cumsum(drawn - paid_back)
    balance[np.abs(balance) < CENT_USD / 1000.0] = 0.0
    return DebtSchedule(drawn, fee, paid_interest, paid_back, balance)


def _payments(terms: DebtTerms, rates: Floats, place: str) -> tuple[Floats, Floats]:
    """Return the interest and the repayment of each month of the loan [USD]."""
    count, free = rates.size, terms.interest_only_months
    if free >= count:
        raise InputError.at(place, "interest_only_months", expected=f"fewer than {count}, its payments", got=free)
    interest, repaid = np.zeros(count), np.zeros(count)
    payment = terms.payment_usd if terms.payment_usd is not None else _level_usd(terms.principal_usd, rates[free:])
    balance = terms.principal_usd
    for month in range(count):
        interest[month] = balance * rates[month]
        if month == count - 1 and terms.payment_usd is None:
            repaid[month] = balance
        elif month >= free and terms.repayment == "level payment":
            if payment <= interest[month]:
                raise InputError.at(
                    place,
                    "payment_usd",
                    expected=f"above the interest of a month ({interest[month]:,.2f} USD), else it is never repaid",
                    got=payment,
                )
            repaid[month] = min(payment - interest[month], balance)
        elif month >= free and terms.repayment == "equal principal":
            repaid[month] = terms.principal_usd / (count - free)
        balance -= repaid[month]
    if balance > CENT_USD:
        raise InputError.at(
            place,
            "payment_usd",
            expected=f"a payment that repays the loan in {count} months",
            got=f"{balance:,.2f} USD that are never repaid",
        )
    return interest, repaid


def _level_usd(principal_usd: float, rates: Floats) -> float:
    """Return the equal payment that repays a principal at the interest rates of its months [USD]."""
    worth = np.cumprod(1.0 / (1.0 + rates))
    return principal_usd / float(worth.sum())


def _year_shares(months: Months, day_count: DayCount) -> Floats:
    """Return the share of a year for which each month bears interest."""
    if day_count == "30/360":
        return months.days / months.calendar_days / 12.0
    return months.days / (365.0 if day_count == "actual/365" else 360.0)


def _end_of(drawn: date, payments: int) -> date:
    """Return the day after the last payment, which is at the end of a month."""
    year, month = divmod(drawn.year * 12 + drawn.month - 1 + payments, 12)
    return date(year, month + 1, 1)
