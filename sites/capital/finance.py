"""Formulas of finance: payback, present value, levelised and break-even costs, sales of and loans on bitcoin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.money import measures
from sites.scenarios.distributions import exceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats

NEVER = "does not pay back"
SHORTEST_SERVICE = 1e-9  # [years] what is shorter comes from rounding


def _positive(name: str, **values: float) -> None:
    for key, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError.at(name, key, expected="a finite number above 0", got=value)


class Service(NamedTuple):
    """The part of a plan's year in which a purchase is in service."""

    year: int  # of the plan, from 0
    begin: float  # [years since the payment]
    end: float  # [years since the payment]

    @property
    def share(self) -> float:
        """Share of the year."""
        return self.end - self.begin


def in_service(lead_years: float, years: float) -> tuple[Service, ...]:
    """Return the service in each year of a plan: a device that is ready in month 7 earns five months of year 1.

    Parameters
    ----------
    lead_years
        Time from payment to service.
    years
        Time in service.
    """
    last = lead_years + years
    parts = (Service(year, max(year, lead_years), min(year + 1.0, last)) for year in range(math.ceil(last)))
    return tuple(part for part in parts if part.share > SHORTEST_SERVICE)


def payback_years(
    capex_usd: float, cash_usd: Sequence[float], service: Sequence[Service] | None = None
) -> float | None:
    """Return the years until cash has returned the capex, linear within each service; None if it does not.

    Without `service`, the cash is that of whole years.
    """
    parts = service or in_service(0.0, len(cash_usd))
    times = [*(part.begin for part in parts[:1]), *(part.end for part in parts)]
    return measures.payback_years([-capex_usd, *cash_usd], times)


def payback_text(years: float | None) -> str:
    """Return a payback time in words."""
    return NEVER if years is None else f"{years:.1f} years"


def annuity_frac(discount_frac: float, years: float) -> float:
    """Return the share of a capex in each of `years` equal yearly payments."""
    _positive("annuity", years=years)
    return 1.0 / years if discount_frac == 0.0 else discount_frac / -math.expm1(-years * math.log1p(discount_frac))


def levelised_usd_per_unit(
    capex_usd: float, running_usd_per_year: float, units_per_year: float, discount_frac: float, years: float
) -> float | None:
    """Return the cost of a unit over a life [USD/BTC, or USD/Mtok with units in millions]; None without units."""
    if units_per_year <= 0:
        return None
    return (capex_usd * annuity_frac(discount_frac, years) + running_usd_per_year) / units_per_year


def usd_per_th_s(price_usd: float, hashrate_h_s: float) -> float:
    """Return the price of a hash rate [USD per TH/s]."""
    _positive("capital", price_usd=price_usd, hashrate_h_s=hashrate_h_s)
    return price_usd / (hashrate_h_s / 1e12)


def usd_per_mw(price_usd: float, mw: float) -> float:
    """Return the price of a megawatt [USD/MW]."""
    _positive("capital", price_usd=price_usd, mw=mw)
    return price_usd / mw


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale of bitcoin that funds a purchase."""

    btc: float  # [BTC] sold
    btc_usd: float  # [USD/BTC]
    cost_frac: float = 0.0  # of selling

    @property
    def proceeds_usd(self) -> float:
        """Proceeds of the sale after its cost [USD]."""
        return self.btc * self.btc_usd * (1.0 - self.cost_frac)


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan with bitcoin as collateral."""

    principal_usd: float
    collateral_btc: float  # [BTC]
    margin_call_ltv: float  # loan over value of the collateral at which the lender asks for more collateral
    liquidation_ltv: float  # the same at which the lender sells the collateral

    def __post_init__(self) -> None:
        """Raise InputError for an amount of 0 or less, or levels that do not increase."""
        _positive("loan", principal_usd=self.principal_usd, collateral_btc=self.collateral_btc)
        if not 0.0 < self.margin_call_ltv < self.liquidation_ltv <= 1.0:
            raise InputError(
                "loan: expected 0 < margin_call_ltv < liquidation_ltv <= 1, got "
                f"{self.margin_call_ltv:g} and {self.liquidation_ltv:g}"
            )

    def ltv(self, btc_usd: float) -> float:
        """Return the loan over the value of its collateral."""
        _positive("loan", btc_usd=btc_usd)
        return self.principal_usd / (self.collateral_btc * btc_usd)

    def trigger_usd(self, ltv: float) -> float:
        """Return the price of bitcoin [USD] at which a loan-to-value is reached."""
        return self.principal_usd / (self.collateral_btc * ltv)

    def repaid(self, usd: float) -> Loan | None:
        """Return the loan after a repayment [USD], with the same collateral; None if it is repaid in full."""
        if usd < 0 or not math.isfinite(usd):
            raise InputError.at("loan", "repayment", expected="a finite number of 0 or more", got=usd)
        remaining = self.principal_usd - usd
        if remaining <= 0:
            return None
        return Loan(remaining, self.collateral_btc, self.margin_call_ltv, self.liquidation_ltv)


