"""The mining formulas against published figures and against each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.market.bitcoin import EPOCH_S, DifficultyPath, bundled_epochs, known_until_unix
from sites.market.mining import (
    breakeven_usd_per_facility_kwh,
    expected_btc,
    hashprice_usd_per_ph_s_day,
    hourly_reward_btc_per_hash,
    mean_reward,
    month_bounds_s,
    usd_per_device_mwh,
)

JANUARY = month_bounds_s("2026-01")


def test_january_2026_at_the_average_operating_hash_rate_gives_496_btc():
    assert expected_btc(37.02e18, *JANUARY) == pytest.approx(496.09, abs=0.005)


def test_the_deployed_hash_rate_would_give_670():
    assert expected_btc(50e18, *JANUARY) == pytest.approx(670.0, abs=0.05)


def test_fees_are_a_share_on_top_of_the_subsidy():
    assert expected_btc(1e18, *JANUARY, fees_frac=0.07) == pytest.approx(1.07 * expected_btc(1e18, *JANUARY))


@given(st.integers(1_500_000_000, 1_850_000_000), st.integers(1, 3000), st.floats(-0.3, 1.0))
def test_hours_add_up_to_the_whole(start, hours, growth):
    path = DifficultyPath(growth)
    rewards = hourly_reward_btc_per_hash(start, hours, path)
    whole = expected_btc(1e18, start, start + 3600 * hours, path=path)
    assert math.fsum(rewards) * 3600 * 1e18 == pytest.approx(whole, rel=1e-12)


def test_an_hour_in_which_difficulty_changes_has_the_mean_of_both():
    edge = bundled_epochs()[460].start_unix
    first = edge - 900
    (reward,) = hourly_reward_btc_per_hash(first, 1)
    before, after = mean_reward(edge - 900, edge).btc_per_hash, mean_reward(edge, edge + 2700).btc_per_hash
    assert reward == pytest.approx(0.25 * before + 0.75 * after, rel=1e-12)


def test_a_mean_says_how_much_of_it_is_assumed():
    end = known_until_unix()
    assert mean_reward(end - EPOCH_S, end + EPOCH_S).assumed_frac == pytest.approx(0.5)


def test_hashprice_value_and_breakeven_are_one_chain():
    reward = mean_reward(*JANUARY).btc_per_hash
    price = hashprice_usd_per_ph_s_day(reward, 84_714.0, fees_frac=0.01)
    assert price == pytest.approx(1e15 * 86_400 * reward * 1.01 * 84_714.0)
    assert 30 < price < 50
    per_mwh = usd_per_device_mwh(price, 21.5)
    assert per_mwh == pytest.approx(3.6e9 / 21.5e-12 * reward * 1.01 * 84_714.0)
    assert breakeven_usd_per_facility_kwh(price, 21.5, 1.05) * 1000 * 1.05 == pytest.approx(per_mwh)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_an_impossible_hash_rate_is_refused(rate):
    with pytest.raises(InputError, match="hashrate_h_s: expected a finite number of 0 or more"):
        expected_btc(rate, *JANUARY)


@pytest.mark.parametrize("month", ["2026-13", "26-01", "January", ""])
def test_a_month_that_is_none_is_refused(month):
    with pytest.raises(InputError, match="month: expected YYYY-MM"):
        month_bounds_s(month)


def test_a_december_ends_with_the_year():
    start, end = month_bounds_s("2025-12")
    assert end - start == 31 * 86_400
