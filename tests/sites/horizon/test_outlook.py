"""Scenarios of a horizon: the base case without spread, one path through all years, the same bits on any executor."""

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.horizon.outlook import cases_of, horizon_outlook
from sites.horizon.statement import statement
from sites.horizon.years import run_years, years_of
from sites.scenarios.draws import factors_of
from sites.scenarios.engine import Run, local, run_fleet
from sites.scenarios.model import ScenarioModel, Uncertain

NO_SPREAD = Run(1, ScenarioModel({}, measurement=False))
SPREAD = Run(7, ScenarioModel({"btc": Uncertain(0.6), "power": Uncertain(0.3), "demand": Uncertain(0.2)}))
PHASED = {
    "miners": "start = 2026-03-10\ndegradation_percent_per_year = 4",
    "gpus": "end = 2028-02-20",
    "price": "energy_usd_per_mwh = 45\ndemand_charge_usd_per_kw_month = 3",
    "more": "[cost]\nfixed_usd_per_year = 100000\n[horizon]\nyears = 3\nbtc_price_growth_percent_per_year = 5\n",
}


def test_without_spread_every_scenario_is_the_statement(make):
    """With phases within months, a demand charge, ages and growth."""
    inputs, site = make(**PHASED)
    done = statement(run_years(inputs, site, 3))
    found = horizon_outlook([(inputs, site, 3)], NO_SPREAD, 16)
    for year in range(3):
        assert found.yearly["net_usd"][year].mean == pytest.approx(done.yearly["net_usd"][year], rel=1e-9)
        assert found.yearly["btc"][year].p90 == pytest.approx(done.yearly["btc"][year], rel=1e-9)
        assert found.yearly["metered_mwh"][year].p10 == pytest.approx(done.yearly["energy_mwh"][year], rel=1e-9)
    assert found.total["net_usd"].p50 == pytest.approx(done.total["net_usd"], rel=1e-9)


def test_a_part_without_blocks_counts_with_its_fixed_cost(make):
    inputs, site = make(miners="start = 2027-01-01", more="[cost]\nfixed_usd_per_year = 50000\n")
    found = horizon_outlook([(inputs, site, 2)], NO_SPREAD, 8)
    assert found.yearly["net_usd"][0].mean == pytest.approx(-50000.0)


def test_random_paths_go_on_from_part_to_part(make):
    """The factors of a part's months are those of the same months in the whole horizon."""
    inputs, site = make(**PHASED)
    split, _ = cases_of(years_of(inputs, site, 3), SPREAD)
    whole_inputs, whole_site = make(**(PHASED | {"miners": "", "gpus": ""}))
    whole, _ = cases_of(years_of(whole_inputs, whole_site, 3), SPREAD)
    power = {}
    for case in whole:
        for month, factor in enumerate(factors_of(case, SPREAD, 0, 8).power):
            power[case.first_month + month] = factor
    assert [case.first_month for case in split] == [0, 2, 12, 24, 25]
    for case in split:
        for month, factor in enumerate(factors_of(case, SPREAD, 0, 8).power):
            assert (factor == power[case.first_month + month]).all()


def test_the_bits_do_not_depend_on_the_executor(make):
    inputs, site = make(**PHASED)
    cases, _ = cases_of(years_of(inputs, site, 3), SPREAD)

    def reversed_shards(given, run, shards):
        return local(1)(given, run, list(reversed(shards)))

    one, other = (run_fleet(cases, SPREAD, 3000, execute=execute) for execute in (local(2), reversed_shards))
    assert all((a == b).all() for a, b in zip(one.rows, other.rows, strict=True))
    assert all((a == b).all() for a, b in zip(one.totals, other.totals, strict=True))


def test_the_spread_grows_with_the_years(make):
    inputs, site = make()
    found = horizon_outlook([(inputs, site, 4)], SPREAD, 2000)
    spreads = np.array([year.sd / year.mean for year in found.yearly["net_usd"]])
    assert (np.diff(spreads) > 0).all()


def test_contracts_are_refused_in_one_line(make):
    more = PHASED["more"] + '[[contract]]\nkind = "swap"\nname = "hedge"\nmw = 1\nfixed_usd_per_mwh = 40\n'
    inputs, site = make(more=more)
    with pytest.raises(InputError, match=r"expected site 'Horizon' without \[\[contract\]\]") as refused:
        horizon_outlook([(inputs, site, 3)], SPREAD, 8)
    assert "\n" not in str(refused.value)
