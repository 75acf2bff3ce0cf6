"""The cash of a site by month: its columns add up, and its measures are those of the columns."""

from datetime import date

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from hardware_profiles.reading import parse_toml, validate
from sites.file.contracts.tables import MoneyTables
from sites.hours.months import Months
from sites.money.assets import Asset
from sites.money.cash import Plan, cash, measures
from sites.money.file import plan_of
from sites.money.tax import TaxTerms

MONTHS = Months.of(date(2026, 1, 1), 3)
START = date(2026, 1, 1)
PLAN = """
[[capex]]
name = "phase 1"
paid = 2026-01-01
usd = 1200
life_months = 36
residual_percent = 10
[[debt]]
kind = "equal principal"
name = "senior"
principal_usd = 600
interest_percent = 12
drawn = 2026-01-01
months = 12
fee_percent = 2
[[debt]]
kind = "btc"
name = "pledged"
principal_usd = 100
collateral_btc = 2
interest_percent = 10
drawn = 2026-01-01
repaid = 2026-12-31
cured_ltv_percent = 50
margin_call_ltv_percent = 70
liquidation_ltv_percent = 80
[tax]
rate_percent = 25
"""


def _plan(text=PLAN):
    return plan_of(validate(MoneyTables, parse_toml(text.encode(), "s.toml"), "s.toml"))


def test_the_cash_of_equity_is_what_its_columns_say():
    flows = cash(_plan(), np.full(36, 100.0), MONTHS, np.full(36, 100.0))
    assert flows.capex[0] == 1200.0
    assert flows.proceeds[35] == 120.0
    assert flows.depreciation[:36] == pytest.approx(np.full(36, 1200 / 36))
    assert flows.drawn[0] == 700.0
    assert flows.fees[0] == 12.0
    assert flows.balance[10] == pytest.approx(50 + 100)
    income = 12 * 100 - 12 * 1200 / 36 - flows.interest[:12].sum() - 12
    assert flows.tax[11] == pytest.approx(0.25 * income)
    assert flows.equity[0] == pytest.approx(100 - 1200 + 700 - 12 - flows.service[0])
    assert flows.tax[35] == pytest.approx(0.25 * (12 * 100 - 400 + 120))  # the residual value is a gain
    assert flows.equity.sum() == pytest.approx(3600 - 1200 + 120 + 700 - 12 - flows.service.sum() - flows.tax.sum())


def test_debt_is_worth_nothing_at_its_own_rate_without_tax():
    plan = _plan(PLAN.partition('[[debt]]\nkind = "btc"')[0].replace("fee_percent = 2\n", ""))
    flows = cash(plan, np.full(36, 100.0), MONTHS)
    found = measures(flows, MONTHS, 0.12)
    assert found.least_dscr == pytest.approx(1200 / flows.service[:12].sum())
    assert found.mean_dscr == found.least_dscr
    assert (flows.equity - flows.project).sum() == pytest.approx(-flows.interest.sum())


def test_the_measures_of_a_project_without_debt():
    flows = cash(Plan((Asset("it", 1200.0, START, START),)), np.full(36, 100.0), MONTHS)
    found = measures(flows, MONTHS, 0.1)
    assert found.project == found.equity
    assert found.project.payback_years == pytest.approx(1.0)
    assert found.project.irr_frac is not None
    value = flows.project @ (1 + found.project.irr_frac) ** -MONTHS.end_years
    assert value == pytest.approx(0, abs=1e-9)
    assert found.least_dscr is None


def test_without_an_investment_the_table_says_why_there_is_no_internal_rate():
    found = measures(cash(Plan(), np.full(36, 100.0), MONTHS), MONTHS, 0.1)
    assert found.project.irr_frac is None
    assert found.project.no_irr == "expected cash with a change of sign, got only income in 36 periods"


def test_losses_of_the_first_year_lower_the_tax_of_the_second():
    operating = np.repeat([-10.0, 30.0, 30.0], 12)
    flows = cash(Plan(tax=TaxTerms(0.25)), operating, MONTHS)
    assert flows.tax[[11, 23, 35]] == pytest.approx([0, 0.25 * 240, 0.25 * 360])
    assert flows.project.sum() == pytest.approx(600 - 0.25 * 600)


def test_a_loan_against_bitcoin_needs_its_price():
    with pytest.raises(InputError, match=r"^debt pledged: expected a price of bitcoin, got a site without one$"):
        cash(_plan(), np.zeros(36), MONTHS)