def touch_probability(
    price: float, barrier: float, volatility_frac: float, years: float, drift_frac_per_year: float = 0.0
) -> float:
    """Return the probability that a geometric Brownian motion touches a lower barrier within a time.

    The motion is monitored continuously.

    Parameters
    ----------
    price
        Price today.
    barrier
        The barrier, in the unit of the price.
    volatility_frac
        Yearly volatility.
    years
        The time.
    drift_frac_per_year
        Expected growth a year.

    Raises
    ------
    InputError
        The price, the barrier or the time is 0 or less, or the volatility is negative.

    Notes
    -----
    With nu = ln(1 + drift) - s^2/2 and b = ln(barrier/price) < 0, the probability is
    N((b - nu T)/(s sqrt T)) + e^(2 nu b/s^2) N((b + nu T)/(s sqrt T)).

    References
    ----------
    M. J. Harrison, Brownian Motion and Stochastic Flow Systems (1985), section 1.8 (reflection principle).
    """
    _positive("barrier", price=price, barrier=barrier, years=years)
    if volatility_frac < 0 or not math.isfinite(volatility_frac):
        raise InputError.at("barrier", "volatility_frac", expected="a finite number of 0 or more", got=volatility_frac)
    if barrier >= price:
        return 1.0
    b = math.log(barrier / price)
    if volatility_frac == 0:
        return 1.0 if math.log1p(drift_frac_per_year) * years <= b else 0.0
    nu = math.log1p(drift_frac_per_year) - 0.5 * volatility_frac**2
    width = volatility_frac * math.sqrt(years)
    reflected = 2.0 * nu * b / volatility_frac**2
    later = _normal((b + nu * years) / width)
    return min(1.0, _normal((b - nu * years) / width) + (math.exp(reflected) * later if later > 0 else 0.0))


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@dataclass(frozen=True, slots=True)
class Payback:
    """Payback time and net present value over scenarios."""

    years: int  # in service
    probability: float  # that the cash returns the capex within the horizon
    p50_years: float | None  # time by which it has with a probability of 50 %; None if it has not
    p90_years: float | None  # the same for 90 %
    npv_p50_usd: float  # exceeded with a probability of 50 %
    npv_p90_usd: float  # exceeded with a probability of 90 %
    npv_positive: float  # probability of a net present value above 0


def payback(
    capex_usd: float,
    cash_usd: Floats,
    discount_frac: float,
    *,
    residual_usd: float = 0.0,
    service: Sequence[Service] | None = None,
) -> Payback:
    """Return payback time and net present value of an investment over scenarios.

    Parameters
    ----------
    capex_usd
        The investment [USD].
    cash_usd
        Additional cash from the investment in each service [USD], shape [services, scenarios].
    discount_frac
        Discount rate a year.
    residual_usd
        Residual value at the end of the last service [USD].
    service
        When the cash comes in, counted from the payment; whole years from the payment on if None.

    Raises
    ------
    InputError
        The capex is not finite.
    """
    if not math.isfinite(capex_usd):
        raise InputError.at("payback", "capex_usd", expected="a finite number", got=capex_usd)
    rows, count = cash_usd.shape
    parts = service or in_service(0.0, rows)
    periods = np.array([_payback_of(capex_usd, cash_usd[:, s], parts) for s in range(count)])
    discounts = measures.discounts(np.array([part.end for part in parts]), discount_frac)
    values = discounts @ cash_usd + residual_usd * discounts[-1] - capex_usd
    ranked = np.sort(periods)

    def by(probability: float) -> float | None:
        value = float(ranked[min(count - 1, math.ceil(probability * count) - 1)])
        return value if math.isfinite(value) else None

    return Payback(
        years=round(sum(part.share for part in parts)),
        probability=float(np.isfinite(periods).mean()),
        p50_years=by(0.5),
        p90_years=by(0.9),
        npv_p50_usd=exceeded(values, 0.5),
        npv_p90_usd=exceeded(values, 0.9),
        npv_positive=float((values > 0).mean()),
    )


def _payback_of(capex_usd: float, cash: Floats, service: Sequence[Service]) -> float:
    years = payback_years(capex_usd, cash.tolist(), service)
    return math.inf if years is None else years
