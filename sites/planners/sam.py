"""A site's year as inputs of SAM's merchant plant, tiled over its 25 years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.planners.tables import revenue_hourly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sites.year import SiteYear

    Floats = NDArray[np.float64]

SAM_YEARS = 25
SAM_HOURS = 8760


def year_of_8760(year: SiteYear) -> tuple[Floats, Floats]:
    """Draw at the meter [kW] and revenue of a drawn MWh [USD/MWh] in 8760 hours of a year run hour by hour.

    A local 29 February is left out. Where nothing is drawn the price is 0. Revenue below 0 (a tenant paid to take
    power) is counted as 0, because SAM curtails hours with a negative price.
    """
    import numpy as np

    from sites.hours import meter_per_device

    if year.dispatch.mw is None:
        raise ValueError("year_of_8760: expected a year run with hourly=True")
    meter = year.dispatch.mw * meter_per_device(year.site, year.labels).T
    revenue, _ = revenue_hourly(year, meter)
    draw, earned = meter.sum(axis=1), np.maximum(revenue.sum(axis=1), 0.0)
    keep = np.ones(year.hours, bool)
    if year.hours > SAM_HOURS:
        keep[_leap_day(year)] = False
    draw, earned = draw[keep], earned[keep]
    price = np.where(draw > 0, earned / np.where(draw > 0, draw, 1.0), 0.0)
    return draw * 1000.0, price


def _leap_day(year: SiteYear) -> NDArray[np.int64]:
    import numpy as np

    days = np.datetime64(year.site.start_s, "s") + np.arange(year.hours) * np.timedelta64(3600, "s")
    local = days.astype("datetime64[D]").astype(str)
    marked = np.flatnonzero(np.char.endswith(local, "-02-29"))
    return marked if marked.size == 24 else np.arange(24)


def merchant_plant(year: SiteYear) -> dict[str, dict[str, Any]]:
    """Build inputs for `PySAM.Merchantplant` `assign`: 25 x 8760 hours of draw and price, the energy cost as O&M.

    One year alone would give a revenue of 0 without a word, because SAM reads the series as the plant's whole life.
    """
    draw_kw, price = year_of_8760(year)
    tiled = [round(value, 6) for value in draw_kw.tolist()] * SAM_YEARS
    prices = [round(value, 9) for value in price.tolist()] * SAM_YEARS
    metered = float(draw_kw.sum()) / 1000.0
    per_mwh = (year.energy_usd + year.penalty_usd - year.credits_usd) / metered if metered > 0 else 0.0
    return {
        "Lifetime": {"system_use_lifetime_output": 1},
        "FinancialParameters": {
            "analysis_period": SAM_YEARS,
            "inflation_rate": 0.0,
            "system_capacity": year.site.interconnect_mw * 1000.0,
        },
        "SystemOutput": {
            "gen": tiled,
            "system_pre_curtailment_kwac": tiled,
            "degradation": [0.0] * SAM_YEARS,
            "system_capacity": year.site.interconnect_mw * 1000.0,
        },
        "Revenue": {
            "mp_enable_energy_market_revenue": 1,
            "mp_enable_market_percent_gen": 0,
            "mp_energy_market_revenue": [[round(kw / 1000.0, 9), usd] for kw, usd in zip(tiled, prices, strict=True)],
        },
        "SystemCosts": {"om_production": [per_mwh], "om_production_escal": 0.0},
    }
