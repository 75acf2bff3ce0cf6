"""The inputs of SAM's merchant plant: a site's year, repeated over 25 years, or the years of a horizon."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sites.dispatch.formulas import resale_price
from sites.dispatch.parts import hourly_parts, meter_of_parts
from sites.dispatch.problem import problem
from sites.dispatch.programme import programme_hourly
from sites.hours.calendar import zone
from sites.planners.tables import revenue_hourly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers
    from sites.dispatch.year import SiteYear

SAM_YEARS = 25
SAM_HOURS = 8760
LEAST_DRAW_MW = 1e-9  # a smaller draw would be written as 0 kW
FEBRUARY, DAY_29 = 1, 28  # counted from 0


class Series(NamedTuple):
    """A site's year of 8760 hours in the form that SAM accepts."""

    draw_kw: Floats  # [8760] at the meter
    usd_per_mwh: Floats  # [8760] revenue of a drawn MWh
    om_usd_per_mwh: float  # power and penalties less credits, per drawn MWh
    fixed_usd: float  # [USD/year] fixed cost, and that of power and penalties in a year without draw
    capacity_kw: float  # of the interconnect
    notes: tuple[str, ...]  # about data that SAM does not accept


class HourlyCash(NamedTuple):
    """What SAM's series need of a site's year."""

    name: str  # of the site
    draw_mw: Floats  # [MW meter], [T]
    earned_usd: Floats  # [USD] revenue with rents, [T]
    cost_usd: Floats  # [USD] power and penalties less credits, without demand charge, [T]
    demand_charge_usd: float
    fixed_usd: float
    month: Integers  # billing month, from 0, [T]
    leap_day: NDArray[np.bool_]  # whether the hour is on 29 February in local time, [T]
    interconnect_mw: float


def year_of_8760(year: SiteYear) -> Series:
    """Return a year in the form that SAM accepts.

    Raises
    ------
    InputError
        The year was not run with `hourly=True`.
    """
    mw, _, _ = year.in_hours()
    meter = mw * meter_of_parts(year.site, year.labels).T
    revenue, _ = revenue_hourly(year, meter)
    return series_of(
        HourlyCash(
            name=year.site.name,
            draw_mw=meter.sum(axis=1),
            earned_usd=revenue.sum(axis=1),
            cost_usd=cost_hourly(year, meter),
            demand_charge_usd=year.demand_charge_usd,
            fixed_usd=year.fixed_usd,
            month=year.site.calendar.billing,
            leap_day=leap_day(year),
            interconnect_mw=year.site.interconnect_mw,
        )
    )


def series_of(year: HourlyCash) -> Series:
    """Return the hours of a year in the form that SAM accepts.

    The hours of a local 29 February are left out of draw, revenue and cost, but not of the demand charge. SAM pays only
    for drawn energy, so that the rent of hours without draw is counted in the drawn hours of the same month, and the
    sum of the series is the year's revenue. Negative revenue (a tenant paid to take power) counts as 0, because SAM
    curtails hours with a negative price.
    """
    name, hours = year.name, year.draw_mw.size
    # A 29 February of 25 hours keeps one of them; with one of 23 hours, the last hour of the year is dropped too.
    left_out = np.flatnonzero(year.leap_day)[: max(hours - SAM_HOURS, 0)]
    keep, notes = np.delete(np.arange(hours), left_out)[:SAM_HOURS], []
    if left_out.size:
        notes.append(f"{name}: 29 February (local time) is left out of the series for SAM, which has 8760 hours")
    draw, earned = year.draw_mw[keep], year.earned_usd[keep]
    draw[draw < LEAST_DRAW_MW] = 0.0
    idle = (draw <= 0) & (earned > 0)
    if idle.any():
        lost = f"{earned[idle].sum():,.0f} USD of rent in {int(idle.sum())} hours without draw"
        where = "counted in the drawn hours of the same month" if draw.any() else "not in the series, which has no draw"
        notes.append(f"{name}: for SAM, {lost} are {where}")
        earned = _moved_to_draw(draw, earned, idle, year.month[keep])
    below = earned < 0
    if below.any():
        lost = f"{-earned[below].sum():,.0f} USD in {int(below.sum())} hours"
        notes.append(f"{name}: negative revenue counts as 0 in the series for SAM: {lost}")
    price = np.where(draw > 0, np.maximum(earned, 0.0) / np.where(draw > 0, draw, 1.0), 0.0)
    drawn = float(draw.sum())
    cost = float(year.cost_usd[keep].sum()) + year.demand_charge_usd
    om, fixed = (cost / drawn, year.fixed_usd) if drawn > 0 else (0.0, year.fixed_usd + cost)
    short = max(SAM_HOURS - keep.size, 0)  # a year from one anniversary to the next may have 8759 hours
    draw, price = np.pad(draw, (0, short)), np.pad(price, (0, short))
    return Series(draw * 1000.0, price, om, fixed, year.interconnect_mw * 1000.0, tuple(notes))


