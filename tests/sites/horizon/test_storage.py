"""A battery and start costs through the years: what a site does hour by hour adds up to its exact dispatch."""

import numpy as np
import pytest

from sites.dispatch.year import site_year
from sites.horizon.activity import activity
from sites.horizon.phases import part_of_year, pieces
from sites.horizon.statement import statement
from sites.horizon.years import run_years

TARIFF = """[price.time_of_use]
base_usd_per_mwh = 30
[[price.time_of_use.period]]
usd_per_mwh = 150
from_hour = 17
to_hour = 21"""
BATTERY = """
[battery]
power_mw = {mw}
energy_mwh = {mwh}
round_trip_percent = 85
degradation_usd_per_mwh = 4
{keys}
"""
STARTS = "min_up_hours = 3\nmin_down_hours = 2\nwake_minutes = 20\nstart_usd = 25"


@pytest.mark.parametrize(("mw", "keys"), [(2, ""), (20, "may_export = true")])
def test_the_steps_of_a_year_with_a_battery_and_starts_add_up_to_it(make, mw, keys):
    """In the first 20 days: the exact dispatch of a whole year takes seconds."""
    _, site = make(
        price=TARIFF, miners=STARTS, gpus="idle_percent = 10", more=BATTERY.format(mw=mw, mwh=3 * mw, keys=keys)
    )
    year = site_year(part_of_year(site, 0, 480), hourly=True)
    done = activity(year)
    assert year.storage.discharged_mwh > 0.0
    assert year.storage.start_usd > 0.0 or keys
    assert (year.storage.export_usd > 0.0) == bool(keys)
    assert done.metered_mwh.sum() == pytest.approx(year.metered_mwh, rel=1e-9)
    assert done.power_usd.sum() == pytest.approx(year.energy_usd, rel=1e-9)
    assert done.storage_usd.sum() == pytest.approx(year.storage.wear_usd + year.storage.start_usd, rel=1e-9)
    assert done.net_usd.sum() == pytest.approx(year.net_usd, rel=1e-9)
    for block, own in zip(done.blocks, year.blocks, strict=True):
        assert block.units.sum() == pytest.approx(own.units, rel=1e-9)
        assert (block.revenue_usd + block.rent_usd).sum() == pytest.approx(own.revenue_usd, rel=1e-9)
        assert block.btc is None or block.btc.sum() == pytest.approx(own.btc, rel=1e-9)


def test_years_and_phases_keep_the_battery(make):
    """Each part begins at the start state; what it costs is a column of the statement."""
    inputs, site = make(price=TARIFF, miners="end = 2026-05-31", gpus="", more=BATTERY.format(mw=2, mwh=6, keys=""))
    horizon = run_years(inputs, site, 1)
    done = statement(horizon)
    assert len(horizon.parts) == 2
    parts = [site_year(piece).net_usd for piece in pieces(horizon.years[0])]
    assert done.total["net_usd"] == pytest.approx(sum(parts), rel=1e-9)
    assert (done.monthly["storage_usd"] > 0.0).all()
    assert np.isfinite(done.monthly["cash_usd"]).all()
