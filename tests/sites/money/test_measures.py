"""Present value, internal rate, payback, levelised cost and coverage against hand counts and their laws."""

from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.capital.finance import annuity_frac, levelised_usd_per_unit
from sites.hours.months import Months
from sites.money.measures import dscr, irr_frac, levelised_usd, npv_usd, payback_years, ph_s_days

YEARS = np.arange(4.0)


def test_the_present_value_of_known_cash():
    assert npv_usd(np.array([-100.0, 0.0, 121.0]), np.array([0.0, 1.0, 2.0]), 0.1) == pytest.approx(0.0, abs=1e-12)
    months = Months.of(date(2026, 1, 1), 2)
    cash = np.zeros(24)
    cash[11], cash[23] = 110.0, 121.0
    assert npv_usd(cash, months.end_years, 0.1) == pytest.approx(200.0, rel=1e-12)  # a leap year does not matter


def test_the_internal_rate_of_known_cash():
    assert irr_frac(np.array([-100.0, 0.0, 121.0]), np.array([0.0, 1.0, 2.0])) == pytest.approx(0.1, rel=1e-12)
    assert irr_frac(np.array([-100.0, 50.0]), np.array([0.0, 1.0])) == pytest.approx(-0.5, rel=1e-12)
    assert irr_frac(np.array([100.0, -121.0]), np.array([0.0, 2.0])) == pytest.approx(0.1, rel=1e-12)


@given(st.floats(1, 1e9), st.lists(st.floats(0, 1e9), min_size=1, max_size=120))
def test_the_present_value_at_the_internal_rate_is_0(price, income):
    assume(sum(income) > 0.2 * price)
    cash = np.array([-price, *income])
    years = np.arange(cash.size) / 12
    try:
        rate = irr_frac(cash, years)
    except InputError:
        assume(False)
    size = np.abs(cash) @ (1.0 + rate) ** -years
    assert abs(npv_usd(cash, years, rate)) <= 1e-9 * size


@pytest.mark.parametrize("cash", [[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0]])
def test_without_a_change_of_sign_there_is_no_internal_rate(cash):
    with pytest.raises(InputError, match=r"^IRR: expected cash with a change of sign, got (only|all)") as fault:
        irr_frac(np.array(cash), np.arange(2.0))
    assert len(fault.value.faults) == 1


def test_several_internal_rates_are_named_and_none_is_chosen():
    with pytest.raises(InputError, match=r"expected one rate, got 2 \(10.0%, 20.0%\)"):
        irr_frac(np.array([-100.0, 230.0, -132.0]), np.arange(3.0))


def test_payback_is_within_the_month_in_which_the_sum_reaches_0():
    assert payback_years([-100.0, 40.0, 40.0, 40.0], YEARS) == pytest.approx(2.5)
    assert payback_years([-100.0, 40.0, 40.0, 0.0], YEARS) is None
    assert payback_years([-100.0, 120.0, -50.0, 60.0], YEARS) == pytest.approx(1 / 1.2)
    assert payback_years([-100.0, 120.0, -50.0, 60.0], YEARS, last_investment=2) == pytest.approx(2.5)


def test_levelised_cost_is_that_of_an_annuity_over_whole_years():
    cost, units = np.array([1000.0, 50.0, 50.0, 50.0]), np.array([0.0, 20.0, 20.0, 20.0])
    found = levelised_usd(cost, units, YEARS, 0.11)
    assert found == pytest.approx(levelised_usd_per_unit(1000.0, 50.0, 20.0, 0.11, 3), rel=1e-12)
    assert found == pytest.approx((1000.0 * annuity_frac(0.11, 3) + 50.0) / 20.0, rel=1e-12)
    assert levelised_usd(cost, np.zeros(4), YEARS, 0.11) is None


def test_a_ph_s_day_is_the_work_of_a_ph_s_in_a_day():
    assert ph_s_days(np.array([2e15 * 86_400 * 31])) == pytest.approx([62.0])
    dollars = np.array([62.0 * 45.0])
    assert levelised_usd(dollars, ph_s_days(np.array([2e15 * 86_400 * 31])), np.ones(1), 0.1) == pytest.approx(45.0)


def test_coverage_is_available_cash_over_debt_service_in_years_that_have_it():
    found = dscr(np.array([100.0, 50.0, 90.0, 7.0]), np.array([60.0, 40.0, 60.0, 0.0]), np.array([1, 1, 2, 3]))
    assert found == {1: pytest.approx(1.5), 2: pytest.approx(1.5)}


@pytest.mark.parametrize("rate", [0.0, -0.99 + 1e-9, 0.5, 9.0])
def test_a_rate_on_the_grid_of_the_search_is_one_rate(rate):
    assert irr_frac(np.array([-100.0, 100.0 * (1.0 + rate)]), np.array([0.0, 1.0])) == pytest.approx(rate, abs=1e-12)
