"""The rents of leases, which are due whatever the tenant draws, and the payments of take-or-pay contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.problem import full_mw

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.model import InferenceBlock, Site

KW_PER_MW = 1000.0


class Rent(NamedTuple):
    """What a contract pays in a year on top of the work that is done."""

    usd: float  # [USD]
    units: float  # [kW-month] of a lease; 0 for take-or-pay, whose GPU-hours are not taken


def rent(site: Site, block: InferenceBlock) -> Rent:
    """Return what a block's contract pays in the site's year on top of the work that is done."""
    usd = float(rent_by_month_usd(site, block).sum())
    if block.is_lease:
        return Rent(usd, full_mw(block) * KW_PER_MW * float(site.calendar.billed_frac.sum()))
    return Rent(usd, 0.0)


def rent_by_month_usd(site: Site, block: InferenceBlock) -> Floats:
    """Return what a block's contract pays in each billing month [USD], shape [M].

    A lease pays for each calendar month and contracted kW. Take-or-pay pays for the GPU-hours of its minimum that are
    not asked for; the mean demand is compared with the minimum.
    """
    shares = site.calendar.billed_frac
    if block.is_lease:
        monthly: Floats = full_mw(block) * KW_PER_MW * block.price_usd * shares
        return monthly
    not_taken_frac = max(block.take_or_pay_frac - block.demand_frac, 0.0)
    hours: Floats = np.bincount(site.calendar.billing, minlength=shares.size).astype(np.float64) * site.calendar.step_h
    unused: Floats = block.count * (1.0 - block.spare_frac) * not_taken_frac * block.price_usd * hours
    return unused


def rent_hourly_usd(site: Site, block: InferenceBlock) -> Floats:
    """Return a block's rent, spread evenly over the steps of each billing month [USD], shape [T]."""
    billing = site.calendar.billing
    hourly: Floats = (rent_by_month_usd(site, block) / np.bincount(billing))[billing]
    return hourly
