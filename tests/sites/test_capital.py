"""Capital against hand counts, closed forms and simulation; the bundled plans."""

import math

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites import capital as c
from sites.capital_plan import read_plan, report
from sites.examples import capital_path, site_path
from sites.fleet import Run
from sites.scenario_file import default_model
from sites.scenarios import ScenarioModel
from sites.site import load_site


def _load(name):
    return load_site(site_path(name), resolve_device)


def test_the_three_prices_of_the_examples_per_unit():
    assert c.usd_per_th_s(400e6, 50e18) == pytest.approx(8.0)
    assert c.usd_per_mw(19.5e6, 50.0) == pytest.approx(390_000.0)
    assert c.Sale(4451, 305e6 / 4451).proceeds_usd == pytest.approx(305e6)


def test_payback_is_a_time_or_never_and_never_a_huge_number():
    assert c.payback_years(100.0, [40.0, 40.0, 40.0]) == pytest.approx(2.5)
    assert c.payback_years(100.0, [-10.0, 60.0, 60.0]) == pytest.approx(2 + 50 / 60)
    assert c.payback_years(100.0, [1e-9] * 5) is None
    assert c.payback_years(100.0, [-5.0, -5.0]) is None
    assert c.payback_text(None) == "does not pay back"
    assert c.payback_text(2.54) == "2.5 years"


def test_present_value_and_levelised_cost_agree_with_an_annuity():
    years, rate, capex = 7, 0.11, 1000.0
    payment = capex * c.annuity_frac(rate, years)
    assert c.npv_usd(capex, [payment] * years, rate) == pytest.approx(0.0, abs=1e-9)
    assert c.annuity_frac(0.0, 4) == 0.25
    assert c.levelised_usd_per_unit(capex, 0.0, 2.0, rate, years) == pytest.approx(payment / 2)
    assert c.levelised_usd_per_unit(capex, 0.0, 0.0, rate, years) is None
    assert c.npv_usd(0.0, [0.0, 0.0], 0.1, residual_usd=121.0) == pytest.approx(100.0)
    with pytest.raises(InputError, match="discount_frac"):
        c.npv_usd(1.0, [1.0], -1.0)


def test_break_even_prices_make_the_net_nothing():
    assert c.breakeven_power_usd_per_mwh(50.0, 10.0, 40.0) == 45.0
    assert c.breakeven_power_usd_per_mwh(50.0, 0.0, 40.0) is None
    assert c.breakeven_hashprice(40.0, 25.0, 100.0) == 30.0
    assert c.breakeven_hashprice(40.0, 25.0, 0.0) is None
    assert c.breakeven_hashprice(40.0, 250.0, 100.0) is None


def test_a_loan_has_its_levels_and_a_repayment_moves_them():
    loan = c.Loan(100.0, 2.0, 0.7, 0.8)
    assert loan.ltv(100.0) == 0.5
    assert loan.ltv(loan.trigger_usd(0.8)) == pytest.approx(0.8)
    assert loan.repaid(40.0).ltv(100.0) == pytest.approx(0.3)
    assert loan.repaid(100.0) is None
    for wrong in ((0.0, 2.0, 0.7, 0.8), (100.0, 2.0, 0.8, 0.7), (100.0, 2.0, 0.7, 1.2)):
        with pytest.raises(InputError, match="loan"):
            c.Loan(*wrong)
    with pytest.raises(InputError, match="repayment"):
        loan.repaid(-1.0)


@pytest.mark.parametrize(("volatility", "drift"), [(0.5, 0.0), (0.8, 0.3), (0.3, -0.2)])
def test_the_probability_of_liquidation_is_that_of_simulated_paths(volatility, drift):
    r, steps, count = np.random.default_rng(5), 4000, 4000
    shift = (math.log1p(drift) - 0.5 * volatility**2) / steps
    lowest, level = np.zeros(count), np.zeros(count)
    for _ in range(steps):
        level += shift + volatility / math.sqrt(steps) * r.standard_normal(count)
        lowest = np.minimum(lowest, level)
    barrier = 0.7
    # Paths seen at steps miss some touches: move the barrier by 0.5826 s sqrt(dt) (Broadie, Glasserman, Kou 1997).
    seen = math.log(barrier) + 0.5826 * volatility / math.sqrt(steps)
    simulated = (lowest <= seen).mean()
    exact = c.touch_probability(100.0, 70.0, volatility, 1.0, drift)
    assert exact == pytest.approx(simulated, abs=4 * math.sqrt(simulated * (1 - simulated) / count))


def test_a_barrier_above_the_price_is_touched_and_a_still_price_touches_none():
    assert c.touch_probability(100.0, 100.0, 0.5, 1.0) == 1.0
    assert c.touch_probability(100.0, 70.0, 0.0, 1.0) == 0.0
    assert c.touch_probability(100.0, 70.0, 0.0, 1.0, drift_frac_per_year=-0.5) == 1.0
    with pytest.raises(InputError, match="volatility"):
        c.touch_probability(100.0, 70.0, -0.1, 1.0)


def test_payback_over_scenarios_counts_those_that_never_pay():
    cash = np.array([[60.0, 10.0, -5.0, 100.0]] * 2)
    found = c.payback(100.0, cash, 0.0)
    assert found.probability == 0.5
    assert found.p50_years == pytest.approx(100 / 60)
    assert found.p90_years is None
    assert found.npv_positive == 0.5
    assert c.payback(100.0, cash, 0.0, lead_years=1.0).p50_years == pytest.approx(1 + 100 / 60)


@pytest.mark.parametrize("name", ["50-ehs-for-400-musd", "50-mw-for-19.5-musd", "4451-btc-for-gpu-modules"])
def test_a_bundled_plan_says_what_it_buys_and_when_it_pays_back(name):
    plan = read_plan(capital_path(name))
    found = report(plan, _load, Run(1, default_model()), 64)
    still = report(plan, _load, Run(1, ScenarioModel()), 1)
    assert found.budget_usd == pytest.approx({"50-e": 400e6, "50-m": 19.5e6, "4451": 105e6}[name[:4]])
    assert found.base_cash_usd > 0
    assert 0.0 < found.payback.probability < 1.0
    assert still.payback.probability in {0.0, 1.0}
    assert any(a.source != "assumption" for a in found.assumptions)
    assert found.document()["name"] == plan.name
    if name.startswith("4451"):
        assert found.loan is not None
        assert found.sale_usd_per_btc == pytest.approx(68_524, abs=1)
        assert "GPUs" in found.bought
        assert found.usd_per_mtok > 0
        assert 0 < found.loan.liquidation_after < found.loan.margin_call_after < 1
    else:
        assert found.usd_per_btc > 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("kind = ", 'kind = "moon" # '), "kind"),
        (("mw = ", "mw = -5 # "), "mw"),
        (("discount_percent = 12", ""), "discount_percent"),
        (("price_usd = ", "# "), "price_usd"),
    ],
)
def test_a_plan_that_is_wrong_is_one_line_that_names_its_key(tmp_path, change, text):
    path = tmp_path / "plan.toml"
    path.write_text(capital_path("50-mw-for-19.5-musd").read_text().replace(*change))
    with pytest.raises(InputError, match=text):
        read_plan(path)


def test_an_unknown_plan_names_the_bundled_ones():
    with pytest.raises(InputError, match=r"50-mw-for-19\.5-musd"):
        capital_path("50-mw-for-19-musd")
