"""The months of a horizon: real days, anniversaries, and shares of months in which a contract is in force."""

from datetime import date

import pytest

from hardware_profiles.errors import InputError
from sites.hours.months import Months, years_between


def test_the_months_of_two_years_have_the_days_of_the_calendar():
    months = Months.of(date(2027, 1, 1), 2)
    assert len(months) == 24
    assert months.days.sum() == 365 + 366
    assert months.days[13] == 29  # February 2028
    assert months.end == date(2029, 1, 1)
    assert (months.in_force() == 1.0).all()


def test_a_horizon_from_the_middle_of_a_month_has_two_parts_of_it():
    months = Months.of(date(2026, 3, 15), 1)
    assert len(months) == 13
    assert (months.days[0], months.days[-1]) == (17, 14)
    assert months.in_force()[0] == 17 / 31
    assert months.in_force()[-1] == 14 / 31


def test_every_anniversary_is_a_whole_number_of_years():
    start = date(2024, 2, 29)
    assert [years_between(start, date(year, 3, 1)) for year in (2025, 2026, 2027)] == [1.0, 2.0, 3.0]
    assert years_between(start, date(2028, 2, 29)) == 4.0
    months = Months.of(date(2026, 1, 1), 5)
    assert months.end_years[[11, 23, 35, 47, 59]].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert months.end_years[24] == 2 + 31 / 366


def test_a_contract_is_in_force_on_its_first_and_on_its_last_day():
    months = Months.of(date(2026, 1, 1), 1)
    share = months.in_force(date(2026, 2, 15), date(2026, 4, 1))
    assert share[:5].tolist() == [0.0, 14 / 28, 1.0, 1 / 30, 0.0]


def test_an_anniversary_counts_from_the_first_whole_month_after_it():
    months = Months.of(date(2026, 1, 1), 3)
    passed = months.anniversaries(date(2026, 7, 1))
    assert passed[:6].tolist() == [0] * 6
    assert (passed[17], passed[18], passed[30]) == (0, 1, 2)
    assert months.anniversaries(date(2026, 7, 2))[18:20].tolist() == [0, 1]


def test_a_day_is_in_its_month_or_in_none():
    months = Months.of(date(2026, 3, 15), 1)
    assert months.index(date(2026, 3, 15)) == 0
    assert months.index(date(2027, 3, 14)) == 12
    assert months.index(date(2026, 3, 14)) is None
    assert months.index(date(2027, 3, 15)) is None


def test_no_years_are_refused():
    with pytest.raises(InputError, match="years: expected a whole number of 1 or more, got 0"):
        Months.of(date(2026, 1, 1), 0)
