"""The merit order against linear programmes solved by HiGHS."""

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.columns import BLOCK, HOUR, MINING, SUM
from sites.dispatch.merit_order import dispatch


@pytest.mark.parametrize(
    "given",
    [
        {"idle": False, "sla": False},
        {},
        {"contract_mw": 20.0},
        {"curve": True},
    ],
    ids=[
        "unequal PUEs and negative prices",
        "idle power and promised minimum",
        "resale of contracted power",
        "operating points",
    ],
)
def test_a_year_equals_its_linear_programme(make_problem, solve_lp, given):
    problem = make_problem(**given)
    assert dispatch(problem).net_usd == pytest.approx(solve_lp(problem), rel=1e-9)


def test_contracted_power_is_left_untaken_where_resale_would_cost_something(make_problem):
    problem = make_problem(contract_mw=20.0, hours=240)
    problem.series[HOUR.spot_usd_per_mwh], problem.series[HOUR.resale_usd_per_mwh] = -5.0, -9.0
    left = dispatch(problem)
    assert (left.sold_mwh, left.sold_usd, left.resale_hours) == (0.0, 0.0, 0)
    problem.series[HOUR.resale_usd_per_mwh] = 0.0
    assert left.net_usd == dispatch(problem).net_usd


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("contract_mw", [0.0, 17.0])
@pytest.mark.parametrize("charge", [900.0, 9_000.0, 60_000.0])
def test_a_demand_charge_equals_its_linear_programme_over_a_month(make_problem, solve_lp, seed, contract_mw, charge):
    problem = make_problem(seed=seed, hours=730, charge=charge, contract_mw=contract_mw)
    assert dispatch(problem).net_usd == pytest.approx(solve_lp(problem), rel=1e-9)


def test_a_year_with_demand_charges_adds_up_to_its_months(make_problem):
    year = make_problem(charge=9_000.0, contract_mw=5.0)
    whole = dispatch(year)
    total = 0.0
    for month in range(12):
        here = year.month == month
        series = year.series[:, here]
        blocks = year.blocks.copy()
        first = int(np.flatnonzero(here)[0])
        growth = np.exp(year.parts.growth_log_per_hour * first)
        blocks[:, BLOCK.worth] *= np.where(year.parts.kind == MINING, growth, 1.0)
        blocks[:, BLOCK.demand_mw] *= growth
        alone = year._replace(
            how=year.how[here],
            month=np.zeros(here.sum(), np.int64),
            series=series,
            blocks=blocks,
            charges_usd_per_mw=np.array([9_000.0]),
            event=year.event[here],
        )
        total += dispatch(alone).net_usd
    assert whole.net_usd == pytest.approx(total, rel=1e-11)


def test_the_hours_add_up_to_the_year(make_problem):
    problem = make_problem(charge=9_000.0, contract_mw=5.0)
    short, long = dispatch(problem), dispatch(problem, hourly=True)
    assert long.net_usd == short.net_usd
    assert long.mw.sum(axis=0) == pytest.approx(short.blocks[:, SUM.device_mwh], rel=1e-12)


def test_no_cap_on_the_peak_earns_more_than_the_one_that_was_found(make_problem):
    problem = make_problem(hours=730, charge=9_000.0)
    best = dispatch(problem)
    free = problem._replace(charges_usd_per_mw=np.zeros(1))
    for cap in np.linspace(0.0, 50.0, 101):
        series = problem.series.copy()
        series[HOUR.limit_mw] = np.minimum(series[HOUR.limit_mw], cap)
        capped = dispatch(free._replace(series=series))
        assert capped.net_usd - 9_000.0 * capped.peaks_mw[0] <= best.net_usd * (1 + 1e-12)


def test_power_never_exceeds_the_limit_and_no_block_its_capacity(make_problem):
    problem = make_problem(contract_mw=20.0)
    result = dispatch(problem, hourly=True)
    hours, mining = problem.hours, problem.parts.kind == MINING
    per_device = np.where(mining, hours.mining_meter_per_device[:, None], hours.gpu_meter_per_device[:, None])
    assert ((result.mw * per_device).sum(axis=1) <= hours.limit_mw * (1 + 1e-12) + 1e-12).all()
    assert (result.mw <= problem.parts.capacity_mw + 1e-12).all()


def test_a_missing_number_is_refused_by_name(make_problem):
    problem = make_problem(hours=24)
    problem.series[HOUR.spot_usd_per_mwh, 3] = np.nan
    with pytest.raises(InputError, match="spot_usd_per_mwh: expected finite"):
        dispatch(problem)


def test_series_of_another_length_are_refused(make_problem):
    problem = make_problem(hours=24)._replace(event=np.zeros(23, np.int64))
    with pytest.raises(InputError, match=r"event: expected shape \(24,\), got \(23,\)"):
        dispatch(problem)
