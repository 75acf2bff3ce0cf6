"""Switching: the megawatts add up, the best share is the best, and switch prices are where both are worth the same."""

import dataclasses

import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.capital.switching import (
    Conversion,
    advantage_usd,
    best_share,
    choices,
    converted,
    mining_mw,
    switch_factor,
    switch_map,
    switch_prices,
)
from sites.dispatch.problem import meter_mw
from sites.examples import example_path
from sites.file.build import load_site
from sites.scenarios.causes import scaled


@pytest.fixture(scope="module")
def sites():
    half = load_site(example_path(), resolve_device)
    mining = load_site(example_path("georgia-50mw-mining"), resolve_device)
    return dataclasses.replace(mining, gpu_pue=half.gpu_pue), half.inference[0]


@pytest.fixture(scope="module")
def plan(sites):
    return Conversion(sites[1], 29e6, 0.75, 0.5, 5.0, 0.12, 0.1, 5.0)


def test_a_conversion_keeps_the_megawatts_within_a_module(sites):
    site, module = sites
    for share in (0.0, 0.3, 1.0):
        after = converted(site, module, share)
        gpus = sum(meter_mw(after, dataclasses.replace(block, spare_frac=0.0)) for block in after.inference)
        left = mining_mw(after) if after.mining else 0.0
        one = meter_mw(site, dataclasses.replace(module, count=module.gpus_per_module, spare_frac=0.0))
        assert left + gpus == pytest.approx(mining_mw(site), abs=one + 0.01)
    assert converted(site, module, 1.0).mining == ()
    assert converted(site, module, 0.0).inference == ()


def test_what_a_share_costs_and_loses_is_counted(sites, plan):
    site, _ = sites
    nothing, everything = choices(site, plan, (0.0, 1.0))
    assert nothing.capex_usd == nothing.offline_mw == nothing.sunk_usd == 0.0
    assert nothing.yearly_usd == nothing.net_usd
    assert everything.capex_usd == pytest.approx(29e6 * mining_mw(site))
    assert everything.offline_mw == pytest.approx(mining_mw(site))
    assert everything.lost_in_lead_usd == pytest.approx(nothing.net_usd * 0.375)
    assert everything.sunk_usd == pytest.approx(0.9 * everything.capex_usd + everything.lost_in_lead_usd)


def test_a_lead_time_costs_interest_on_what_is_paid_before_anything_comes_in(sites, plan):
    site, _ = sites
    idle = dataclasses.replace(plan, offline_frac=0.0, residual_frac=0.0, miner_usd_per_th_s=0.0)
    (soon,), (late,) = (choices(site, dataclasses.replace(idle, lead_years=years), (1.0,)) for years in (0.0, 2.0))
    assert soon.net_usd == late.net_usd
    burden_now, burden_late = soon.net_usd - soon.yearly_usd, late.net_usd - late.yearly_usd
    assert burden_late == pytest.approx(1.12**2 * burden_now)


def test_at_the_switch_price_converting_is_worth_what_mining_is(sites, plan):
    site, module = sites
    plan = dataclasses.replace(plan, capex_usd_per_mw=20e6)
    found = switch_prices(site, plan)
    assert (found.priced_per, found.converting_now) == ("token", True)
    dear = scaled(site, {"btc": found.btc_usd / site.btc_usd})
    assert abs(advantage_usd(dear, plan)) < 1e-3 * abs(advantage_usd(site, plan)) + 1e4
    at = dataclasses.replace(plan, module=dataclasses.replace(module, price_usd=found.inference_price))
    assert abs(advantage_usd(site, at)) < 1e4
    assert found.hashprice_usd_per_ph_s_day > 0


def test_no_price_within_reach_is_said_and_not_made_up(sites, plan):
    site, _ = sites
    dear = dataclasses.replace(plan, capex_usd_per_mw=1e15)
    assert switch_factor(site, dear, "inference_price") is None
    assert switch_prices(site, dear).converting_now is False


def test_the_map_follows_prices(sites, plan):
    site, _ = sites
    found = switch_map(site, plan, (0.5, 3.0), (0.3, 2.0), (0.0, 0.5, 1.0))
    assert found[0, 1] == 0.0
    assert found[1, 0] == 1.0
    assert best_share(site, plan).share == max(choices(site, plan), key=lambda one: one.yearly_usd).share


def test_plans_that_cannot_be_are_refused(sites, plan):
    site, module = sites
    for change in ({"capex_usd_per_mw": -1.0}, {"offline_frac": 1.5}, {"residual_frac": -0.1}, {"life_years": 0.0}):
        with pytest.raises(InputError, match=next(iter(change))):
            dataclasses.replace(plan, **change)
    with pytest.raises(InputError, match="share"):
        converted(site, module, 1.2)
    with pytest.raises(InputError, match="expected a site with miners"):
        converted(converted(site, module, 1.0), module, 0.5)
