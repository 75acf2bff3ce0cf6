"""What conversion costs and gives back: bitcoin sold, a loan on bitcoin, payback, present value, levelised cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats

NEVER = "does not pay back"
KWH_PER_MWH = 1000.0


def _positive(place: str, **values: float) -> None:
    for key, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError.at(place, key, expected="a finite number above 0", got=value)


def payback_years(capex_usd: float, cash_usd_per_year: Sequence[float]) -> float | None:
    """Years until the cash of the years has returned the capex, in a straight line within a year; None for never.

    Never means within the years given: no huge number stands for it.
    """
    left = capex_usd
    for year, cash in enumerate(cash_usd_per_year):
        if cash > 0 and cash >= left:
            return year + max(left, 0.0) / cash
        left -= cash
    return None


def payback_text(years: float | None) -> str:
    """Payback as people read it."""
    return NEVER if years is None else f"{years:.1f} years"


def npv_usd(
    capex_usd: float, cash_usd_per_year: Sequence[float], discount_frac: float, residual_usd: float = 0.0
) -> float:
    """Net present value [USD]: each year's cash at its end, the residual value at the last one's, less the capex today.

    Raises InputError for a discount rate of -1 or less.
    """
    if not (math.isfinite(discount_frac) and discount_frac > -1.0):
        raise InputError.at("npv", "discount_frac", expected="a finite share above -1", got=discount_frac)
    factors = [(1.0 + discount_frac) ** -(year + 1) for year in range(len(cash_usd_per_year))]
    present = math.fsum(cash * factor for cash, factor in zip(cash_usd_per_year, factors, strict=True))
    return present + (residual_usd * factors[-1] if factors else 0.0) - capex_usd


def annuity_frac(discount_frac: float, years: float) -> float:
    """Share of a capex that each of `years` equal payments carries."""
    _positive("annuity", years=years)
    return 1.0 / years if discount_frac == 0.0 else discount_frac / -math.expm1(-years * math.log1p(discount_frac))


def levelised_usd_per_unit(
    capex_usd: float, running_usd_per_year: float, units_per_year: float, discount_frac: float, years: float
) -> float | None:
    """Cost of a unit [USD/BTC, or USD/Mtok with units in millions] over a life; None where none is made."""
    if units_per_year <= 0:
        return None
    return (capex_usd * annuity_frac(discount_frac, years) + running_usd_per_year) / units_per_year


def breakeven_power_usd_per_mwh(net_usd: float, energy_mwh: float, power_usd_per_mwh: float) -> float | None:
    """Price of power [USD/MWh] at which a year's net is 0 if the same energy is drawn; None where none is."""
    return power_usd_per_mwh + net_usd / energy_mwh if energy_mwh > 0 else None


def breakeven_hashprice(hashprice: float, net_usd: float, mining_usd: float) -> float | None:
    """Hashprice [as given] at which a year's net is 0 if the same hashes are made; None where no price above 0 is."""
    found = hashprice * (1.0 - net_usd / mining_usd) if mining_usd > 0 else 0.0
    return found if found > 0 else None


def usd_per_th_s(price_usd: float, hashrate_h_s: float) -> float:
    """Price of a hash rate [USD per TH/s]."""
    _positive("capital", price_usd=price_usd, hashrate_h_s=hashrate_h_s)
    return price_usd / (hashrate_h_s / 1e12)


def usd_per_mw(price_usd: float, mw: float) -> float:
    """Price of a megawatt [USD/MW]."""
    _positive("capital", price_usd=price_usd, mw=mw)
    return price_usd / mw


