"""A site's year: its money adds up, its waterfall meets its dispatch, its plan says why."""

import math
from dataclasses import replace

import numpy as np
import pytest
from oracles.merit_order_numpy import fill

from hardware_profiles.errors import InputError
from sites.dispatch.columns import REASONS
from sites.dispatch.kernels.year import fill_hours
from sites.dispatch.parts import hourly_parts, hourly_worth, meter_of_parts
from sites.dispatch.problem import full_mw, problem
from sites.dispatch.rents import rent
from sites.dispatch.waterfall import DELIVERED, SOLD, STEPS, waterfalls
from sites.dispatch.year import fleet_year, site_year, summarise
from sites.planners.tables import hourly_table


def test_a_year_equals_its_linear_programme(full_year, solve_lp):
    assert full_year.dispatch.net_usd == pytest.approx(solve_lp(problem(full_year.site)), rel=1e-9)


def test_the_money_adds_up(full_year):
    done, site = full_year.dispatch, full_year.site
    load, enrolled = done.load, 40 * 0.98
    there = np.minimum(load.load_mw - load.fixed_mw, enrolled)
    given_up = np.minimum(load.load_mw, enrolled) - load.drawn_mw
    credits_usd = 3 * there.sum() + 120 * given_up[site.credit_usd_per_mwh > 0].sum()
    assert full_year.credits_usd == pytest.approx(credits_usd)
    assert load.drawn_mw == pytest.approx(_drawn(full_year), rel=1e-12)
    rents = sum(rent(site, block).usd for block in site.inference)
    assert rents == pytest.approx(25 * 12 * 1000 * full_mw(site.inference[-1]))
    net = done.net_usd + done.forgone_usd + credits_usd + rents - site.fixed_usd_per_year
    assert full_year.net_usd == pytest.approx(net, rel=1e-12)
    assert full_year.revenue_usd == pytest.approx(sum(block.revenue_usd for block in full_year.blocks))
    assert full_year.metered_mwh == pytest.approx(sum(b.facility_mwh for b in full_year.blocks) / 0.985)
    own = sum(block.energy_usd for block in full_year.blocks)
    taken = np.where(site.spot_usd_per_mwh < 0, 0.0, np.minimum(_drawn(full_year), 20))  # else left untaken
    unused = done.contract_usd - 38 * float(taken.sum())
    assert full_year.energy_usd == pytest.approx(own + unused - done.sold_usd + done.demand_charge_usd, rel=1e-9)


def test_a_year_that_cannot_be_run_names_its_site(full_year):
    spot = full_year.site.spot_usd_per_mwh * np.nan
    with pytest.raises(InputError, match="site 'Everything': dispatch: spot_usd_per_mwh: expected finite"):
        site_year(replace(full_year.site, spot_usd_per_mwh=spot))


def product_of_factors(fall):
    """Nameplate to delivered by the factors alone."""
    return math.prod(step.factor for step in fall.steps[1 : DELIVERED + 1])


def _drawn(year):
    return (year.dispatch.mw * meter_of_parts(year.site, year.labels).T).sum(axis=1)


def test_the_factors_computed_apart_multiply_to_what_was_delivered(full_year):
    falls = waterfalls(full_year)
    assert [fall.product for fall in falls] == ["mining", "inference"]
    for fall in falls:
        assert fall.steps[0].mwh * product_of_factors(fall) == pytest.approx(fall.delivered_mwh, rel=1e-9)
        assert fall.steps[DELIVERED].mwh == pytest.approx(fall.delivered_mwh, rel=1e-9)
        assert fall.steps[SOLD].usd == pytest.approx(fall.sold_usd, rel=1e-9)
        assert all(0.0 < step.factor <= 1.0 + 1e-12 for step in fall.steps)


def test_every_hour_is_what_the_merit_order_in_numpy_gives(full_year):
    site, given = full_year.site, problem(full_year.site)
    caps, worth, idle = hourly_worth(site)
    capped = np.minimum(given.hours.limit_mw, full_year.dispatch.peaks_mw[given.month])
    wanted = fill(caps, worth, capped, idle, hours=given.hours, contract_mw=given.contract_mw)
    meter = (full_year.dispatch.mw * meter_of_parts(site, full_year.labels).T).T
    working = [index for index, row in enumerate(full_year.labels) if row.part != "idle"]
    assert meter[working] == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    drawn = np.zeros_like(caps)
    free = np.full(site.hours, -np.inf)
    fill_hours(caps, worth, free, free, 0.0, capped, np.minimum(idle, capped), drawn)
    assert drawn == pytest.approx(fill(caps, worth, capped, idle), rel=1e-12, abs=1e-12)