def _moved_to_draw(draw: Floats, earned: Floats, idle: NDArray[np.bool_], month: Integers) -> Floats:
    """Return the revenue with that of idle hours in the drawn hours of its month, or of the year in a month without."""
    rent_usd = np.bincount(month, weights=np.where(idle, earned, 0.0))
    drawn_mwh = np.bincount(month, weights=draw)
    per_mwh = np.divide(rent_usd, drawn_mwh, out=np.zeros_like(rent_usd), where=drawn_mwh > 0)
    if drawn_mwh.any():
        per_mwh += rent_usd[drawn_mwh <= 0].sum() / drawn_mwh.sum()
    moved: Floats = np.where(idle, 0.0, earned) + per_mwh[month] * draw
    return moved


def leap_day(year: SiteYear) -> NDArray[np.bool_]:
    """Return whether each hour is on 29 February in local time, [T]."""
    first = datetime.fromtimestamp(year.site.start_s, tz=zone(year.site.timezone)).date()
    days = np.datetime64(first, "D") + year.site.calendar.day_of_year
    in_month = (days - days.astype("datetime64[M]")).astype(np.int64)
    on_leap_day: NDArray[np.bool_] = (year.site.calendar.month == FEBRUARY) & (in_month == DAY_29)
    return on_leap_day


def cost_hourly(year: SiteYear, meter_mw: Floats) -> Floats:
    """Return power and penalties less credits [USD], [T], without demand charge; `meter_mw` is [T, parts]."""
    site_problem, drawn = problem(year.site), meter_mw.sum(axis=1)
    hours = site_problem.hours
    spot, adder = hours.spot_usd_per_mwh, hours.adder_usd_per_mwh
    resale = resale_price(hours.resale_usd_per_mwh)
    every = (resale > spot) & (site_problem.contract_mw > 0)  # the contract is resold, all drawn power bought
    bought = np.where(every, drawn, np.maximum(drawn - site_problem.contract_mw, 0.0))
    sold = np.where(every, site_problem.contract_mw, np.maximum(site_problem.contract_mw - drawn, 0.0))
    power = bought * spot + site_problem.contract_mw * site_problem.contract_usd_per_mwh - sold * resale + adder * drawn
    _, promises, _ = hourly_parts(year.site)
    short = np.maximum(promises - year.in_hours()[0].T, 0.0)
    cost: Floats = power + site_problem.parts.penalty_usd_per_mwh @ (short * site_problem.over_mean)
    paid = programme_hourly(site_problem.programme, year.dispatch.load)
    return cost - paid if paid.size else cost


def merchant_plant(series: Series) -> dict[str, dict[str, Any]]:
    """Return inputs for `assign` of `PySAM.Merchantplant`: 25 x 8760 hours of draw and price, with energy cost as O&M.

    SAM reads the series as the whole life of the plant, so that a single year would silently give a revenue of 0.
    """
    plant = merchant_plant_of_years([series] * SAM_YEARS)
    plant["SystemCosts"]["om_production"] = [series.om_usd_per_mwh]
    plant["SystemCosts"]["om_fixed"] = [series.fixed_usd]
    return plant


def merchant_plant_of_years(years: Sequence[Series]) -> dict[str, dict[str, Any]]:
    """Return inputs for `assign` of `PySAM.Merchantplant`: N x 8760 hours of N years, each with its own cost."""
    count = len(years)
    draw_kw = [round(value, 6) for series in years for value in series.draw_kw.tolist()]
    prices = [round(value, 9) for series in years for value in series.usd_per_mwh.tolist()]
    capacity_kw = max(series.capacity_kw for series in years)
    return {
        "Lifetime": {"system_use_lifetime_output": 1},
        "FinancialParameters": {
            "analysis_period": count,
            "inflation_rate": 0.0,
            "system_capacity": capacity_kw,
        },
        "SystemOutput": {
            "gen": draw_kw,
            "system_pre_curtailment_kwac": draw_kw,
            "degradation": [0.0] * count,
            "system_capacity": capacity_kw,
        },
        "Revenue": {
            "mp_enable_energy_market_revenue": 1,
            "mp_enable_market_percent_gen": 0,
            "mp_energy_market_revenue": [[round(kw / 1000.0, 9), usd] for kw, usd in zip(draw_kw, prices, strict=True)],
        },
        "SystemCosts": {
            "om_production": [series.om_usd_per_mwh for series in years],
            "om_production_escal": 0.0,
            "om_fixed": [series.fixed_usd for series in years],
            "om_fixed_escal": 0.0,
        },
    }
