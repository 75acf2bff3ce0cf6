"""Leases by contracted kW and take-or-pay: rent is due whatever is drawn, and no price switches a tenant off."""

from dataclasses import replace

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from sites.dispatch.columns import REASONS
from sites.dispatch.parts import value_curve
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import site_year
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.planners.tables import hourly_table
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run, fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric
from sites.scenarios.model import ScenarioModel

RATE = {
    "tokens_per_s": 2500, "power_w": 1250, "boundary": "node", "power_kind": "provisioned", "token_basis": "output",
    "lengths": "1000:1000", "latency_limit": "TPOT <= 40 ms",
}  # fmt: skip
RENT_USD = 4000 * 1.25 * 120 * 12  # 4,000 GPUs of 1.25 kW at 120 USD a kW-month


def site_of(block=None, **tables):
    """Return a site of 4,000 let GPUs on 10 MW."""
    let = {"name": "hall", "rate": RATE, "gpus": 4000, "demand_percent": 100, "usd_per_kw_month": 120}
    document = {
        "site": {"name": "colo", "timezone": "UTC", "start": "2027-01-01"},
        "power": {"interconnect_mw": 10},
        "cooling": {"gpu_pue": 1.3},
        "price": {"energy_usd_per_mwh": 60},
        "market": {"btc_usd": 100000, "fees_percent_of_subsidy": 2},
        "inference": [{key: value for key, value in {**let, **(block or {})}.items() if value is not None}],
        **tables,
    }
    return build_site(validate(SiteFile, document, "colo.toml"), resolve_device, "colo.toml")


def with_spikes(site, usd_per_mwh, hours=200):
    spot = site.spot_usd_per_mwh.copy()
    spot[1000 : 1000 + hours] = usd_per_mwh
    return replace(site, spot_usd_per_mwh=spot, resale_usd_per_mwh=spot)


@pytest.mark.parametrize("start", ["2027-01-01", "2028-01-01", "2027-03-15"])
def test_a_year_of_a_lease_is_twelve_months_of_contracted_kw(start):
    year = site_year(site_of(site={"name": "colo", "timezone": "UTC", "start": start}))
    assert year.blocks[0].revenue_usd == pytest.approx(RENT_USD, rel=1e-12)
    assert year.blocks[0].units == pytest.approx(4000 * 1.25 * 12)


@pytest.mark.parametrize("draw", [0, 25, 60])
def test_the_rent_is_due_whatever_the_tenant_draws_and_the_power_is_what_is_drawn(draw):
    whole, part = site_year(site_of()), site_year(site_of({"demand_percent": draw}))
    assert part.revenue_usd == pytest.approx(RENT_USD)
    assert part.energy_usd == pytest.approx(whole.energy_usd * draw / 100)


def test_a_tenant_is_not_switched_off_for_a_price():
    year = site_year(with_spikes(site_of(), 5000.0), hourly=True)
    assert year.revenue_usd == pytest.approx(RENT_USD)
    assert np.all(year.dispatch.mw == pytest.approx(5.0))


def test_a_contract_may_allow_it_above_a_price():
    site = site_of({"interruptible_above_usd_per_mwh": 500})
    calm, spiky = (site_year(with_spikes(site, price), hourly=True) for price in (480.0, 520.0))
    assert np.all(calm.dispatch.mw > 0)
    assert (spiky.dispatch.mw == 0).sum() == 200
    assert calm.revenue_usd == spiky.revenue_usd == pytest.approx(RENT_USD)


def test_miners_do_not_displace_a_tenant():
    miners = {"name": "miners", "device": "antminer-s21", "facility_mw": 9, "pool_fee_percent": 1}
    year = site_year(
        site_of(mining=[miners], cooling={"gpu_pue": 1.3, "mining_pue": 1.05}, power={"interconnect_mw": 7}),
        hourly=True,
    )
    hall = [index for index, label in enumerate(year.labels) if label.name == "hall"]
    assert np.all(year.dispatch.mw[:, hall] == pytest.approx(5.0))


def test_an_outage_takes_the_power_and_not_the_rent():
    outage = {"interconnect_mw": 10, "outage": [{"start": "2027-03-01T00:00:00Z", "hours": 48}]}
    year = site_year(site_of(power=outage), hourly=True)
    off = year.dispatch.mw[:, 0] == 0
    assert off.sum() == 48
    assert {REASONS[code] for code in year.dispatch.why[off, 0]} == {"outage"}
    assert year.revenue_usd == pytest.approx(RENT_USD)


