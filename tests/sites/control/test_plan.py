"""A plan says what the dispatch does, can be judged again to the same megawatts, and is read back as it was written."""

from dataclasses import replace

import numpy as np
import pytest
from doubles.control.plans import wild_prices

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites import api
from sites.control.intent import intent
from sites.control.model import Inputs
from sites.control.order import draw, plan_prices
from sites.control.plan import plan_from_json
from sites.control.planned import plan_of
from sites.control.rules import Fallback, Rules
from sites.control.shadow import at_prices
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.storage.terms import Battery, StartTerms

OWN_PRICES = Rules(Fallback.HOLD, Fallback.HOLD, has_price=False)
BATTERY = Battery(10, 40, 0.95, 0.95, wear_usd_per_mwh=3)
STARTS = StartTerms(2, 3, 0.5, 200)


def changed(site, kind):
    """The site with one thing more that the order of worth must take into account."""
    flat = replace(site, demand_charge_usd_per_mw_month=0.0)
    if kind == "charge":
        return site
    if kind == "battery":
        return replace(flat, battery=BATTERY)
    if kind == "export":
        return replace(flat, battery=replace(BATTERY, may_export=True))
    if kind == "miners start":
        return replace(flat, mining=tuple(replace(block, starts=STARTS) for block in site.mining))
    serving = tuple(replace(block, starts=STARTS) if block.name == "serve" else block for block in site.inference)
    return replace(flat, inference=serving)


@pytest.mark.parametrize("kind", ["charge", "battery", "export", "miners start", "GPUs start"])
def test_the_order_of_worth_at_the_plans_own_price_draws_what_the_dispatch_draws(full_site_file, resolve, kind):
    site = load_site(full_site_file, resolve)
    site = changed(at_prices(site, wild_prices(site.hours) - 15.0), kind)
    plan = plan_of(site_year(site, hourly=True))
    for step in range(0, plan.steps, 3):
        prices = plan_prices(plan, step, plan.spot_usd_per_mwh[step])
        drawn = draw(plan, step, prices, plan.room_mw[step], plan.bound[step])
        assert drawn.mw == pytest.approx([part.planned_mw[step] for part in plan.parts], abs=1e-9)


@pytest.mark.parametrize("name", ["georgia-50mw-mining", "georgia-50mw-gpu-modules", "fleet-40-sites"])
def test_the_targets_of_an_intent_at_the_plans_own_price_are_the_plans_megawatts(name):
    plan = plan_of(site_year(api.load(name, resolve_device)[0], hourly=True))
    for step in range(0, plan.steps, 11):
        for target in intent(plan, OWN_PRICES, Inputs(), (), plan.start_s + step * plan.step_s + 1.0).targets:
            assert target.target_mw == pytest.approx(target.planned_mw, abs=1e-9)


def test_the_plan_names_what_limits_each_step(full_site_file, resolve):
    site = load_site(full_site_file, resolve)
    plan = plan_of(site_year(site, hourly=True))
    assert set(plan.bound) == {"peak", "event", "outage"}, "every month has a demand charge"
    flat = plan_of(site_year(replace(site, demand_charge_usd_per_mw_month=0.0), hourly=True))
    assert set(flat.bound) == {"grid", "event", "outage"}
    assert max(plan.room_mw) < max(flat.room_mw)


def test_a_plan_is_read_back_equal_and_its_digest_is_that_of_its_bytes(full_site_file, resolve):
    year = site_year(load_site(full_site_file, resolve), hourly=True)
    plan = plan_of(year, year.site.start_s + 7200.0, hours=48)
    again = plan_from_json(plan.to_json())
    assert again == plan
    assert again.sha256 == plan.sha256
    assert plan.steps == 48
    assert plan.end_s - plan.start_s == 48 * 3600
    assert replace(plan, contract_mw=plan.contract_mw + 1e-9).sha256 != plan.sha256


def test_a_plan_of_some_hours_is_a_part_of_the_plan_of_the_year(full_site_file, resolve):
    year = site_year(load_site(full_site_file, resolve), hourly=True)
    whole, part = plan_of(year), plan_of(year, year.site.start_s + 100 * 3600.0, hours=24)
    assert part.start_s == whole.start_s + 100 * 3600
    assert [row.worth_usd_per_mwh for row in part.parts] == [row.worth_usd_per_mwh[100:124] for row in whole.parts]
    assert part.step_at(part.start_s - 1.0) is None
    assert part.step_at(part.end_s) is None
    assert part.step_at(part.start_s + 3600.0) == 1


def test_the_plan_of_a_time_outside_the_year_is_refused(full_site_file, resolve):
    year = site_year(load_site(full_site_file, resolve), hourly=True)
    with pytest.raises(InputError, match="expected a time within the 8760 hours"):
        plan_of(year, year.site.start_s - 1.0)


def test_a_year_of_sums_alone_has_no_plan(full_site_file, resolve):
    site = replace(load_site(full_site_file, resolve), btc_path_usd=None)
    with pytest.raises(InputError, match="hour by hour"):
        plan_of(site_year(site))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-10], "as JSON"),
        (lambda text: text.replace(b"perwatt.plan/1", b"perwatt.plan/9"), "schema"),
        (lambda text: text.replace(b'"step_s"', b'"step_h"'), "keys of a plan"),
        (lambda text: text + b" ", "canonical"),
        (lambda _: b"[]", "schema"),
        (lambda _: b'{"schema":"perwatt.plan/1","blocks":3}', "keys of a plan"),
    ],
)
def test_bytes_that_are_no_plan_are_refused_in_one_line(full_site_file, resolve, change, message):
    year = site_year(load_site(full_site_file, resolve), hourly=True)
    content = plan_of(year, hours=2).to_json()
    with pytest.raises(InputError, match=message) as refused:
        plan_from_json(change(content), "plan.json")
    assert str(refused.value).startswith("plan.json")
    assert "\n" not in str(refused.value)


def test_a_price_above_worth_by_more_than_a_start_takes_a_block_with_start_costs_off(full_site_file, resolve):
    site = load_site(full_site_file, resolve)
    site = changed(at_prices(site, np.full(site.hours, 20.0)), "miners start")
    plan = plan_of(site_year(site, hourly=True), hours=48)
    block = plan.blocks[0]
    assert block.is_on[5]
    assert block.start_usd_per_mwh > 0.0
    worth = plan.parts[0].worth_usd_per_mwh[5]
    edge = max(worth, plan.price_usd_per_mwh[5]) + block.start_usd_per_mwh
    given_up = plan.adder_usd_per_mwh[5] + plan.forgone_usd_per_mwh[5]
    shift = plan.price_usd_per_mwh[5] - plan.spot_usd_per_mwh[5]
    for spot, is_on in ((edge - shift - 0.01, True), (edge - shift + 0.01, False)):
        drawn = draw(plan, 5, plan_prices(plan, 5, spot), plan.room_mw[5], plan.bound[5])
        assert (drawn.mw[0] > 0.0) == is_on, given_up
