"""What a site does step by step adds up to what the compiled dispatch says of its year."""

from dataclasses import replace

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.horizon.activity import activity

LEASE = """
[[inference]]
name = "leased"
figure = "llama-3.3-70b-fp8-h200-1000-1000"
provisioned_w_per_gpu = 1275
gpus = 800
demand_percent = 60
usd_per_kw_month = 150
"""


@pytest.fixture
def full_year(tmp_path, full_site_text, devices):
    """A year of the site with everything: demand charge, contract, events, promised work, and a lease."""
    path = tmp_path / "full.toml"
    path.write_text(full_site_text + LEASE, encoding="utf-8")
    ((_, site),) = read_inputs(path, devices)
    return site_year(site, hourly=True)


def test_the_steps_of_a_year_add_up_to_the_year(full_year):
    """Energy, revenue, each part of the cost of power, penalties, credits and net, to 1e-9."""
    done = activity(full_year)
    sums = full_year.dispatch
    assert done.metered_mwh.sum() == pytest.approx(full_year.metered_mwh, rel=1e-9)
    assert done.bought_usd.sum() == pytest.approx(sums.bought_usd, rel=1e-9)
    assert done.contract_usd.sum() == pytest.approx(sums.contract_usd, rel=1e-9)
    assert done.resale_usd.sum() == pytest.approx(sums.sold_usd, rel=1e-9)
    assert done.adder_usd.sum() == pytest.approx(sums.adder_usd, rel=1e-9)
    assert done.demand_charge_usd.sum() == pytest.approx(sums.demand_charge_usd, rel=1e-9)
    assert done.power_usd.sum() == pytest.approx(full_year.energy_usd, rel=1e-9)
    assert done.penalty_usd.sum() == pytest.approx(full_year.penalty_usd, rel=1e-9)
    assert done.credits_usd.sum() == pytest.approx(full_year.credits_usd, rel=1e-9)
    assert done.fixed_usd.sum() == pytest.approx(full_year.fixed_usd, rel=1e-9)
    assert (done.revenue_usd + done.rent_usd).sum() == pytest.approx(full_year.revenue_usd, rel=1e-9)
    assert done.net_usd.sum() == pytest.approx(full_year.net_usd, rel=1e-9)
    for amount in (sums.demand_charge_usd, full_year.penalty_usd, full_year.credits_usd, sums.sold_usd):
        assert amount > 0.0


def test_each_block_adds_up_to_its_year(full_year):
    done = activity(full_year)
    assert [block.name for block in done.blocks] == [block.name for block in full_year.blocks]
    for block, year in zip(done.blocks, full_year.blocks, strict=True):
        assert (block.product, block.unit) == (year.product, year.unit)
        assert block.facility_mwh.sum() == pytest.approx(year.facility_mwh, rel=1e-9)
        assert block.units.sum() == pytest.approx(year.units, rel=1e-9)
        assert (block.revenue_usd + block.rent_usd).sum() == pytest.approx(year.revenue_usd, rel=1e-9)
        assert (block.btc is None) == (year.btc is None)
        assert block.btc is None or block.btc.sum() == pytest.approx(year.btc, rel=1e-9)
        assert (block.facility_mwh <= block.capacity_mw * (1.0 + 1e-9)).all()
    assert any(block.rent_usd.any() for block in done.blocks)


def test_a_bitcoin_price_over_time_is_paid_step_by_step(full_year):
    site = full_year.site
    path = np.linspace(50_000.0, 90_000.0, site.calendar.steps)
    year = site_year(replace(site, btc_path_usd=path, btc_usd=float(path.mean())), hourly=True)
    done = activity(year)
    assert sum(block.btc.sum() for block in done.blocks if block.btc is not None) == pytest.approx(
        sum(block.btc or 0.0 for block in year.blocks), rel=1e-9
    )


def test_months_are_counted_through_the_horizon(full_year):
    done = activity(full_year, first_month=24)
    assert done.month.min() == 24
    assert (done.month - 24 == full_year.site.calendar.billing).all()


def test_a_year_of_sums_alone_is_refused(full_year):
    with pytest.raises(InputError, match="expected a year run hour by hour"):
        activity(site_year(full_year.site))
