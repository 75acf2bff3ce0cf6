"""The years of a site: sums of hours, months and years; calendars, halvings, ages; the same case in a capital plan."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.later_year import later_year
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.horizon.statement import BLOCK_HOURLY, HOURLY, statement
from sites.horizon.years import run_years
from sites.market.mining import expected_btc
from sites.scenarios.engine import Run, fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric
from sites.scenarios.model import ScenarioModel

SUMS = {
    "energy_mwh": lambda year: year.metered_mwh,
    "btc": lambda year: sum(block.btc or 0.0 for block in year.blocks),
    "tokens": lambda year: sum(block.units for block in year.blocks if block.unit == "token"),
    "power_usd": lambda year: year.energy_usd,
    "credits_usd": lambda year: year.credits_usd,
    "penalty_usd": lambda year: year.penalty_usd,
    "fixed_usd": lambda year: year.fixed_usd,
    "net_usd": lambda year: year.net_usd,
}


@pytest.fixture
def full(tmp_path, full_site_text, devices):
    path = tmp_path / "full.toml"
    path.write_text(full_site_text, encoding="utf-8")
    ((inputs, site),) = read_inputs(path, devices)
    return inputs, site


def test_months_add_up_to_the_years_that_the_dispatch_knows(full):
    """Each column of four years, with everything that a site can have, against the compiled sums of each year."""
    inputs, site = full
    horizon = run_years(inputs, site, 4)
    done = statement(horizon)
    years = [site_year(own) for own in horizon.years]
    for name, of in SUMS.items():
        assert done.yearly[name] == pytest.approx([of(year) for year in years], rel=1e-9), name
        assert done.monthly[name].reshape(4, 12).sum(axis=1) == pytest.approx(done.yearly[name], rel=1e-9), name
        assert done.total[name] == pytest.approx(sum(of(year) for year in years), rel=1e-9), name
    revenue = done.yearly["revenue_usd"] + done.yearly["rent_usd"]
    assert revenue == pytest.approx([year.revenue_usd for year in years], rel=1e-9)


def test_hours_add_up_to_months_and_blocks_to_the_site(full):
    horizon = run_years(*full, 2)
    done, hours = statement(horizon), horizon.activity()
    assert hours.calendar.steps == sum(own.calendar.steps for own in horizon.years)
    assert (np.diff(hours.month) >= 0).all()
    for month in (0, 11, 12, 23):
        here = hours.month == month
        assert hours.net_usd[here].sum() == pytest.approx(done.monthly["net_usd"][month], rel=1e-9)
        assert hours.metered_mwh[here].sum() == pytest.approx(done.monthly["energy_mwh"][month], rel=1e-9)
    for name in ("revenue_usd", "rent_usd"):
        total = sum(block.columns[name] for block in done.blocks)
        assert total == pytest.approx(done.monthly[name], rel=1e-9)
    assert {tuple(block.columns) for block in done.blocks} == {BLOCK_HOURLY}
    assert set(HOURLY) < set(done.monthly)


def test_the_first_year_is_that_of_a_single_year(full):
    inputs, site = full
    assert statement(run_years(inputs, site, 1)).total["net_usd"] == pytest.approx(site_year(site).net_usd, rel=1e-12)


def test_months_have_the_hours_of_the_local_clock(state):
    """A constant load: 743 hours in March, 721 in November, 696 in a leap February."""
    done = state(3, btc="1000000")
    per_hour = done.monthly["energy_mwh"][0] / 744
    hours = done.monthly["energy_mwh"] / per_hour
    assert hours[:12] == pytest.approx([744, 672, 743, 720, 744, 720, 744, 744, 720, 744, 721, 744], rel=1e-9)
    assert hours[[13, 25]] == pytest.approx([672, 696], rel=1e-9)
    assert done.months.names[0] == "2026-01"
    assert done.months.names[-1] == "2028-12"


def test_bitcoin_of_each_month_is_the_integral_over_difficulty_and_halving(make):
    """The subsidy halves in April 2028; a site whose miners never stop makes what their hash rate earns."""
    inputs, site = make(btc="10000000", growth=20)
    done = statement(run_years(inputs, site, 3))
    zone = ZoneInfo(site.timezone)
    rate = site.mining[0].count * site.mining[0].rate.rate_per_s
    for month in (0, 14, 26, 27, 28, 35):
        year, of_year = divmod(month, 12)
        begin = datetime(2026 + year, of_year + 1, 1, tzinfo=zone).timestamp()
        end = datetime(2026 + (month + 1) // 12, (month + 1) % 12 + 1, 1, tzinfo=zone).timestamp()
        earned = expected_btc(rate, begin, end, fees_frac=0.01, path=site.path) * 0.99
        assert done.monthly["btc"][month] == pytest.approx(earned, rel=1e-9)
    assert done.monthly["btc"][28] < 0.55 * done.monthly["btc"][26]


def test_miners_age_and_demand_grows_without_a_step_between_years(make):
    aging = make(btc="10000000", miners="degradation_percent_per_year = 5", gpus="demand_growth_percent_per_year = 10")
    hours = run_years(*aging, 3).activity()
    miners, gpus = hours.blocks
    steps = np.diff(np.log(miners.units))
    assert steps == pytest.approx(np.full(steps.size, np.log(0.95) / 8766), rel=1e-6)
    assert np.diff(np.log(gpus.units)) == pytest.approx(np.full(steps.size, np.log(1.1) / 8766), rel=1e-6)


def test_a_year_that_begins_within_a_month_shares_that_month(state):
    done = state(2, start="2026-07-15")
    assert len(done.months) == 25
    assert (done.months.names[0], done.months.names[-1]) == ("2026-07", "2028-07")
    assert done.years == ("2026-07-15", "2027-07-15")
    for name in ("energy_mwh", "net_usd", "power_usd"):
        assert done.monthly[name].sum() == pytest.approx(done.yearly[name].sum(), rel=1e-9)


def test_a_capital_plan_and_the_years_agree_on_the_same_case(full):
    """The years of a capital plan are cases of the scenario engine; without uncertainty they are the years here."""
    inputs, site = full
    run = Run(1, ScenarioModel({}, measurement=False))
    cases = fleet_cases([site], run.model, years=range(4))
    done = run_fleet(cases, run, 8)
    yearly = statement(run_years(inputs, site, 4)).yearly
    for year in range(4):
        assert site_metric(done, year, "net_usd")[0] == pytest.approx(yearly["net_usd"][year], rel=1e-9)
        assert site_metric(done, year, "btc")[0] == pytest.approx(yearly["btc"][year], rel=1e-9)


@pytest.mark.parametrize("years", [0, 51])
def test_a_number_of_years_outside_the_range_is_refused(make, years):
    with pytest.raises(InputError, match="years: expected a whole number of 1 to 50"):
        run_years(*make(), years)


def test_the_same_hour_repeats_what_the_first_year_had(make):
    """A year that is built anew and one that is repeated are the same without anything that grows."""
    inputs, site = make(gpus="")
    later = later_year(site, 1)
    assert site_year(later).energy_usd == pytest.approx(site_year(site).energy_usd, rel=1e-9)
    assert run_years(inputs, site, 2).years[1].spot_usd_per_mwh.mean() == pytest.approx(40.0)
