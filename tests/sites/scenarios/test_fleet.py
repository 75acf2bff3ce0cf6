"""The scenario engine: equal to the year, to NumPy, and to itself however it is split."""

import dataclasses

import numpy as np
import pytest
from oracles.fleet_numpy import run_shard_numpy

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.dispatch.columns import (
    BLOCK,
    CHARGE_USD,
    CREDITS_USD,
    ENERGY_USD,
    METER_MWH,
    MINING,
    PENALTY_USD,
    REVENUE_USD,
    SHORT_MWH,
    SLA,
    SUM,
    UNITS,
)
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import Label
from sites.dispatch.programme import programme_hourly
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import load_site
from sites.scenarios import engine as fleet
from sites.scenarios.engine import Run, SiteCase, fleet_cases, local, run_fleet, run_shard, site_case, tabulate
from sites.scenarios.metrics import METRICS, RATIOS, fleet_metric, site_metric, unit_of
from sites.scenarios.model import ScenarioModel, Uncertain

STILL = ScenarioModel()
EXACT = ScenarioModel(measurement=False)
MODEL = ScenarioModel(
    {
        "btc": Uncertain(0.6),
        "difficulty": Uncertain(0.3),
        "power": Uncertain(0.3, reversion_per_year=3.0, common_frac=0.5),
        "inference_price": Uncertain(0.4, drift_frac_per_year=-0.3),
        "demand": Uncertain(0.3, common_frac=0.5),
        "availability": Uncertain(0.5, reversion_per_year=2.0, common_frac=0.3),
    }
)


@pytest.fixture(scope="module")
def site():
    return load_site(example_path(), resolve_device)


def case_of(problem, widest=1.0):
    """A case of a random problem, whose inference blocks are paid per token."""
    table, bounds, programme = tabulate(problem, widest)
    count = problem.blocks.shape[0]
    mining = problem.blocks[:, BLOCK.kind] == MINING
    return SiteCase(
        name="random",
        place=7,
        year=0,
        hours=problem.how.size,
        table=table,
        bounds=bounds,
        blocks=problem.blocks,
        charges=problem.charges_usd_per_mw,
        contract_mw=problem.contract_mw,
        contract_usd=problem.contract_mw * problem.contract_usd_per_mwh * problem.how.size,
        programme=programme,
        enrolled_mw=problem.programme.enrolled_mw,
        ready_usd_per_mw_hour=problem.programme.ready_usd_per_mw_hour,
        fixed_usd=0.0,
        btc_usd=80_000.0,
        delivered_frac=1.0,
        outage_frac=0.1,
        most_available=1.0,
        paid_per=np.where(mining, 3, 0),
        device=np.zeros(count, np.int64),
        devices=((1, 0.02, 0.0),),
        rents=np.zeros((count, 2)),
        labels=tuple(
            Label("m", "", "mining", "hash") if is_mining else Label("g", "", "inference", "token")
            for is_mining in mining
        ),
    )


KINDS_OF_PROBLEM = [
    {},
    {"idle": False, "sla": False},
    {"contract_mw": 20.0},
    {"charge": 4000.0},
    {"charge": 900.0, "contract_mw": 15.0},
    {"curve": True},
    {"curve": True, "charge": 4000.0, "contract_mw": 20.0},
    {"enrolled_mw": 25.0},
    {"enrolled_mw": 40.0, "charge": 900.0, "contract_mw": 15.0},
    {"enrolled_mw": 40.0, "contract_mw": 15.0, "tenant": True},
]


@pytest.mark.parametrize("name", ["georgia-50mw-gpu-modules", "georgia-50mw-mining"])
def test_one_scenario_without_spread_is_the_deterministic_year(name):
    site = load_site(example_path(name), resolve_device)
    year = site_year(site)
    run = run_fleet(fleet_cases([site], EXACT), Run(5, EXACT), 1)
    wanted = {
        "net_usd": year.net_usd,
        "revenue_usd": year.revenue_usd,
        "energy_usd": year.energy_usd,
        "penalty_usd": year.penalty_usd,
        "credits_usd": year.credits_usd,
        "metered_mwh": year.metered_mwh,
        "btc": sum(block.btc or 0.0 for block in year.blocks),
        "tokens": sum(block.units for block in year.blocks if block.unit == "token"),
    }
    for metric, value in wanted.items():
        assert site_metric(run, 0, metric)[0] == pytest.approx(value, rel=1e-12, abs=1e-9), metric


