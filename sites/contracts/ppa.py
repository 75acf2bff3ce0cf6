"""Power purchase agreements and swaps: a volume at a contract price, settled against the spot price of each step.

The statement of a site counts all its energy at spot. A contract adds its volume at spot and takes it at the contract
price, which is the same for a contract that delivers (what the site does not draw is sold at spot) and for one that
only pays the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sites.contracts.lines import by_month

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines

BelowZero = Literal["settled", "floored", "suspended"]


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """The price of a contract: fixed, a collar on the spot price, or an index plus an adder; one of the three."""

    fixed_usd_per_mwh: float | None = None
    floor_usd_per_mwh: float | None = None  # of a collar
    cap_usd_per_mwh: float | None = None  # of a collar
    adder_usd_per_mwh: float = 0.0  # on the index
    escalator_frac: float = 0.0  # [-] rise of fixed price, floor, cap and adder at each anniversary
    below_zero: BelowZero = "settled"  # steps with a spot price below 0: as others, spot counted as 0, or no volume


@dataclass(frozen=True, slots=True)
class Market:
    """The steps over which a contract is settled."""

    spot_usd_per_mwh: Floats  # [T]
    month: Integers  # [T] of the horizon
    anniversaries: Integers  # [M] of the contract that have passed

    @property
    def months(self) -> int:
        """M, the number of months."""
        return int(self.anniversaries.size)


def contract_price(terms: PriceTerms, market: Market, index_usd_per_mwh: Floats | None = None) -> Floats:
    """Return the contract price of each step [USD/MWh], [T].

    Parameters
    ----------
    terms
        Terms of the price.
    market
        The steps.
    index_usd_per_mwh
        Index that the adder is on, [T]; the spot price if None.
    """
    rise = ((1.0 + terms.escalator_frac) ** market.anniversaries.astype(float))[market.month]
    if terms.fixed_usd_per_mwh is not None:
        fixed: Floats = terms.fixed_usd_per_mwh * rise
        return fixed
    spot = _reference(terms, market)
    if terms.floor_usd_per_mwh is not None or terms.cap_usd_per_mwh is not None:
        low = -np.inf if terms.floor_usd_per_mwh is None else terms.floor_usd_per_mwh * rise
        high = np.inf if terms.cap_usd_per_mwh is None else terms.cap_usd_per_mwh * rise
        collared: Floats = np.clip(spot, low, high)
        return collared
    return (spot if index_usd_per_mwh is None else index_usd_per_mwh) + terms.adder_usd_per_mwh * rise


def ppa(terms: PriceTerms, market: Market, volume_mwh: Floats, index_usd_per_mwh: Floats | None = None) -> Lines:
    """Return the buyer's lines of a power purchase agreement [USD], [M].

    Parameters
    ----------
    terms, market
        Terms of the price, and the steps.
    volume_mwh
        Contract volume of each step, [T]: `as_produced`, `baseload` or `shaped`.
    index_usd_per_mwh
        As in `contract_price`.
    """
    price = contract_price(terms, market, index_usd_per_mwh)
    if terms.below_zero == "suspended":
        volume_mwh = np.where(market.spot_usd_per_mwh < 0.0, 0.0, volume_mwh)
    return {
        "contract energy": -by_month(volume_mwh * price, market.month, market.months),
        "contract volume at spot": by_month(volume_mwh * _reference(terms, market), market.month, market.months),
    }


def as_produced(generated_mwh: Floats, share_frac: float) -> Floats:
    """Return the volume of a contract on a share of what a plant generates [MWh], [T]."""
    return share_frac * generated_mwh


def baseload(mw: float, in_force: Floats, step_h: Floats | float = 1.0) -> Floats:
    """Return the volume of a contract on constant power [MWh], [T], for a mask of the steps in force."""
    return mw * step_h * in_force.astype(float)


def shaped(mw_by_how: Floats, how: Integers, in_force: Floats, step_h: Floats | float = 1.0) -> Floats:
    """Return the volume of a contract on a weekly shape [MWh], [T].

    Parameters
    ----------
    mw_by_how
        Power of each hour of the week, the first of Monday first [MW], [168].
    how
        Local hour of the week of each step, [T].
    in_force
        Mask of the steps in force, [T].
    step_h
        Length of a step [h].
    """
    volume: Floats = mw_by_how[how] * step_h * in_force.astype(float)
    return volume


def swap(
    fixed_usd_per_mwh: Floats | float,
    market: Market,
    volume_mwh: Floats,
    *,
    floating: Literal["each step", "month average"] = "each step",
) -> Lines:
    """Return the lines of the payer of the fixed price in a fixed-for-floating swap [USD], [M].

    Parameters
    ----------
    fixed_usd_per_mwh
        Fixed price, the strike, alike or of each step, [T].
    market
        The steps.
    volume_mwh
        Notional quantity of each step, [T].
    floating
        Whether the floating price is that of each step, or the plain mean of a month's steps in which there is volume.
    """
    spot = market.spot_usd_per_mwh
    if floating == "month average":
        spot = _month_means(spot, volume_mwh != 0.0, market)[market.month]
    return {"swap settlement": by_month(volume_mwh * (spot - fixed_usd_per_mwh), market.month, market.months)}


def _reference(terms: PriceTerms, market: Market) -> Floats:
    """Return the spot price as the contract counts it, [T]."""
    return np.maximum(market.spot_usd_per_mwh, 0.0) if terms.below_zero == "floored" else market.spot_usd_per_mwh


def _month_means(values: Floats, counted: Floats, market: Market) -> Floats:
    steps = by_month(counted.astype(float), market.month, market.months)
    means: Floats = by_month(values * counted, market.month, market.months) / np.maximum(steps, 1.0)
    return means
