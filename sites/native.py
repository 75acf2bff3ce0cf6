"""The dispatch of a site at the resolution of its prices, against that of their hourly means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sites.dispatch.year import site_year
from sites.hours.calendar import HOUR_S
from sites.hours.intervals import MINUTE_S

if TYPE_CHECKING:
    from sites.dispatch.year import SiteYear
    from sites.file.inputs import Inputs


@dataclass(frozen=True, slots=True)
class NativeGap:
    """What hourly means of finer prices leave out: the site cannot react within the hour."""

    step_minutes: int  # shortest interval of the prices
    net_usd: float  # [USD] net of the year in steps of that length
    more_usd: float  # [USD] the same less the net of the hourly year


def native_gap(inputs: Inputs, year: SiteYear) -> NativeGap | None:
    """Return the gap between a site's native year and its hourly one; None if its prices are hourly or constant.

    Parameters
    ----------
    inputs
        Inputs of the site.
    year
        Its hourly year.
    """
    if year.site.price_step_s == HOUR_S or year.site.calendar.step_s != HOUR_S:
        return None
    net_usd = site_year(replace(inputs, native=True).site()).net_usd
    return NativeGap(year.site.price_step_s // MINUTE_S, net_usd, net_usd - year.net_usd)