@pytest.mark.parametrize("given", KINDS_OF_PROBLEM)
def test_one_scenario_without_spread_is_the_dispatch_of_a_random_problem(make_problem, given):
    problem = make_problem(**given)
    done = dispatch(problem)
    rows, totals = run_shard(dataclasses.replace(case_of(problem), devices=((1, 0.0, 0.0),)), Run(0, STILL), 0, 1)
    assert rows[:, METER_MWH, 0] == pytest.approx(done.blocks[:, SUM.meter_mwh], rel=1e-12, abs=1e-9)
    assert rows[:, REVENUE_USD, 0] == pytest.approx(done.blocks[:, SUM.revenue_usd], rel=1e-12, abs=1e-9)
    inference = problem.blocks[:, BLOCK.kind] >= SLA
    assert rows[inference, UNITS, 0] == pytest.approx(done.blocks[inference, SUM.units], rel=1e-12, abs=1e-9)
    assert rows[:, SHORT_MWH, 0] == pytest.approx(done.blocks[:, SUM.short_mwh], rel=1e-12, abs=1e-9)
    energy = totals[ENERGY_USD, 0] + totals[CHARGE_USD, 0] + done.contract_usd
    gross = abs(totals[ENERGY_USD, 0]) + done.contract_usd
    assert energy == pytest.approx(done.energy_usd, rel=1e-12, abs=1e-12 * gross)
    assert totals[CHARGE_USD, 0] == pytest.approx(done.demand_charge_usd, rel=1e-12, abs=1e-9)
    assert totals[PENALTY_USD, 0] == pytest.approx(done.penalty_usd, rel=1e-12, abs=1e-9)
    assert totals[CREDITS_USD, 0] == pytest.approx(
        programme_hourly(problem.programme, done.load).sum(), rel=1e-12, abs=1e-9
    )


@pytest.mark.parametrize("given", KINDS_OF_PROBLEM)
def test_the_engine_is_the_numpy_version_in_every_scenario(make_problem, given):
    case = case_of(make_problem(hours=1460, **given))
    rows, totals = run_shard(case, Run(3, MODEL), 5, 70)
    slow_rows, slow_totals = run_shard_numpy(case, Run(3, MODEL), 5, 70)
    assert rows == pytest.approx(slow_rows, rel=1e-10, abs=1e-6)
    assert totals == pytest.approx(slow_totals, rel=1e-10, abs=1e-4)


def test_hours_apart_and_hours_in_the_merit_order_give_the_same_sums(make_problem):
    problem = make_problem(hours=1460)
    plain, careful = case_of(problem), case_of(problem, widest=1e6)
    assert (plain.bounds[:, 1] > plain.bounds[:, 0]).all()
    assert (careful.bounds[:, 1] == careful.bounds[:, 0]).all()
    for one, other in zip(
        run_shard(plain, Run(3, MODEL), 0, 16), run_shard(careful, Run(3, MODEL), 0, 16), strict=True
    ):
        assert one == pytest.approx(other, rel=1e-11, abs=1e-6)


def test_a_scenario_has_the_same_bits_wherever_a_shard_begins_and_ends(site):
    case = site_case(site, MODEL)
    whole_rows, whole_totals = run_shard(case, Run(11, MODEL), 0, 700)
    for first, count in ((0, 1), (1, 7), (3, 300), (255, 258), (699, 1)):
        rows, totals = run_shard(case, Run(11, MODEL), first, count)
        assert np.array_equal(rows, whole_rows[:, :, first : first + count])
        assert np.array_equal(totals, whole_totals[:, first : first + count])


def test_threads_and_the_order_and_company_of_sites_do_not_change_a_bit(site, monkeypatch):
    other = dataclasses.replace(site, name="another")
    monkeypatch.setattr(fleet, "SHARD", 64)
    run = Run(11, MODEL)
    one = run_fleet(fleet_cases([site, other], MODEL), run, 200, execute=local(1))
    two = run_fleet(fleet_cases([other, site], MODEL), run, 200, execute=local(2))
    alone = run_fleet(fleet_cases([site], MODEL), run, 100)
    assert np.array_equal(one.rows[0], two.rows[1])
    assert np.array_equal(one.totals[1], two.totals[0])
    assert np.array_equal(one.rows[0][:, :, :100], alone.rows[0])
    assert not np.array_equal(one.rows[0], one.rows[1])


