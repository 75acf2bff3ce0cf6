"""Metrics of a run: revenue, energy, net, BTC and tokens of sites and of the fleet, in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import CHARGE_USD, CREDITS_USD, ENERGY_USD, METER_MWH, PENALTY_USD, REVENUE_USD, UNITS

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.scenarios.engine import FleetRun, SiteCase

# Metric: unit, and whether more of it is better (a cost's P90 is the value that is exceeded too, but a bad one).
METRICS: dict[str, tuple[str, bool]] = {
    "net_usd": ("USD", True),
    "revenue_usd": ("USD", True),
    "mining_revenue_usd": ("USD", True),
    "inference_revenue_usd": ("USD", True),
    "energy_usd": ("USD", False),
    "demand_charge_usd": ("USD", False),
    "penalty_usd": ("USD", False),
    "credits_usd": ("USD", True),
    "btc": ("BTC", True),
    "tokens": ("token", True),
    "metered_mwh": ("MWh", True),
    "mining_mwh": ("MWh", True),
    "inference_mwh": ("MWh", True),
}
RATIOS: dict[str, tuple[str, str, str, bool]] = {
    "net_usd_per_mwh": ("USD/MWh", "net_usd", "metered_mwh", True),
    "mining_usd_per_mwh": ("USD/MWh", "mining_revenue_usd", "mining_mwh", True),
    "inference_usd_per_mwh": ("USD/MWh", "inference_revenue_usd", "inference_mwh", True),
}


def unit_of(metric: str) -> str:
    """Return the unit of a metric."""
    return METRICS[metric][0] if metric in METRICS else RATIOS[metric][0]


def more_is_better(metric: str) -> bool:
    """Return whether a larger value of a metric is better."""
    return METRICS[metric][1] if metric in METRICS else RATIOS[metric][3]


def site_metric(run: FleetRun, index: int, metric: str) -> Floats:
    """Return a metric of one case in every scenario, shape [S]; MWh of a product are those at the buildings."""
    case, rows, totals = run.cases[index], run.rows[index], run.totals[index]
    if metric in RATIOS:
        _, above, below, _ = RATIOS[metric]
        return ratio(site_metric(run, index, above), site_metric(run, index, below))
    return _metric(case, rows, totals, metric)


def fleet_metric(run: FleetRun, metric: str) -> Floats:
    """Return the sum of a metric over all cases, scenario by scenario, shape [S]."""
    if metric in RATIOS:
        _, above, below, _ = RATIOS[metric]
        return ratio(fleet_metric(run, above), fleet_metric(run, below))
    total = site_metric(run, 0, metric).copy()
    for index in range(1, len(run.cases)):
        total += site_metric(run, index, metric)
    return total


def ratio(above: Floats, below: Floats) -> Floats:
    """Return the quotient where the divisor is above 0, else NaN."""
    quotient: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def _metric(case: SiteCase, rows: Floats, totals: Floats, metric: str) -> Floats:  # noqa: C901 - a table of formulas
    energy, charge, penalty, earned = (totals[n] for n in (ENERGY_USD, CHARGE_USD, PENALTY_USD, CREDITS_USD))
    revenue = rows[:, REVENUE_USD].sum(axis=0)
    mining = [k for k, label in enumerate(case.labels) if label.product == "mining"]
    inference = [k for k, label in enumerate(case.labels) if label.product == "inference"]
    tokens = [k for k in inference if case.labels[k].unit == "token"]
    values: Floats
    if metric == "net_usd":
        values = revenue - (energy + case.contract_usd + charge) - penalty
        values = values + earned - case.fixed_usd
    elif metric == "revenue_usd":
        values = revenue
    elif metric in {"mining_revenue_usd", "inference_revenue_usd"}:
        values = rows[mining if metric.startswith("mining") else inference, REVENUE_USD].sum(axis=0)
    elif metric == "energy_usd":
        values = energy + case.contract_usd + charge
    elif metric == "demand_charge_usd":
        values = charge
    elif metric == "penalty_usd":
        values = penalty
    elif metric == "credits_usd":
        values = earned
    elif metric == "btc":
        values = rows[mining, UNITS].sum(axis=0)
    elif metric == "tokens":
        values = rows[tokens, UNITS].sum(axis=0)
    elif metric == "metered_mwh":
        values = rows[:, METER_MWH].sum(axis=0)
    else:
        values = rows[mining if metric == "mining_mwh" else inference, METER_MWH].sum(axis=0) * case.delivered_frac
    return values
