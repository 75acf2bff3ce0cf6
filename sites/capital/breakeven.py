"""Break-even prices of a site: where the net of its year is 0 when every hour is decided anew at each price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sites.capital.switching import FACTOR_RANGE, site_hashprice
from sites.dispatch.year import site_year
from sites.scenarios.causes import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.model import Site

HIGHEST_POWER_USD_PER_MWH = 10_000.0
NOTHING_USD = 1.0  # a year's net below this is no income
BISECTIONS = 40


class Breakeven(NamedTuple):
    """A break-even price, or why there is none."""

    price: float | None  # in the unit of the price that was varied
    reason: str  # empty if there is a price


def breakeven_power(site: Site) -> Breakeven:
    """Return the mean power price [USD/MWh] above which a site's year has no net.

    All hours of the market price are shifted alike. Devices stand still in hours that do not pay; rents and fixed costs
    fall due all the same.
    """
    mean = float(site.spot_usd_per_mwh.mean())

    def net_usd(price: float) -> float:
        shift = price - mean
        return site_year(
            replace(
                site,
                spot_usd_per_mwh=site.spot_usd_per_mwh + shift,
                resale_usd_per_mwh=site.resale_usd_per_mwh + shift,
            )
        ).net_usd

    pays_free, pays_dear = net_usd(0.0) > NOTHING_USD, net_usd(HIGHEST_POWER_USD_PER_MWH) > NOTHING_USD
    if pays_free and not pays_dear:
        return Breakeven(_edge(net_usd, HIGHEST_POWER_USD_PER_MWH, 0.0), "")
    if pays_dear:
        why = "what falls due anyway pays at any power price" if pays_free else "contracted power gains with its price"
        return Breakeven(None, why)
    return Breakeven(None, "no power price of 0 or more pays the costs that fall due anyway")


def breakeven_hashprice(site: Site) -> Breakeven:
    """Return the mean hashprice [USD/PH/s/day] above which a site's year has a net, by the price of bitcoin."""
    if not site.mining:
        return Breakeven(None, "no miners")
    today = site_hashprice(site)

    def net_usd(factor: float) -> float:
        return site_year(scaled(site, {"btc": factor})).net_usd

    low, high = FACTOR_RANGE
    if net_usd(low) > NOTHING_USD:
        return Breakeven(None, "other income pays at any hashprice")
    if net_usd(high) <= NOTHING_USD:
        return Breakeven(None, f"not even {high:,.0f} times today's hashprice pays")
    return Breakeven(today * _edge(net_usd, low, high), "")


def _edge(net_usd: Callable[[float], float], without: float, paying: float) -> float:
    """Return the price between one without net and one with it at which the net begins."""
    for _ in range(BISECTIONS):
        middle = 0.5 * (without + paying)
        if net_usd(middle) > NOTHING_USD:
            paying = middle
        else:
            without = middle
    return paying