def test_another_seed_gives_other_scenarios(site):
    case = site_case(site, MODEL)
    assert not np.array_equal(run_shard(case, Run(1, MODEL), 0, 8)[0], run_shard(case, Run(2, MODEL), 0, 8)[0])


def test_sites_share_the_price_of_bitcoin_and_not_their_outages(site):
    other = dataclasses.replace(site, name="another")
    for name, alike in (("btc", True), ("availability", False)):
        model = MODEL.only(name)
        if name == "availability":
            model = dataclasses.replace(model, inputs={name: Uncertain(0.5, common_frac=0.0)})
        run = run_fleet(fleet_cases([site, other], model), Run(2, model), 16)
        assert np.array_equal(run.rows[0], run.rows[1]) == alike


def test_a_measured_interval_moves_all_sites_with_the_device_alike(site):
    block = site.mining[0]
    low, high = 0.98 * block.rate.rate_per_s, 1.02 * block.rate.rate_per_s
    rate = dataclasses.replace(block.rate, rate_interval_per_s=(low, high))
    measured = dataclasses.replace(site, mining=(dataclasses.replace(block, rate=rate),))
    sites = [measured, dataclasses.replace(measured, name="another")]
    run = run_fleet(fleet_cases(sites, STILL), Run(2, STILL), 4000)
    btc = site_metric(run, 0, "btc")
    assert np.array_equal(btc, site_metric(run, 1, "btc"))
    assert btc.std() / btc.mean() == pytest.approx(0.02 / 1.96, rel=0.05)
    without = dataclasses.replace(STILL, measurement=False)
    assert site_metric(run_fleet(fleet_cases(sites, without), Run(2, without), 40), 0, "btc").std() < 1e-9


def test_a_later_year_carries_difficulty_ageing_and_growth_on(site):
    path = dataclasses.replace(site.path, growth_frac_per_year=0.2)
    growing = dataclasses.replace(site, path=path, spot_usd_per_mwh=0.0 * site.spot_usd_per_mwh)
    run = run_fleet(fleet_cases([growing], STILL, years=(0, 1, 2)), Run(0, STILL), 1)
    btc = [site_metric(run, index, "btc")[0] for index in range(3)]
    assert 1.0 < btc[0] / btc[1] < 1.4
    assert 1.5 < btc[1] / btc[2] < 2.1  # 2028: growth, and the halving in its spring


def test_a_fleet_adds_up_scenario_by_scenario(site):
    sites = [site, dataclasses.replace(site, name="another")]
    run = run_fleet(fleet_cases(sites, MODEL), Run(2, MODEL), 32)
    for metric in METRICS:
        assert fleet_metric(run, metric) == pytest.approx(sum(site_metric(run, i, metric) for i in range(2)))
    for metric in RATIOS:
        assert np.isfinite(fleet_metric(run, metric)).all()
        assert unit_of(metric) == "USD/MWh"


def test_progress_ends_at_one_and_a_shard_that_never_comes_is_named(site, monkeypatch):
    monkeypatch.setattr(fleet, "SHARD", 8)
    cases = fleet_cases([site], STILL)
    told = []
    run_fleet(cases, Run(0, STILL), 20, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0

    def forgetful(cases, run, shards):
        yield from list(local(1)(cases, run, shards))[1:]
        yield from list(local(1)(cases, run, shards))[1:]

    with pytest.raises(RuntimeError, match=r"1 shards missing: .*scenarios \d+ to \d+"):
        run_fleet(cases, Run(0, STILL), 20, execute=forgetful)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, 1 << 40, "many"])
def test_a_number_of_scenarios_that_is_none_is_refused(site, count):
    with pytest.raises(InputError, match="scenarios: expected a whole number"):
        run_fleet(fleet_cases([site], STILL), Run(0, STILL), count)


def test_two_sites_of_one_name_and_a_seed_that_is_none_are_refused(site):
    with pytest.raises(InputError, match="every site's name once"):
        fleet_cases([site, site], STILL)
    with pytest.raises(InputError, match="seed"):
        Run(-1, STILL)