def test_simple_factors_are_the_figures_of_the_site_file(full_year):
    by_name = {step.name: step for fall in waterfalls(full_year) if fall.product == "inference" for step in fall.steps}
    assert by_name["site availability"].factor == pytest.approx(0.98)
    mining = next(fall for fall in waterfalls(full_year) if fall.product == "mining")
    rated = {step.name: step.factor for step in mining.steps}
    old, new = full_year.site.mining
    shares = np.array([old.count * 3010, new.count * 5400])
    assert rated["measured against rated"] == pytest.approx((shares / shares.sum()) @ np.array([138 / 140, 1.0]))
    assert {kind for _, kind in STEPS} == {"physical", "commercial", "economic"}


@pytest.mark.parametrize("name", ["georgia-50mw-gpu-modules", "georgia-50mw-mining"])
def test_the_waterfall_of_an_example_meets_its_dispatch(name):
    from bench.device_rates import resolve_device
    from sites.examples import example_path
    from sites.file.build import load_site

    for fall in waterfalls(site_year(load_site(example_path(name), resolve_device))):
        assert fall.steps[0].mwh * product_of_factors(fall) == pytest.approx(fall.delivered_mwh, rel=1e-9)


def test_the_plan_says_for_every_hour_and_part_how_much_and_why(full_year):
    table = hourly_table(full_year)
    parts = len(full_year.labels)
    assert len(table["reason"]) == 8760 * parts
    assert set(table["reason"]) <= set(REASONS)
    reasons = set(table["reason"])
    for wanted in ("price of power above worth", "demand charge caps the month's peak", "outage", "resale pays more"):
        assert wanted in reasons
    assert float(np.sum(table["revenue_usd"])) == pytest.approx(full_year.revenue_usd, rel=1e-9)
    assert float(np.sum(table["meter_mw"])) == pytest.approx(full_year.metered_mwh, rel=1e-9)


def test_a_part_that_stands_still_for_the_price_is_worth_less_than_it_and_one_that_runs_more(full_year):
    done, rows = full_year.dispatch, full_year.labels
    caps, _, worth = hourly_parts(full_year.site)
    site = full_year.site
    given_up = site.adder_usd_per_mwh + site.credit_usd_per_mwh
    far = site.spot_usd_per_mwh + given_up
    near = np.minimum(site.spot_usd_per_mwh, site.resale_usd_per_mwh) + given_up
    for k, row in enumerate(rows):
        if row.part == "idle":
            continue
        stopped = done.why[:, k] == REASONS.index("price of power above worth")
        assert (worth[k][stopped] <= far[stopped] + 1e-9).all()
        running = done.mw[:, k] > 1e-9
        assert (worth[k][running] > near[running] - 1e-9).all()
        assert (done.mw[:, k] <= caps[k] * (1 + 1e-9) + 1e-12).all()


def test_an_event_caps_the_draw_and_is_given_as_the_reason(edited):
    site = edited(
        add="[curtailment]\n[[curtailment.event]]\nstart = 2026-01-02T00:00:00Z\nhours = 2\nlimit_mw = 3\n",
    )
    done = site_year(site, hourly=True).dispatch
    assert [REASONS[code] for code in done.why[23:27, 0]] == [REASONS[0], *["curtailment event"] * 2, REASONS[0]]
    assert done.mw[24, 0] * 1.05 == pytest.approx(3.0)


def test_promised_work_comes_first_and_what_falls_short_is_paid_for(full_year):
    served = next(block for block in full_year.blocks if block.name == "serve")
    assert served.short_units > 0  # two coincident-peak hours cost more than the penalty
    assert full_year.penalty_usd == pytest.approx(served.short_units / 1e6 * 0.02 * 2.0, rel=1e-9)


def test_a_tenant_who_pays_for_power_is_not_switched_off_for_its_price(full_year):
    done, rows = full_year.dispatch, full_year.labels
    hosted = next(k for k, row in enumerate(rows) if row.name == "hosted")
    block = next(block for block in full_year.blocks if block.name == "hosted")
    assert block.passed_usd > 0
    assert (done.why[:, hosted] == REASONS.index("price of power above worth")).sum() <= 8


def test_a_fleet_is_its_sites_one_by_one(full_year):
    again = fleet_year([full_year.site, full_year.site])
    assert [year.net_usd for year in again] == [full_year.net_usd] * 2


def test_a_summary_has_carbon_per_product_only_where_it_is_known(full_year, edited):
    found = summarise(full_year)
    assert found.carbon_kg == pytest.approx(380 * full_year.metered_mwh)
    assert found.kg_per_btc > 0
    assert found.kg_per_mtok > 0
    assert summarise(site_year(edited())).kg_per_btc is None
    assert summarise(site_year(edited())).inference_usd_per_mwh is None


def test_miners_on_a_part_of_the_interconnect_mine_that_part():
    from bench.device_rates import resolve_device
    from sites.examples import example_path
    from sites.file.build import load_site

    before, after = (
        summarise(site_year(load_site(example_path(name), resolve_device)))
        for name in ("georgia-50mw-mining", "georgia-50mw-gpu-modules")
    )
    assert after.btc_per_day / before.btc_per_day == pytest.approx(0.96, rel=1e-3)
    assert before.tokens_per_day == 0 < after.tokens_per_day
