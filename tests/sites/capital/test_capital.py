"""Capital against hand counts, closed forms and simulation; the bundled plans."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.capital import finance as c
from sites.capital.appraisal import report
from sites.capital.file import read_plan
from sites.capital.switching import mining_mw
from sites.examples import capital_path, site_path
from sites.file.build import load_site
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run
from sites.scenarios.model import ScenarioModel


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
    assert c.payback(capex, np.full((years, 1), payment), rate).npv_p50_usd == pytest.approx(0.0, abs=1e-9)
    assert c.annuity_frac(0.0, 4) == 0.25
    assert c.levelised_usd_per_unit(capex, 0.0, 2.0, rate, years) == pytest.approx(payment / 2)
    assert c.levelised_usd_per_unit(capex, 0.0, 0.0, rate, years) is None
    assert c.payback(0.0, np.zeros((2, 1)), 0.1, residual_usd=121.0).npv_p50_usd == pytest.approx(100.0)


def test_a_device_that_is_ready_in_month_7_earns_five_months_of_year_1():
    parts = c.in_service(7 / 12, 2)
    assert [part.year for part in parts] == [0, 1, 2]
    assert [12 * part.share for part in parts] == pytest.approx([5, 12, 7])
    assert c.in_service(0.0, 3) == ((0, 0.0, 1.0), (1, 1.0, 2.0), (2, 2.0, 3.0))
    assert [part.year for part in c.in_service(1.5, 1)] == [1, 2]
    assert sum(part.share for part in c.in_service(0.1 + 0.2, 5)) == pytest.approx(5)


def test_payback_and_present_value_count_from_the_payment():
    parts = c.in_service(0.5, 2)  # half a year, a year, half a year
    found = c.payback(100.0, np.array([[30.0], [80.0], [50.0]]), 0.1, service=parts)
    assert found.p50_years == pytest.approx(1 + 70 / 80)
    assert found.npv_p50_usd == pytest.approx(30 / 1.1 + 80 / 1.1**2 + 50 / 1.1**2.5 - 100)
    assert found.years == 2
    assert c.payback_years(10.0, [30.0, 80.0, 50.0], parts) == pytest.approx(0.5 + 0.5 / 3)


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
    late = c.in_service(1.0, 2)
    assert c.payback(100.0, cash, 0.0, service=late).p50_years == pytest.approx(1 + 100 / 60)


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


def _changed(tmp_path, *changes, plan="4451-btc-for-gpu-modules"):
    text = capital_path(plan).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan(path)


REPAID = "repaid_usd = 200000000"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("principal_usd = 350000000", "principal_usd = 100000000"), r"loan: expected repaid_usd of at most"),
        (("value = 7474.6", "value = 4000"), r"plan\.toml: expected sale\.btc below loan\.collateral_btc \(4,000\)"),
        (("value = 7474.6", "value = 4451"), "expected sale.btc below"),
        (("call_ltv_percent = 75", "call_ltv_percent = 95"), "margin_call_ltv_percent below"),
        (
            ("tion_ltv_percent = 85", "tion_ltv_percent = 850"),
            r"liquidation_ltv_percent: expected a number of 0\.01 to",
        ),
        ((REPAID, REPAID + "\ninterest_percent = -1"), "interest_percent: expected a number of 0 to 1,000"),
        (("lead_years = 0.75", "lead_years = 75"), "lead_years: expected a number of 0 to 20 years"),
        (("years = 1\n", "years = 1e17\n"), r"loan\.years: expected a number of 0\.01 to 50 years"),
        (("discount_percent = 12", "discount_percent = 1e17"), "discount_percent: expected a number of 0 to 1,000"),
        (("from_collateral = true", 'from_collateral = "yes"'), "from_collateral: expected true or false"),
    ],
)
def test_terms_that_cannot_be_are_one_line_that_names_the_file(tmp_path, change, text):
    with pytest.raises(InputError, match=text) as refused:
        _changed(tmp_path, change)
    assert "plan.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("plan", "change", "text"),
    [
        (
            "4451-btc-for-gpu-modules",
            ((REPAID, "repaid_usd = 304999999"),),
            "expected a budget for at least one GPU module",
        ),
        (
            "4451-btc-for-gpu-modules",
            ((REPAID, "repaid_usd = 305000000"),),
            "expected a budget above 0 after the repayment",
        ),
        ("50-mw-for-19.5-musd", (("mw = { value = 50", "mw = { value = 5000"),), r"interconnect \(50 MW\), got 5000"),
    ],
)
def test_a_purchase_that_does_not_fit_is_refused(tmp_path, plan, change, text):
    with pytest.raises(InputError, match=text):
        report(_changed(tmp_path, *change, plan=plan), _load, Run(1, ScenarioModel()), 1)


@pytest.mark.parametrize("plan", ["50-ehs-for-400-musd", "4451-btc-for-gpu-modules"])
def test_a_site_without_miners_has_nothing_to_grow_or_convert(tmp_path, plan):
    bare = replace(_load("georgia-50mw-gpu-modules"), mining=())
    with pytest.raises(InputError, match="expected a site with miners, got none"):
        report(_changed(tmp_path, plan=plan), lambda _: bare, Run(1, ScenarioModel()), 1)


def test_more_money_than_the_site_has_room_for_is_left_over(tmp_path):
    plan = _changed(tmp_path, ("value = 29000000", "value = 1000000"))
    found = report(plan, _load, Run(1, ScenarioModel()), 1)
    assert found.budget_usd == pytest.approx(1e6 * mining_mw(_load(plan.site)), rel=0.1)
    assert found.budget_usd + found.left_over_usd == pytest.approx(105e6)


def test_modules_beside_those_that_stand_there_leave_them_alone(tmp_path):
    plan = _changed(tmp_path, ('site = "georgia-50mw-mining"', 'site = "georgia-50mw-gpu-modules"'))
    assert report(plan, _load, Run(1, ScenarioModel()), 1).base_cash_usd > 0


def test_income_lost_in_the_lead_time_and_old_miners_are_part_of_what_has_to_come_back(tmp_path):
    still = Run(1, ScenarioModel())
    given = report(_changed(tmp_path), _load, still, 1)
    quick = report(_changed(tmp_path, ("offline_percent = 50", "offline_percent = 0")), _load, still, 1)
    assert given.lost_in_lead_usd > 0 == quick.lost_in_lead_usd
    assert given.offline_mw == pytest.approx(105 / 29)
    assert quick.payback.npv_p50_usd - given.payback.npv_p50_usd == pytest.approx(given.lost_in_lead_usd)
    assert given.miners_sold_usd > 0


def test_interest_that_is_added_to_a_loan_makes_its_calls_likelier(tmp_path):
    run = Run(1, default_model())
    free, dear = (
        report(_changed(tmp_path, (REPAID, f"{REPAID}\ninterest_percent = {rate}")), _load, run, 1).loan
        for rate in (0, 12)
    )
    assert dear.margin_call_after > free.margin_call_after
    assert dear.liquidation_before > free.liquidation_before
    assert (dear.ltv_after, dear.interest_saved_usd_per_year) == (free.ltv_after, pytest.approx(24e6))
