"""Depreciation, residual values and tax against hand counts."""

from datetime import date

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.hours.months import Months
from sites.money.assets import MACRS_FRAC, Asset, asset
from sites.money.tax import TaxTerms, income_tax

MONTHS = Months.of(date(2026, 1, 1), 3)


def _asset(**changes):
    item = {"name": "miners", "usd": 3600.0, "paid": date(2026, 1, 15), "in_service": date(2026, 3, 1)}
    return Asset(**(item | changes))


def test_a_straight_line_from_the_month_of_service_to_the_sale():
    found = asset(_asset(life_months=24, sold=date(2027, 6, 30), residual_usd=1000.0), MONTHS)
    assert found.capex[0] == 3600.0
    assert found.depreciation[:3].tolist() == [0.0, 0.0, 150.0]
    assert found.depreciation.sum() == pytest.approx(16 * 150)
    assert found.book[[0, 2, 16]] == pytest.approx([3600, 3450, 1350])
    assert found.gain[17] == pytest.approx(1000 - 1200)
    assert found.proceeds[17] == 1000.0
    assert found.book[17:].tolist() == [0.0] * 19


def test_what_is_not_depreciated_at_the_end_is_in_the_gain_of_the_sale():
    found = asset(_asset(life_months=60, residual_usd=500.0), MONTHS)
    assert found.depreciation.sum() - found.gain.sum() == pytest.approx(3600 - 500)
    land = asset(_asset(method="none", residual_usd=3600.0), MONTHS)
    assert land.depreciation.sum() == land.gain.sum() == 0.0


def test_a_table_of_five_years_by_calendar_year():
    found = asset(_asset(usd=1000.0, method="macrs 5", in_service=date(2026, 7, 1)), MONTHS)
    year = MONTHS.calendar_year
    assert [found.depreciation[year == y].sum() for y in (2026, 2027, 2028)] == pytest.approx([200, 320, 192])
    assert np.count_nonzero(found.depreciation[:12]) == 6
    bonus = asset(_asset(usd=1000.0, method="macrs 5", bonus_frac=0.4, in_service=date(2026, 7, 1)), MONTHS)
    assert bonus.depreciation[:12].sum() == pytest.approx(400 + 600 * 0.2)


def test_the_yearly_shares_of_each_table_are_the_whole():
    assert {name: pytest.approx(sum(shares)) for name, shares in MACRS_FRAC.items()} == dict.fromkeys(MACRS_FRAC, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paid": date(2025, 12, 31)}, "key paid: expected a day of 2026-01-01 to 2028-12-31, the horizon"),
        ({"in_service": date(2029, 1, 1)}, "key in_service: expected a day of"),
        ({"sold": date(2026, 2, 1)}, "key sold: expected a day from in_service"),
    ],
)
def test_days_that_cannot_be_are_one_line(changes, message):
    with pytest.raises(InputError, match=message):
        asset(_asset(**changes), MONTHS)


def test_losses_are_carried_forward_and_tax_is_due_in_the_last_month_of_a_year():
    """Income of -120, 60 and 240: the loss offsets 60 and then 60 of 240; 21 % of 180 are due in December 2028."""
    income = np.repeat([-10.0, 5.0, 20.0], 12)
    found = income_tax(TaxTerms(0.21), income, MONTHS)
    assert found.income == pytest.approx({2026: -120, 2027: 60, 2028: 240})
    assert found.losses == pytest.approx({2026: 120, 2027: 60, 2028: 0})
    assert found.tax[35] == pytest.approx(0.21 * 180)
    assert np.count_nonzero(found.tax) == 1


def test_losses_may_offset_a_share_of_the_income():
    income = np.repeat([-10.0, 5.0, 20.0], 12)
    found = income_tax(TaxTerms(0.21, loss_use_frac=0.8), income, MONTHS)
    assert found.tax[[23, 35]] == pytest.approx([0.21 * 12, 0.21 * (240 - 72)])
    early = income_tax(TaxTerms(0.21, losses_usd=30.0), np.full(36, 5.0), MONTHS)
    assert early.tax[[11, 23]] == pytest.approx([0.21 * 30, 0.21 * 60])
