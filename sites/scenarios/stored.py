"""A site with a battery or start costs in scenarios: each year is dispatched anew, one scenario after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import (
    CHARGE_USD,
    ENERGY_USD,
    HOUR,
    METER_MWH,
    PENALTY_USD,
    REVENUE_USD,
    ROW_SUMS,
    SHORT_MWH,
    SUM,
    TOTAL_SUMS,
    UNITS,
)
from sites.dispatch.parts import PartFactors
from sites.dispatch.problem import problem
from sites.dispatch.stored.year import stored_dispatch
from sites.storage.solve import quick

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.kernels.paths import Factors


def check_stored(site: Site) -> None:
    """Raise InputError for a site with a battery or start costs whose curtailment programme would need its load."""
    if site.has_storage and site.enrolled_mw > 0.0:
        raise InputError(
            f"scenarios: expected site {site.name!r} without curtailment.enrolled_mw beside a battery or start costs, "
            f"got {site.enrolled_mw:g} MW"
        )


def stored_sums(site: Site, factors: Factors, count: int) -> tuple[Floats, Floats]:
    """Return the sums of a site's year in the first `count` scenarios of `factors`, as `engine.run_shard` does.

    The cost of power includes degradation and starts.
    """
    arrays = problem(site)
    month = arrays.month
    blocks = arrays.blocks.shape[0]
    rows, totals = np.zeros((blocks, ROW_SUMS, count)), np.zeros((TOTAL_SUMS, count))
    over_spot = arrays.hours.resale_usd_per_mwh - arrays.hours.spot_usd_per_mwh
    for s in range(count):
        series = arrays.series.copy()
        series[HOUR.spot_usd_per_mwh] *= factors.power[month, s]
        series[HOUR.resale_usd_per_mwh] = series[HOUR.spot_usd_per_mwh] + over_spot
        own = PartFactors(*(part[:, month, s] for part in (factors.able, factors.asked, factors.worth, factors.units)))
        done, storage = stored_dispatch(site, arrays._replace(series=series), solver=quick, factors=own)
        rows[:, METER_MWH, s] = done.blocks[:, SUM.meter_mwh]
        rows[:, REVENUE_USD, s] = done.blocks[:, SUM.revenue_usd]
        rows[:, UNITS, s] = done.blocks[:, SUM.units]
        rows[:, SHORT_MWH, s] = done.blocks[:, SUM.short_mwh]
        own_usd = storage.wear_usd + storage.start_usd
        totals[ENERGY_USD, s] = done.energy_usd - done.contract_usd - done.demand_charge_usd + own_usd
        totals[CHARGE_USD, s], totals[PENALTY_USD, s] = done.demand_charge_usd, done.penalty_usd
    return rows, totals


def quick_error_frac(site: Site) -> float:
    """Return by how much the quick plan of the scenarios earns less than the best one, in the site's own year."""
    from sites.dispatch.stored.rows import rows_of, steps_of
    from sites.storage.hours import NO_BATTERY
    from sites.storage.solve import best

    arrays = problem(site)
    steps, battery = steps_of(site, arrays, rows_of(site, arrays)), site.battery or NO_BATTERY
    truth, value = best(steps, battery).value_usd, quick(steps, battery).value_usd
    return (truth - value) / abs(truth) if truth else 0.0
