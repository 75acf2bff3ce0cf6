"""Measures of cash over time: net present value, internal rate, payback, levelised costs and debt service coverage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats, Integers

LOWEST_RATE, HIGHEST_RATE = -0.99, 1e6  # [1/year]
RATES = 2_000  # at which signs of the present value are compared
BISECTIONS = 200
PH, DAY_S = 1e15, 86_400


def discounts(years: Floats, discount_frac: float) -> Floats:
    """Return the present value of 1 USD at times in years, at a discount rate a year that is compounded yearly, [N]."""
    factors: Floats = (1.0 + discount_frac) ** -years
    return factors


def npv_usd(cash_usd: Floats, years: Floats, discount_frac: float) -> float:
    """Return the net present value of cash at times [USD].

    Parameters
    ----------
    cash_usd
        Cash, [N].
    years
        Time of each cash since the reference day [years], [N].
    discount_frac
        Discount rate a year, compounded yearly.
    """
    return float(discounts(years, discount_frac) @ cash_usd)


def irr_frac(cash_usd: Floats, years: Floats) -> float:
    """Return the internal rate of return a year: the discount rate at which the net present value is 0.

    Raises
    ------
    InputError
        All cash has one sign, or several rates are internal, so that none of them is the return.
    """
    used = cash_usd[cash_usd != 0.0]
    if not used.size or (used > 0).all() or (used < 0).all():
        sign = "all of it 0" if not used.size else f"only {'income' if used[0] > 0 else 'cost'}"
        raise InputError(f"IRR: expected cash with a change of sign, got {sign} in {cash_usd.size} periods")
    scale = cash_usd / np.abs(cash_usd).max()
    logs = np.linspace(math.log1p(LOWEST_RATE), math.log1p(HIGHEST_RATE), RATES)
    above = np.exp(-np.outer(logs, years)) @ scale > 0.0
    ends = np.flatnonzero(above[:-1] != above[1:])
    roots = [_root(scale, years, float(logs[at]), float(logs[at + 1])) for at in ends]
    if not roots:
        raise InputError("IRR: expected a rate of -99 % or more at which the net present value is 0, got none")
    if len(roots) > 1:
        rates = ", ".join(f"{math.expm1(root):.1%}" for root in roots[:4])
        raise InputError(
            f"IRR: expected one rate, got {len(roots)} ({rates}), because the cash changes sign repeatedly"
        )
    return math.expm1(roots[0])


def _root(cash: Floats, years: Floats, low: float, high: float) -> float:
    """Return the logarithm of 1 + rate at which the present value is 0, between two with different signs."""

    def value(log_rate: float) -> float:
        return math.fsum(np.exp(-log_rate * years) * cash)

    at_low = value(low)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (value(middle) > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def payback_years(cash_usd: Sequence[float], years: Sequence[float], last_investment: int = 0) -> float | None:
    """Return the time at which the sum of all cash reaches 0, after the last investment; None if it does not.

    Parameters
    ----------
    cash_usd
        Cash [USD]; that of a period comes in evenly since the time of the one before, [N].
    years
        Time of each cash, or the end of its period [years], [N].
    last_investment
        Number of the last cash that pays for an investment; no earlier time counts as payback.
    """
    total = 0.0
    for at, cash in enumerate(cash_usd):
        total += cash
        if at > last_investment and cash > 0.0 and total >= 0.0:
            begin = years[at - 1]
            return begin + max(cash - total, 0.0) / cash * (years[at] - begin)
    return None


def levelised_usd(cost_usd: Floats, units: Floats, years: Floats, discount_frac: float) -> float | None:
    """Return the cost of a unit over a horizon: discounted costs over discounted units; None without units.

    Parameters
    ----------
    cost_usd
        Costs, less the residual values, positive [USD], [N].
    units
        Units made, [N]: BTC, or millions of tokens, or `ph_s_days`.
    years
        As in `npv_usd`.
    discount_frac
        As in `npv_usd`.
    """
    made = npv_usd(units, years, discount_frac)
    return npv_usd(cost_usd, years, discount_frac) / made if made > 0 else None


def ph_s_days(hashes: Floats) -> Floats:
    """Return hashes as PH/s-days: the work of one PH/s in a day."""
    return hashes / (PH * DAY_S)


def dscr(available_usd: Floats, service_usd: Floats, period: Integers) -> dict[int, float]:
    """Return the debt service coverage ratio of each period that has debt service: available cash over it.

    Parameters
    ----------
    available_usd
        Cash that is available for debt service, after operating costs and tax [USD], [M].
    service_usd
        Interest and repayment, positive [USD], [M].
    period
        Period of each month, such as its calendar year, [M].
    """
    ratios = {}
    for number in np.unique(period).tolist():
        here = period == number
        service = math.fsum(service_usd[here])
        if service > 0:
            ratios[int(number)] = math.fsum(available_usd[here]) / service
    return ratios
