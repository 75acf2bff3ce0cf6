"""Scenarios of a site with a battery or start costs: the same sums as the engine without them, and as its year."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run, fleet_cases, run_fleet, run_shard
from sites.scenarios.metrics import METRICS, site_metric
from sites.scenarios.model import ScenarioModel
from sites.scenarios.stored import quick_error_frac
from sites.storage.terms import Battery, StartTerms

BATTERY = Battery(5.0, 15.0, 0.93, 0.93, wear_usd_per_mwh=8.0)


@pytest.fixture
def plain_site(full_site_text, tmp_path, resolve):
    """The site with every table, without its programme and demand charge."""
    text = full_site_text.replace("enrolled_mw = 40", "enrolled_mw = 0").replace("credit_usd_per_mwh = 120", "")
    path = tmp_path / "plain.toml"
    path.write_text(text.replace("demand_charge_usd_per_kw_month = 7", ""), encoding="utf-8")
    return load_site(path, resolve)


def test_without_battery_and_starts_every_scenario_equals_the_engine(plain_site):
    """Random prices, bitcoin, demand, availability and devices: the sums of both ways agree in each scenario."""
    run = Run(3, default_model())
    (case,) = fleet_cases([plain_site], run.model)
    rows, totals = run_shard(case, run, 0, 8)
    own_rows, own_totals = run_shard(replace(case, stored=plain_site), run, 0, 8)
    assert own_rows == pytest.approx(rows, rel=1e-8, abs=1e-6)
    assert own_totals == pytest.approx(totals, rel=1e-8, abs=1e-3)


def stored(site):
    first = replace(site.mining[0], starts=StartTerms(4, 2, 1 / 6, 50.0))
    return replace(site, battery=BATTERY, mining=(first, *site.mining[1:]))


def test_without_uncertainty_a_scenario_is_the_year(plain_site):
    site = stored(plain_site)
    run = Run(1, ScenarioModel(measurement=False))
    done = run_fleet(fleet_cases([site], run.model), run, 1)
    year = site_year(site)
    assert site_metric(done, 0, "net_usd")[0] == pytest.approx(year.net_usd, rel=1e-9)
    btc = sum(block.btc or 0.0 for block in year.blocks)
    assert site_metric(done, 0, "btc")[0] == pytest.approx(btc, rel=1e-9)
    assert set(METRICS) >= {"net_usd", "btc"}


def test_the_bits_of_a_scenario_depend_on_it_alone(plain_site):
    run = Run(7, default_model())
    (case,) = fleet_cases([stored(plain_site)], run.model)
    whole, _ = run_shard(case, run, 0, 3)
    part, _ = run_shard(pickle.loads(pickle.dumps(case)), run, 2, 1)
    assert np.array_equal(whole[:, :, 2:], part)


def test_a_battery_is_worth_something_in_every_scenario(plain_site):
    run = Run(5, default_model())
    pair = [replace(plain_site, battery=BATTERY), plain_site]
    cases = [
        replace(case, place=1) for case in fleet_cases([replace(s, name=str(k)) for k, s in enumerate(pair)], run.model)
    ]
    done = run_fleet(cases, run, 4)
    assert (site_metric(done, 0, "net_usd") > site_metric(done, 1, "net_usd")).all()


def test_the_quick_plan_is_exact_or_its_error_is_measured(plain_site):
    assert quick_error_frac(stored(plain_site)) == pytest.approx(0.0, abs=1e-12)
    limited = replace(plain_site, battery=replace(BATTERY, cycles_per_day=0.3))
    assert 0.0 <= quick_error_frac(limited) < 0.02


def test_a_programme_with_a_battery_is_refused(full_site_file, resolve):
    site = replace(load_site(full_site_file, resolve), battery=BATTERY)
    with pytest.raises(InputError, match=r"without curtailment\.enrolled_mw"):
        fleet_cases([site], default_model())
