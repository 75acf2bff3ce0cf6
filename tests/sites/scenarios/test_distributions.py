"""Exceedance, tails and causes against closed forms and hand counts."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import norm

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.dispatch.columns import MINING, Hours
from sites.dispatch.merit_order import Problem
from sites.dispatch.problem import NO_BLOCK, Label
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import load_site
from sites.scenarios.causes import deterministic_cases, scaled, tornado
from sites.scenarios.distributions import LEVELS, distribution, exceeded, tail_mean
from sites.scenarios.engine import Run, SiteCase, fleet_cases, run_fleet, run_shard, tabulate
from sites.scenarios.metrics import fleet_metric, site_metric
from sites.scenarios.model import ScenarioModel, Uncertain

SEEDS = range(11, 17)


@pytest.fixture(scope="module")
def site():
    return load_site(example_path(), resolve_device)


def one_month(hours=24):
    """A month of one block of miners with free power: revenue is its hashes times the price of a hash."""
    nothing, whole = np.zeros(hours), np.ones(hours)
    series = Hours(
        spot_usd_per_mwh=nothing, adder_usd_per_mwh=nothing, resale_usd_per_mwh=nothing, limit_mw=10.0 * whole,
        mining_capacity_frac=whole, gpu_capacity_frac=whole, mining_meter_per_device=whole, gpu_meter_per_device=whole,
        subsidy_usd_per_hash=1e-9 * whole, fees_usd_per_hash=nothing, forgone_usd_per_mwh=nothing,
    )  # fmt: skip
    block = NO_BLOCK._replace(kind=MINING, capacity_mw=1.0, worth=1e9, units_per_mwh=1e9)
    problem = Problem(
        how=np.arange(hours), month=np.zeros(hours, np.int64), series=np.stack(series),
        blocks=np.array([block]), profiles=np.ones((1, 168)),
        charges_usd_per_mw=np.zeros(1), contract_mw=0.0, contract_usd_per_mwh=0.0, event=np.zeros(hours, np.int64),
    )  # fmt: skip
    table, bounds, programme = tabulate(problem)
    return SiteCase(
        name="one", place=1, year=0, hours=hours, table=table, bounds=bounds, blocks=problem.blocks,
        charges=problem.charges_usd_per_mw, contract_mw=0.0, contract_usd=0.0, programme=programme,
        enrolled_mw=0.0, ready_usd_per_mw_hour=0.0, fixed_usd=0.0,
        btc_usd=1.0, delivered_frac=1.0, outage_frac=0.0, most_available=1.0, paid_per=np.array([3]),
        device=np.array([0]), devices=((9, 0.0, 0.0),),
        rents=np.zeros((1, 2)), labels=(Label("m", "", "mining", "hash"),),
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_levels_of_a_lognormal_year_agree_with_their_closed_form(seed, level):
    # One month, so the factor is lognormal: e^(s z - s^2/2) with s^2 = volatility^2 / 24.
    case, count = one_month(), 8192
    spread = 1.5 / math.sqrt(24)
    revenue = run_shard(case, Run(seed, ScenarioModel({"btc": Uncertain(1.5)})), 0, count)[0][0, 1]
    z = norm.ppf(1.0 - level)
    wanted = 24.0 * math.exp(spread * z - 0.5 * spread**2)
    density = norm.pdf(z) / (spread * wanted)
    error = math.sqrt(level * (1.0 - level) / count) / density
    assert abs(exceeded(revenue, level) - wanted) < 3.0 * error


def test_over_a_hundred_seeds_the_deviations_from_the_closed_form_are_a_standard_normal():
    case, count, spread = one_month(), 2048, 1.5 / math.sqrt(24)
    found = []
    for seed in range(100):
        revenue = run_shard(case, Run(seed, ScenarioModel({"btc": Uncertain(1.5)})), 0, count)[0][0, 1]
        for level in (0.5, 0.9):
            z = norm.ppf(1.0 - level)
            wanted = 24.0 * math.exp(spread * z - 0.5 * spread**2)
            error = math.sqrt(level * (1.0 - level) / count) / (norm.pdf(z) / (spread * wanted))
            found.append((exceeded(revenue, level) - wanted) / error)
    assert abs(np.mean(found)) < 3.0 / math.sqrt(100)
    assert np.std(found) == pytest.approx(1.0, abs=0.15)
    assert np.mean(np.abs(found) > 3.0) < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_of_a_measured_rate_agree_with_their_closed_form(seed):
    case, count, spread = dataclasses.replace(one_month(), devices=((9, 0.03, 0.0),)), 8192, 0.03
    revenue = run_shard(case, Run(seed, ScenarioModel()), 0, count)[0][0, 1]
    for level in (0.5, 0.9):
        z = norm.ppf(1.0 - level)
        error = math.sqrt(level * (1.0 - level) / count) / (norm.pdf(z) / (24.0 * spread))
        assert abs(exceeded(revenue, level) - 24.0 * (1.0 + spread * z)) < 3.0 * error


def test_the_mean_of_a_factor_is_its_drift():
    case, count = one_month(), 1 << 15
    for given in (Uncertain(0.8), Uncertain(0.8, drift_frac_per_year=0.5), Uncertain(0.8, reversion_per_year=5.0)):
        revenue = run_shard(case, Run(3, ScenarioModel({"btc": given})), 0, count)[0][0, 1]
        wanted = 24.0 * (1.0 + given.drift_frac_per_year) ** (1 / 24)
        assert revenue.mean() == pytest.approx(wanted, abs=4 * revenue.std() / math.sqrt(count))


def test_p90_is_below_p50_for_yields_and_for_costs_and_the_bad_tail_is_on_its_own_side():
    values = np.arange(1, 101, dtype=float)
    good, cost = distribution(values), distribution(values, more_is_better=False)
    assert good.p99 < good.p90 < good.p50 < good.p10 < good.p01
    assert cost.p90 < cost.p50
    assert good.cvar == 3.0
    assert cost.cvar == 98.0
    assert tail_mean(values, 0.0001) == 1.0
    assert exceeded(-values, 0.9) < exceeded(-values, 0.5)


def test_every_level_that_is_shown_is_a_field_with_the_probability_of_its_name():
    values = np.arange(101, dtype=float)
    described = distribution(values)
    for name, probability in LEVELS.items():
        assert getattr(described, name) == exceeded(values, probability)
        assert int(name.removeprefix("p")) == 100 * probability
    assert list(described.by_label()) == ["P99", "P90", "P50", "P10", "P1"]


def test_a_scenario_without_a_value_is_left_out_and_none_at_all_is_said():
    assert distribution(np.array([np.nan, 2.0])).n == 1
    assert distribution(np.array([np.nan])) is None
    with pytest.raises(InputError, match="at least one scenario"):
        exceeded(np.array([]), 0.5)
    with pytest.raises(InputError, match="probability"):
        exceeded(np.array([1.0]), 1.5)


def test_a_tornado_ranks_causes_and_independent_ones_add_up(site):
    inputs = {"btc": Uncertain(0.5), "demand": Uncertain(0.1), "inference_price": Uncertain(0.2)}
    run = Run(4, ScenarioModel(inputs, measurement=False))
    found = tornado([site], run, 2000)
    assert found.causes[0].name == "btc"
    assert sum(cause.share_frac for cause in found.causes) == pytest.approx(1.0)
    assert abs(found.interaction_frac) < 0.15
    assert found.base == pytest.approx(site_year(site).net_usd, rel=1e-12)
    whole = run_fleet(fleet_cases([site], run.model), run, 2000)
    assert found.sd == pytest.approx(fleet_metric(whole, "net_usd").std())
    assert all(cause.p90 < cause.p10 for cause in found.causes)


def test_cases_move_the_inputs_by_their_factors(site):
    model = ScenarioModel(cases={"low": {"btc": 0.5, "power": 1.3}, "high": {"btc": 2.0}})
    found = deterministic_cases([site], Run(0, model))
    assert found["low"] < found["base"] < found["high"]
    assert found["base"] == pytest.approx(site_year(site).net_usd, rel=1e-12)
    with pytest.raises(InputError, match="expected one of btc"):
        scaled(site, {"bitcoin": 2.0})


@pytest.mark.parametrize("name", ["btc", "difficulty", "power", "inference_price", "demand", "availability"])
def test_a_scaled_site_is_what_a_drift_of_the_same_size_makes(site, name):
    # At a drift g the factor in month m is (1+g)^((m+1/2)/12); a constant one needs no drift, so compare directions.
    up, base = site_year(scaled(site, {name: 1.02})).net_usd, site_year(site).net_usd
    model = ScenarioModel({name: Uncertain(drift_frac_per_year=0.02)}, measurement=False)
    drifted = site_metric(run_fleet(fleet_cases([site], model), Run(0, model), 1), 0, "net_usd")[0]
    if name != "availability" and abs(up - base) > 1e-9 * abs(base):
        assert (drifted - base) / (up - base) == pytest.approx(0.5, abs=0.15)