@dataclass(frozen=True, slots=True)
class Sale:
    """Bitcoin sold to fund something: [BTC], [USD/BTC] and the cost of selling as a share."""

    btc: float
    btc_usd: float
    cost_frac: float = 0.0

    @property
    def proceeds_usd(self) -> float:
        """What the sale leaves [USD]."""
        return self.btc * self.btc_usd * (1.0 - self.cost_frac)


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan on bitcoin.

    principal_usd, collateral_btc. margin_call_ltv, liquidation_ltv: loan over the collateral's value at which the
    lender asks for more, and sells.

    Raises InputError for an amount of 0 or less, or levels out of order.
    """

    principal_usd: float
    collateral_btc: float
    margin_call_ltv: float
    liquidation_ltv: float

    def __post_init__(self) -> None:  # noqa: D105
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
        """Price of bitcoin [USD] at which a loan-to-value is reached."""
        return self.principal_usd / (self.collateral_btc * ltv)

    def repaid(self, usd: float) -> Loan | None:
        """Return the loan after a repayment, the collateral left where it is; None when it is repaid in full."""
        if usd < 0 or not math.isfinite(usd):
            raise InputError.at("loan", "repayment", expected="a finite number of 0 or more", got=usd)
        left = self.principal_usd - usd
        if left <= 0:
            return None
        return Loan(left, self.collateral_btc, self.margin_call_ltv, self.liquidation_ltv)


def touch_probability(
    price: float, barrier: float, volatility_frac: float, years: float, drift_frac_per_year: float = 0.0
) -> float:
    """Probability that a geometric Brownian motion touches a lower barrier within a time, watched all the time.

    With nu = ln(1 + drift) - s^2/2 and b = ln(barrier/price) < 0: N((b - nu T)/(s sqrt T)) + e^(2 nu b/s^2)
    N((b + nu T)/(s sqrt T)). Raises InputError for a price or barrier of 0 or less, or a negative volatility.

    References: M. J. Harrison, Brownian Motion and Stochastic Flow Systems (1985), section 1.8 (reflection principle).
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
    """Payback over scenarios.

    probability: that the cash returns the capex within the years looked at. p50_years, p90_years: by when it has with
    50 and 90 % probability, None where it has not. npv_p50_usd, npv_p90_usd: exceeded with 50 and 90 %.
    npv_positive: probability of a net present value above 0.
    """

    years: int
    probability: float
    p50_years: float | None
    p90_years: float | None
    npv_p50_usd: float
    npv_p90_usd: float
    npv_positive: float


def payback(
    capex_usd: float, cash_usd: Floats, discount_frac: float, *, residual_usd: float = 0.0, lead_years: float = 0.0
) -> Payback:
    """Describe payback and present value over scenarios.

    cash_usd: [years, S] more cash with the investment than without. residual_usd: [USD] at the end of the last year.
    lead_years: from paying to the first year's beginning, in which nothing comes in; it counts in the payback time.

    Raises InputError for a capex that is not finite.
    """
    from sites.scenarios.uncertainty import exceeded

    if not math.isfinite(capex_usd):
        raise InputError.at("payback", "capex_usd", expected="a finite number", got=capex_usd)
    years, count = cash_usd.shape
    periods = np.array([_payback_of(capex_usd, cash_usd[:, s]) for s in range(count)]) + lead_years
    discounts = (1.0 + discount_frac) ** -(np.arange(1, years + 1) + lead_years)
    values = discounts @ cash_usd + residual_usd * discounts[-1] - capex_usd
    ranked = np.sort(periods)

    def by(probability: float) -> float | None:
        value = float(ranked[min(count - 1, math.ceil(probability * count) - 1)])
        return value if math.isfinite(value) else None

    return Payback(
        years=years,
        probability=float(np.isfinite(periods).mean()),
        p50_years=by(0.5),
        p90_years=by(0.9),
        npv_p50_usd=exceeded(values, 0.5),
        npv_p90_usd=exceeded(values, 0.9),
        npv_positive=float((values > 0).mean()),
    )


def _payback_of(capex_usd: float, cash: Floats) -> float:
    found = payback_years(capex_usd, cash.tolist())
    return math.inf if found is None else found
