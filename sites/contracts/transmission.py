"""Transmission charges by coincident peaks: the mean demand at a year's peaks is paid for in the next year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.contracts.lines import Lines
    from sites.hours.months import Months

PEAK_MONTHS = (6, 7, 8, 9)  # of ERCOT's four coincident peaks


@dataclass(frozen=True, slots=True)
class PeakTerms:
    """The terms of a charge on coincident peaks."""

    usd_per_kw_year: float
    peaks: int = len(PEAK_MONTHS)  # peaks of a year, one in each of its peak months
    losses_frac: float = 0.0  # [-] added to the metered demand
    prior_kw: float = 0.0  # [kW] mean demand at the peaks of a year that has no figures: the one before the horizon


def coincident_peaks(terms: PeakTerms, demand_kw: Mapping[int, Sequence[float]], months: Months) -> Lines:
    """Return the lines of a charge on coincident peaks [USD], [M].

    Parameters
    ----------
    terms
        Terms of the charge.
    demand_kw
        Demand of the site at the peaks of each calendar year [kW]: the mean power in the settlement interval of the
        system's peak.
    months
        Months of the horizon.

    Notes
    -----
    The demand of a year is the sum of its demands at the peaks over the number of peaks, so a site that is not there
    yet at one of them counts with 0. It is billed in the twelve months of the next calendar year in equal parts.
    """
    billed = np.zeros(len(months))
    whole = months.in_force()
    for month, year in enumerate(months.calendar_year):
        before = int(year) - 1
        kw = sum(demand_kw[before]) / terms.peaks if before in demand_kw else terms.prior_kw
        billed[month] = kw * (1.0 + terms.losses_frac) * terms.usd_per_kw_year / 12.0 * whole[month]
    return {"transmission charge": -billed}
