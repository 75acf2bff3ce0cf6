"""Money under control is that of the dispatch: for a year by the same formulas, and for a moment by the same worth."""

from dataclasses import replace

import numpy as np
import pytest
from doubles.control.plans import made_plan, wild_prices

from hardware_profiles.errors import InputError
from sites.control.money import best_usd_per_h, earning_usd_per_h, year_money
from sites.control.shadow import at_prices
from sites.dispatch.rents import rent
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.storage.terms import Battery, StartTerms


@pytest.mark.parametrize("enrolled", [True, False])
def test_the_money_of_the_dispatch_is_that_of_the_year(full_site_file, resolve, enrolled):
    site = load_site(full_site_file, resolve)
    site = at_prices(site, wild_prices(site.hours))
    if not enrolled:
        site = replace(site, enrolled_mw=0.0, ready_usd_per_mw_hour=0.0)
    year = site_year(site, hourly=True)
    money = year_money(site, year.in_hours()[0])
    rents = sum(rent(site, block).usd for block in site.inference)
    assert money.revenue_usd + rents == pytest.approx(year.revenue_usd, rel=1e-9)
    assert money.power_usd + money.demand_charge_usd == pytest.approx(year.energy_usd, rel=1e-9)
    assert money.penalty_usd == pytest.approx(year.penalty_usd, rel=1e-9)
    assert money.credits_usd == pytest.approx(year.credits_usd, rel=1e-9)
    assert money.net_usd + rents - year.fixed_usd == pytest.approx(year.net_usd, rel=1e-9)


@pytest.mark.parametrize("name", ["miners", "serve"])
def test_starts_and_waking_up_cost_what_they_cost_in_the_dispatch(full_site_file, resolve, name):
    site = replace(load_site(full_site_file, resolve), demand_charge_usd_per_mw_month=0.0)
    site = at_prices(site, wild_prices(site.hours) - 15.0)
    terms = StartTerms(min_up_h=2.0, min_down_h=3.0, wake_h=1.5, start_usd=200.0)
    mining = tuple(replace(block, starts=terms) for block in site.mining) if name == "miners" else site.mining
    serving = tuple(replace(block, starts=terms) if block.name == name else block for block in site.inference)
    site = replace(site, mining=mining, inference=serving)
    year = site_year(site, hourly=True)
    money, rents = year_money(site, year.in_hours()[0]), sum(rent(site, block).usd for block in site.inference)
    assert money.start_usd == pytest.approx(year.storage.start_usd)
    assert money.net_usd + rents - year.fixed_usd == pytest.approx(year.net_usd, rel=1e-9)


def test_other_megawatts_than_those_of_the_dispatch_earn_less(full_site_file, resolve):
    site = replace(load_site(full_site_file, resolve), enrolled_mw=0.0, ready_usd_per_mw_hour=0.0)
    site = replace(site, credit_usd_per_mwh=0.0 * site.credit_usd_per_mwh)
    year = site_year(site, hourly=True)
    mw = year.in_hours()[0]
    best, r = year_money(site, mw).net_usd, np.random.default_rng(3)
    for _ in range(5):
        assert year_money(site, mw * r.uniform(0.5, 1.0, mw.shape)).net_usd < best
    assert year_money(site, mw, 1.0).net_usd < best, "power of units asleep costs"


def test_a_site_with_a_battery_has_no_such_money(full_site_file, resolve):
    site = replace(load_site(full_site_file, resolve), battery=Battery(1, 4, 0.9, 0.9))
    with pytest.raises(InputError, match=r"without a \[battery\]"):
        year_money(site, np.zeros((site.hours, 9)))


MINE = made_plan(("miners", "", 4.4, 60.0))
SERVE = made_plan(("miners", "", 4.4, 60.0), ("gpus", "idle", 1.0, 0.0), ("gpus", "sla", 1.0, 900.0))


def test_a_megawatt_earns_its_worth_less_the_price_of_power():
    assert earning_usd_per_h(MINE, 0.0, 50.0, {"miners": 1e6}) == pytest.approx(1.1 * 10.0)
    assert earning_usd_per_h(MINE, 0.0, 50.0, {}) == 0.0
    assert earning_usd_per_h(MINE, 0.0, 70.0, {"miners": 4e6}) == pytest.approx(4.4 * -10.0)
    assert earning_usd_per_h(MINE, 0.0, 50.0, {"miners": 9e6}) == pytest.approx(4.4 * 10.0), "no more than it can"


def test_idle_power_comes_before_work_and_earns_nothing():
    assert earning_usd_per_h(SERVE, 0.0, 50.0, {"gpus": 0.8e6}) == pytest.approx(-50.0)
    assert earning_usd_per_h(SERVE, 0.0, 50.0, {"gpus": 1.6e6}) == pytest.approx(900.0 - 100.0)


def test_contracted_power_costs_what_its_resale_would_pay():
    plan = replace(MINE, contract_mw=2.2, resale_usd_per_mwh=(40.0,) * MINE.steps)
    assert earning_usd_per_h(plan, 0.0, 50.0, {"miners": 2e6}) == pytest.approx(2.2 * 20.0)
    assert earning_usd_per_h(plan, 0.0, 50.0, {"miners": 4e6}) == pytest.approx(2.2 * 20.0 + 2.2 * 10.0)


def test_expected_values_are_those_of_devices_of_which_some_fail():
    plan = made_plan(("miners", "", 4.4, 60.0), availability_frac=0.5)
    assert plan.blocks[0].nameplate_mw == pytest.approx(8.0)
    assert earning_usd_per_h(plan, 0.0, 50.0, {"miners": 8e6}) == pytest.approx(8.8 * 10.0)


@pytest.mark.parametrize("spot", [-20.0, 30.0, 59.0, 61.0, 500.0, 1000.0])
def test_the_best_of_a_moment_is_at_least_any_other(spot):
    full_w = {"miners": 4e6, "gpus": 1.6e6}
    best = best_usd_per_h(SERVE, 0.0, spot, full_w)
    for miners in (0.0, 0.5, 1.0):
        for gpus in (0.1, 0.5, 1.0):  # GPUs with work draw idle power, as in the dispatch
            some = {"miners": miners * full_w["miners"], "gpus": gpus * full_w["gpus"]}
            assert earning_usd_per_h(SERVE, 0.0, spot, some) <= best + 1e-9


def test_a_few_units_of_a_block_earn_their_share():
    assert best_usd_per_h(MINE, 0.0, 50.0, {"miners": 1e6}) == pytest.approx(1.1 * 10.0)
    assert best_usd_per_h(MINE, 0.0, 50.0, {}) == 0.0


@pytest.mark.parametrize("full_w", [4e6, 2e6])
def test_the_best_within_a_load_target_is_what_the_target_leaves(full_w):
    assert best_usd_per_h(MINE, 0.0, 50.0, {"miners": full_w}, most_mw=1.0) == pytest.approx(1.1 * 10.0)
    assert best_usd_per_h(MINE, 0.0, 50.0, {"miners": full_w}, most_mw=-1.0) == 0.0
