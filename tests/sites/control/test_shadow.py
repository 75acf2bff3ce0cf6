"""A year in shadow earns what the dispatch earns, but for the cost of ramps and of whole units, which are stated."""

from dataclasses import replace

import numpy as np
import pytest
from doubles.control.plans import HOLD, fleet, unit, wild_prices

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites import api
from sites.control.rules import Fallback, Rules
from sites.control.shadow import at_prices, shadow_year
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.storage.terms import Battery, StartTerms

MINING, SERVING = "georgia-50mw-mining", "georgia-50mw-gpu-modules"  # the second one has idle, promised and other work


@pytest.fixture(scope="module")
def example():
    """The first site of an example, at prices that take its blocks on and off."""

    def built(name, **changes):
        site = replace(api.load(name, resolve_device)[0], **changes)
        return at_prices(site, wild_prices(site.hours))

    return built


@pytest.mark.parametrize(("name", "count"), [(MINING, 1), (SERVING, 3)])
def test_a_replayed_year_earns_the_dispatchs_money_less_the_cost_of_ramps(example, name, count):
    site = example(name)
    shadow, year = shadow_year(site, fleet(site, count, ramp_s=600.0), HOLD), site_year(site)
    assert shadow.switches > 2000
    for money in (shadow.best, shadow.planned, shadow.ordered, shadow.switched):
        assert money.net_usd == pytest.approx(year.net_usd + year.fixed_usd, rel=1e-9)
    assert shadow.ramps_usd == pytest.approx(ramps_written_down(site), rel=1e-6)
    assert shadow.net_usd == pytest.approx(year.net_usd + year.fixed_usd - shadow.ramps_usd, rel=1e-9)
    assert shadow.regret_usd == pytest.approx(shadow.ramps_usd, abs=0.01)


def ramps_written_down(site):
    """Ten minutes of output lost at each start, and of power bought at each stop, of the site's miners."""
    year = site_year(site, hourly=True)
    mw, _, price = year.in_hours()
    plan_on = mw[:, 0] > 0.0
    from sites.dispatch.parts import hourly_parts, meter_of_parts

    caps, _, worth = hourly_parts(site)
    full_mw = (site.mining[0].count * site.mining[0].margins[0].power_w / 1e6) * site.availability_frac
    meter_mw = full_mw * meter_of_parts(site, year.labels)[0]
    before = np.concatenate([[True], plan_on[:-1]])
    starts, stops = plan_on & ~before, ~plan_on & before
    assert caps[0].max() <= full_mw
    return float((meter_mw * (starts * worth[0] + stops * price)).sum() / 6.0)


def test_whole_units_cost_less_than_one_unit_of_work(example):
    site = example(MINING, interconnect_mw=30.0)
    site = replace(site, limit_mw=np.minimum(site.limit_mw, 30.0))
    shadow = shadow_year(site, fleet(site, 5), HOLD)
    assert 0.0 < shadow.units_usd < shadow.best.revenue_usd / 5 * (48.0 / 30.0)
    assert shadow.net_usd == pytest.approx(shadow.ordered.net_usd - shadow.units_usd)


def test_prices_that_nobody_foresaw_cost_the_plan_more_than_the_control(example):
    site = example(MINING)
    came = site.spot_usd_per_mwh + np.random.default_rng(2).normal(0.0, 15.0, site.hours)
    shadow = shadow_year(site, [unit("one for all of its block", "miners")], HOLD, came)
    assert shadow.ordered.net_usd == pytest.approx(shadow.best.net_usd, rel=1e-9), "this site needs no foresight"
    assert shadow.planned.net_usd < shadow.net_usd
    assert shadow.regret_usd == pytest.approx(0.0, abs=0.01)


def test_patience_with_prices_costs_money(example):
    site = example(MINING)
    rules = Rules(Fallback.HOLD, Fallback.HOLD, windows_down=3, windows_up=3)
    patient = shadow_year(site, fleet(site, 1), rules)
    assert patient.held_h > 0.0
    assert patient.units_usd > 0.0
    assert patient.regret_usd == pytest.approx(patient.units_usd, abs=0.01)


def test_contract_demand_charge_and_tenants_are_in_the_order_too(full_site_file, resolve):
    site = load_site(full_site_file, resolve)
    site = at_prices(site, wild_prices(site.hours) - 15.0)
    shadow = shadow_year(site, [], HOLD)
    assert shadow.best.demand_charge_usd > 0.0
    assert shadow.best.credits_usd > 0.0
    assert shadow.ordered.net_usd == pytest.approx(shadow.best.net_usd, rel=1e-9)


def test_units_asleep_draw_power_that_is_paid(example):
    site = example(MINING)
    watts = fleet(site, 1)[0].full_w
    asleep = shadow_year(site, [unit("all", "miners", watts, asleep_w=watts / 100.0)], HOLD)
    assert asleep.units_usd > 0.0


def test_a_block_with_start_costs_pays_for_its_starts_as_in_the_dispatch(example):
    site = example(MINING)
    terms = StartTerms(min_up_h=2.0, min_down_h=2.0, wake_h=0.25, start_usd=50.0)
    site = replace(site, mining=tuple(replace(block, starts=terms) for block in site.mining))
    shadow, year = shadow_year(site, fleet(site, 1, ramp_s=900.0), HOLD), site_year(site)
    assert shadow.best.start_usd > 0.0
    assert shadow.best.net_usd == pytest.approx(year.net_usd + year.fixed_usd, rel=1e-9)
    assert shadow.net_usd == pytest.approx(shadow.best.net_usd, rel=1e-9)


def test_a_block_with_least_times_alone_pays_the_ramps_of_its_units(example):
    site = example(MINING)
    (block,) = site.mining
    site = replace(site, mining=(replace(block, starts=StartTerms(min_up_h=1.0, min_down_h=1.0)),))
    shadow = shadow_year(site, fleet(site, 1, ramp_s=600.0), HOLD)
    assert shadow.switches > 2000
    assert shadow.ramps_usd == pytest.approx(ramps_written_down(site), rel=1e-6)


def test_a_site_with_a_battery_is_refused(example):
    site = replace(example(MINING), battery=Battery(1, 4, 0.9, 0.9))
    with pytest.raises(InputError, match=r"without a \[battery\]"):
        shadow_year(site, [], HOLD)
