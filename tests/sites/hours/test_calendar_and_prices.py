"""The hours of a local year, and what prices, outages, charges and heat make of them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.dispatch.problem import problem
from sites.hours import power, prices
from sites.hours.calendar import local_year, unix_s


def test_a_local_year_knows_its_clock_changes():
    calendar = local_year(date(2026, 1, 1), "America/New_York")
    assert calendar.hours == 8760
    assert calendar.start_s == unix_s(datetime(2026, 1, 1, 5, tzinfo=UTC))
    assert calendar.hour[0] == 0
    _, counts = np.unique(calendar.day_of_year, return_counts=True)
    assert sorted(set(counts[:-1].tolist())) == [23, 24, 25]
    assert calendar.billing.max() == 11
    assert calendar.how[0] == 3 * 24  # a Thursday


@given(st.integers(2010, 2040), st.sampled_from(["UTC", "Asia/Kolkata", "Australia/Sydney", "America/Asuncion"]))
def test_a_year_has_twelve_billing_months_without_gap(year, timezone):
    calendar = local_year(date(year, 1, 1), timezone)
    assert calendar.hours in {8760, 8784}
    assert np.unique(calendar.billing).tolist() == list(range(12))
    assert (np.diff(calendar.billing) >= 0).all()


def test_a_year_may_begin_on_any_day_even_29_february():
    assert local_year(date(2028, 2, 29), "UTC").hours == 8784
    assert local_year(date(2026, 7, 15), "UTC").billing.max() == 12


def test_a_month_that_the_year_holds_in_part_is_charged_by_its_hours():
    assert local_year(date(2026, 1, 1), "America/New_York").billed_frac.tolist() == [1.0] * 12
    split = local_year(date(2026, 7, 15), "UTC").billed_frac
    assert split.tolist() == [17 / 31, *[1.0] * 11, 14 / 31]


def test_a_years_demand_charges_are_twelve_wherever_it_begins(edited):
    charged = "[price]\ndemand_charge_usd_per_kw_month = 1"
    site = edited("[price]", charged)
    parts = edited("start = 2026-01-01", "start = 2026-07-15")
    assert problem(replace(parts, demand_charge_usd_per_mw_month=1000.0)).charges_usd_per_mw.sum() == pytest.approx(
        problem(site).charges_usd_per_mw.sum()
    )


def test_time_of_use_takes_the_last_period_that_fits_and_wraps_midnight():
    calendar = local_year(date(2026, 1, 1), "UTC")
    every = tuple(range(1, 13)), tuple(range(7))
    price = prices.time_of_use_series(
        calendar, 30.0, [prices.Period(50.0, *every, 6, 22), prices.Period(10.0, *every, 23, 2)]
    )
    assert price[:24].tolist() == [10, 10, *[30] * 4, *[50] * 16, 30, 10]


def test_a_coincident_charge_is_shared_by_its_hours():
    calendar = local_year(date(2026, 1, 1), "UTC")
    extra = prices.coincident_series(calendar, 40.0, [(calendar.start_s, 1.0), (calendar.start_s + 7200, 1.0)])
    assert extra[:4].tolist() == [20_000.0, 0.0, 20_000.0, 0.0]


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_peak_of_minutes_bears_its_whole_charge_in_the_hours_that_hold_it(minutes):
    calendar = local_year(date(2026, 1, 1), "UTC")
    inside = prices.coincident_series(calendar, 40.0, [(calendar.start_s + 3600, minutes / 60)])
    assert inside[:3] == pytest.approx([0.0, 40_000.0, 0.0])
    across = prices.coincident_series(calendar, 40.0, [(calendar.start_s + 7200 - 60 * minutes // 5, minutes / 60)])
    assert across[:3] == pytest.approx([0.0, 8_000.0, 32_000.0])


def test_outages_and_events_lower_the_limit_where_they_fall_and_nowhere_else():
    calendar = local_year(date(2026, 1, 1), "UTC")
    start = calendar.start_s
    limit, what = power.limit_series(
        calendar, 50.0, [(start + 7200, 2, 0.2)], [(start, 3, 15.0), (start - 90_000, 1, 1.0)]
    )
    assert limit[:5].tolist() == [15.0, 15.0, 10.0, 10.0, 50.0]
    assert what[:5].tolist() == [1, 1, 2, 2, 0]


def test_outages_count_by_their_share_of_the_hour():
    calendar = local_year(date(2026, 1, 1), "UTC")
    start = calendar.start_s
    limit, what = power.limit_series(
        calendar, 40.0, [(start + 900, 0.5, 0.0), (start + 3600, 1.25, 0.5), (start + 5400, 0.5, 0.0)], []
    )
    assert limit[:4].tolist() == [20.0, 10.0, 35.0, 40.0]
    assert what[:4].tolist() == [2, 2, 2, 0]


def test_heat_derates_in_a_straight_line_and_raises_the_pue():
    warm = np.array([20.0, 30.0, 37.5, 45.0, 50.0])
    assert power.derate_series(warm, 30.0, 45.0).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
    calendar = local_year(date(2026, 1, 1), "UTC")
    celsius = power.temperature_series(calendar, [10.0] * 12, 8.0)
    assert (celsius.max(), celsius.min()) == (pytest.approx(14.0), pytest.approx(6.0))
    assert celsius[15] == pytest.approx(14.0)
    assert power.pue_series(calendar, 1.1, 0.01, 12.0, celsius)[15] == pytest.approx(1.12)
