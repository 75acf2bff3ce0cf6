"""Break-even prices with rents and fixed costs that fall due whether or not a device runs."""

from dataclasses import replace

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.reading import validate
from sites.capital.breakeven import breakeven_hashprice, breakeven_power
from sites.capital.switching import Conversion, choices, site_hashprice
from sites.dispatch.year import site_year
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.scenarios.causes import scaled

RATE = {
    "tokens_per_s": 2500, "power_w": 1250, "boundary": "node", "power_kind": "provisioned", "token_basis": "output",
    "lengths": "1000:1000", "latency_limit": "TPOT <= 40 ms",
}  # fmt: skip
LET = {"name": "hall", "rate": RATE, "gpus": 4000, "demand_percent": 100, "usd_per_kw_month": 120}
MINERS = {"name": "rigs", "device": "antminer-s21:200t", "facility_mw": 9, "pool_fee_percent": 1}


def site_of(**tables):
    document = {
        "site": {"name": "both", "timezone": "UTC", "start": "2026-01-01"},
        "power": {"interconnect_mw": 20},
        "cooling": {"gpu_pue": 1.3, "mining_pue": 1.05},
        "price": {"energy_usd_per_mwh": 40},
        "market": {"btc_usd": 80000, "fees_percent_of_subsidy": 1},
        **tables,
    }
    return build_site(validate(SiteFile, document, "both.toml"), resolve_device, "both.toml")


def at_power(site, mean):
    shift = mean - site.spot_usd_per_mwh.mean()
    spot, resale = site.spot_usd_per_mwh + shift, site.resale_usd_per_mwh + shift
    return site_year(replace(site, spot_usd_per_mwh=spot, resale_usd_per_mwh=resale)).net_usd


@pytest.mark.parametrize("fixed", [0, 500_000, 2_000_000])
def test_at_the_break_even_prices_a_year_has_no_net(fixed):
    site = site_of(mining=[MINERS], cost={"fixed_usd_per_year": fixed})
    power, hashprice = breakeven_power(site), breakeven_hashprice(site)
    assert (power.reason, hashprice.reason) == ("", "")
    assert at_power(site, power.price) == pytest.approx(0.0, abs=5.0)
    assert at_power(site, power.price - 0.5) > 10_000
    at = scaled(site, {"btc": hashprice.price / site_hashprice(site)})
    assert site_year(at).net_usd == pytest.approx(0.0, abs=5.0)


def test_miners_that_stand_still_at_todays_price_break_even_where_they_would_run():
    """At 200 USD/MWh nothing runs, so that the fixed cost over the drawn energy is no price."""
    still = site_of(mining=[MINERS], price={"energy_usd_per_mwh": 200}, cost={"fixed_usd_per_year": 500_000})
    running = site_of(mining=[MINERS], cost={"fixed_usd_per_year": 500_000})
    assert site_year(still).metered_mwh == 0.0
    assert breakeven_power(still).price == pytest.approx(breakeven_power(running).price, abs=1e-3)


def test_fixed_costs_that_no_price_pays_have_no_break_even():
    site = site_of(mining=[MINERS], cost={"fixed_usd_per_year": 50_000_000})
    assert breakeven_power(site) == (None, "no power price of 0 or more pays the costs that fall due anyway")
    poor = site_of(mining=[MINERS], cost={"fixed_usd_per_year": 1e12})
    assert breakeven_hashprice(poor) == (None, "not even 1,000 times today's hashprice pays")


def test_a_rent_that_is_due_anyway_has_no_break_even():
    let = {**LET, "interruptible_above_usd_per_mwh": 100}
    for block in (let, {**LET, "tenant_pays_energy": True}):
        site = site_of(mining=[MINERS], inference=[block])
        assert breakeven_power(site) == (None, "what falls due anyway pays at any power price")
    assert breakeven_hashprice(site) == (None, "other income pays at any hashprice")
    assert breakeven_hashprice(site_of(inference=[LET])) == (None, "no miners")


def test_a_tenant_who_may_not_be_switched_off_breaks_even_at_rent_over_energy():
    site = site_of(inference=[LET])
    rent_usd, mwh = 4000 * 1.25 * 120 * 12, 5 * 1.3 * 8760
    assert breakeven_power(site).price == pytest.approx(rent_usd / mwh, rel=1e-4)


def test_miners_beside_a_tenant_are_off_at_the_break_even_of_both():
    site = site_of(mining=[MINERS], inference=[LET])
    rent_usd, mwh = 4000 * 1.25 * 120 * 12, 5 * 1.3 * 8760
    assert breakeven_power(site).price == pytest.approx(rent_usd / mwh, rel=1e-4)


def test_contracted_power_that_is_resold_gains_with_its_price():
    contract = {"mw": 20, "usd_per_mwh": 60, "resale_discount_usd_per_mwh": 1}
    site = site_of(mining=[MINERS], price={"energy_usd_per_mwh": 40, "contract": contract})
    assert breakeven_power(site) == (None, "contracted power gains with its price")


def test_what_the_lead_time_loses_is_the_miners_income_without_costs_that_fall_due_anyway():
    site = replace(site_of(mining=[MINERS]), gpu_pue=np.full(8760, 1.3))
    module = site_of(inference=[{**LET, "usd_per_kw_month": None, "usd_per_gpu_hour": 2.0}]).inference[0]
    plan = Conversion(module, 29e6, 1.0, 0.5, 5.0, 0.12)
    costly = replace(site, fixed_usd_per_year=9e6, contract_mw=1.0, contract_usd_per_mwh=55.0)
    (free,), (due) = choices(site, plan, (1.0,)), choices(costly, plan, (1.0,))
    assert free.lost_in_lead_usd == pytest.approx(0.5 * site_year(site).net_usd)
    assert due[0].lost_in_lead_usd == pytest.approx(free.lost_in_lead_usd, rel=1e-9)