def test_a_tenants_load_is_not_paid_for_being_given_up():
    programme = {"enrolled_mw": 6, "ready_usd_per_mw_hour": 5, "credit_usd_per_mwh": 100, "event": []}
    firm = site_year(site_of(curtailment=programme))
    free = site_year(site_of({"interruptible_above_usd_per_mwh": 500}, curtailment=programme))
    assert firm.credits_usd == 0.0
    assert free.credits_usd == pytest.approx(6 * 5 * 8760)


def test_a_tenant_that_pays_for_energy_pays_it_on_top_of_the_rent():
    year = site_year(site_of({"tenant_pays_energy": True}))
    assert year.blocks[0].passed_usd == pytest.approx(year.energy_usd)
    assert year.revenue_usd == pytest.approx(RENT_USD + year.energy_usd)


def test_take_or_pay_is_paid_for_hours_that_are_not_taken():
    let = {"usd_per_kw_month": None, "usd_per_gpu_hour": 2.0, "demand_percent": 30}
    used = site_year(site_of(let))
    paid = site_year(site_of({**let, "take_or_pay_percent": 70}))
    above = site_year(site_of({**let, "take_or_pay_percent": 20}))
    assert used.revenue_usd == above.revenue_usd == pytest.approx(4000 * 8760 * 0.3 * 2.0)
    assert paid.revenue_usd == pytest.approx(4000 * 8760 * 0.7 * 2.0)
    assert paid.energy_usd == used.energy_usd
    assert paid.blocks[0].units == pytest.approx(4000 * 8760 * 0.3)


def test_take_or_pay_hours_go_on_at_any_price():
    site = site_of({"usd_per_kw_month": None, "usd_per_gpu_hour": 2.0, "take_or_pay_percent": 50})
    year = site_year(with_spikes(site, 9000.0), hourly=True)
    assert np.all(year.dispatch.mw == pytest.approx(5.0))
    assert year.revenue_usd == pytest.approx(4000 * 8760 * 2.0)


@pytest.mark.parametrize(
    "block",
    [
        {"demand_percent": 60, "idle_percent": 20},
        {"interruptible_above_usd_per_mwh": 500, "demand_profile": "business"},
        {"tenant_pays_energy": True},
        {"usd_per_kw_month": None, "usd_per_gpu_hour": 2.0, "demand_percent": 30, "take_or_pay_percent": 70},
    ],
)
@pytest.mark.parametrize("programme", [None, {"enrolled_mw": 4, "ready_usd_per_mw_hour": 5, "event": []}])
def test_a_scenario_without_spread_is_the_year(block, programme):
    site = with_spikes(site_of(block, **({"curtailment": programme} if programme else {})), 2000.0)
    run = Run(1, ScenarioModel({}, measurement=False))
    done = run_fleet(fleet_cases([site], run.model), run, 8)
    year = site_year(site)
    for metric in ("revenue_usd", "energy_usd", "credits_usd", "net_usd"):
        assert site_metric(done, 0, metric) == pytest.approx(np.full(8, getattr(year, metric)), rel=1e-9, abs=1e-6)


def test_no_price_of_inference_moves_a_lease_or_the_limit_of_its_interruption():
    site = with_spikes(site_of({"interruptible_above_usd_per_mwh": 100}), 90.0, hours=4000)
    run = Run(1, default_model().only("inference_price"))
    net_usd = site_metric(run_fleet(fleet_cases([site], run.model), run, 64), 0, "net_usd")
    assert net_usd == pytest.approx(np.full(64, site_year(site).net_usd), rel=1e-9)


def test_the_waterfall_ends_at_the_rent_and_the_hours_add_up_to_it():
    site = site_of({"demand_percent": 60, "spare_percent": 10, "availability_percent": 95})
    year = site_year(site, hourly=True)
    (fall,) = waterfalls(year)
    assert fall.steps[-1].usd == pytest.approx(fall.sold_usd) == pytest.approx(0.9 * RENT_USD)
    assert fall.steps[-1].mwh == pytest.approx(fall.delivered_mwh)
    table = hourly_table(year)
    assert table["revenue_usd"].sum() == pytest.approx(year.revenue_usd)
    assert np.all(np.isnan(table["worth_usd_per_mwh"]))
    assert value_curve(year) == []


def test_keys_of_contracts_need_their_price():
    for block in ({"take_or_pay_percent": 50}, {"usd_per_kw_month": None, "usd_per_mtok": 1.0,
                                                "interruptible_above_usd_per_mwh": 100}):  # fmt: skip
        with pytest.raises(InputError, match="together with"):
            site_of(block)


def test_an_sla_has_no_effect_on_a_tenant_and_a_flag_says_so():
    site = site_of({"sla_percent": 50, "sla_penalty_percent": 100})
    assert any("sla_percent has no effect" in flag for flag in site.flags)
    assert site_year(site).penalty_usd == 0.0
