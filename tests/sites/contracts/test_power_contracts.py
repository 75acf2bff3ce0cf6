"""Power purchase agreements, swaps, demand response, coincident peaks and minimum take against hand-made statements."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sites.contracts.demand_response import Obligation, ResponseTerms, demand_response
from sites.contracts.lines import total_usd
from sites.contracts.ppa import Market, PriceTerms, as_produced, baseload, contract_price, ppa, shaped, swap
from sites.contracts.take import TakeTerms, minimum_take
from sites.contracts.transmission import PeakTerms, coincident_peaks
from sites.hours.months import Months

SPOT = np.array([20.0, 60.0, -10.0, 100.0])
MONTH = np.array([0, 0, 1, 1])
MARKET = Market(SPOT, MONTH, np.array([0, 0]))
STEPS = st.integers(1, 30)
PRICES = arrays(float, 30, elements=st.floats(-500, 5000))


def test_a_baseload_contract_earns_spot_and_costs_its_price():
    """10 MW at 45 USD/MWh: (20 + 60 - 90) x 10 and (-10 + 100 - 90) x 10."""
    found = ppa(PriceTerms(fixed_usd_per_mwh=45.0), MARKET, baseload(10.0, np.ones(4)))
    assert found["contract energy"] == pytest.approx([-900, -900])
    assert found["contract volume at spot"] == pytest.approx([800, 900])
    assert total_usd(found) == pytest.approx([-100, 0])


def test_a_share_of_what_a_plant_generates_at_a_rising_price():
    generated = np.array([4.0, 0.0, 2.0, 8.0])
    market = Market(SPOT, MONTH, np.array([0, 1]))
    found = ppa(PriceTerms(fixed_usd_per_mwh=40.0, escalator_frac=0.02), market, as_produced(generated, 0.5))
    assert found["contract energy"] == pytest.approx([-80, -5 * 40.8])
    assert found["contract volume at spot"] == pytest.approx([40, 390])


def test_steps_with_a_negative_price_are_settled_floored_or_left_out():
    terms = {kind: PriceTerms(fixed_usd_per_mwh=45.0, below_zero=kind) for kind in ("settled", "floored", "suspended")}
    volume = baseload(10.0, np.ones(4))
    second = {kind: total_usd(ppa(price, MARKET, volume))[1] for kind, price in terms.items()}
    assert second == pytest.approx({"settled": 0.0, "floored": 100.0, "suspended": 550.0})


def test_a_price_of_0_is_not_below_0():
    market = Market(np.array([0.0, -1.0]), np.array([0, 1]), np.array([0, 0]))
    found = total_usd(ppa(PriceTerms(fixed_usd_per_mwh=45.0, below_zero="suspended"), market, np.ones(2)))
    assert found == pytest.approx([-45, 0])


def test_a_shape_follows_the_local_hour_of_the_week():
    mw = np.arange(168.0)
    assert shaped(mw, np.array([0, 167, 5]), np.array([1, 1, 0]), 0.5).tolist() == [0.0, 83.5, 0.0]


def test_a_collar_pays_the_floor_the_spot_price_or_the_cap():
    terms = PriceTerms(floor_usd_per_mwh=30.0, cap_usd_per_mwh=70.0)
    assert contract_price(terms, MARKET).tolist() == [30.0, 60.0, 30.0, 70.0]
    assert contract_price(PriceTerms(cap_usd_per_mwh=70.0), MARKET).tolist() == [20.0, 60.0, -10.0, 70.0]


def test_an_adder_is_on_the_index_or_on_the_spot_price():
    index = np.array([50.0, 50.0, 40.0, 40.0])
    assert contract_price(PriceTerms(adder_usd_per_mwh=3.0), MARKET, index).tolist() == [53.0, 53.0, 43.0, 43.0]
    found = ppa(PriceTerms(adder_usd_per_mwh=3.0), MARKET, baseload(10.0, np.ones(4)))
    assert total_usd(found) == pytest.approx([-60, -60])


@given(PRICES, st.floats(0, 300))
def test_a_collar_whose_floor_is_its_cap_is_a_fixed_price(spot, price):
    market = Market(spot, np.zeros(30, np.int64), np.zeros(1, np.int64))
    volume = baseload(5.0, np.ones(30))
    collar = PriceTerms(floor_usd_per_mwh=price, cap_usd_per_mwh=price)
    fixed = total_usd(ppa(PriceTerms(fixed_usd_per_mwh=price), market, volume))
    assert total_usd(ppa(collar, market, volume)) == pytest.approx(fixed, abs=1e-6)


@given(st.floats(-100, 500), arrays(float, 30, elements=st.floats(0, 100)), st.booleans())
def test_a_swap_is_worth_nothing_at_its_strike(strike, volume, averaged):
    market = Market(np.full(30, strike), np.arange(30) // 15, np.zeros(2, np.int64))
    floating = "month average" if averaged else "each step"
    assert swap(strike, market, volume, floating=floating)["swap settlement"] == pytest.approx([0, 0], abs=1e-6)


@given(PRICES, st.floats(0, 300))
def test_a_swap_on_all_energy_makes_the_spot_price_a_fixed_one(spot, strike):
    market = Market(spot, np.zeros(30, np.int64), np.zeros(1, np.int64))
    drawn = baseload(3.0, np.ones(30))
    cost = (drawn * spot).sum() - swap(strike, market, drawn)["swap settlement"].sum()
    assert cost == pytest.approx(strike * drawn.sum(), rel=1e-9, abs=1e-6)


def test_a_swap_on_the_month_average_and_on_each_step():
    """2 MWh at 20 and 1 MWh at 60 against 45: 2 x -25 + 15; on the average of 40, 3 x -5."""
    volume = np.array([2.0, 1.0, 0.0, 1.0])
    assert swap(45.0, MARKET, volume)["swap settlement"] == pytest.approx([-35, 55])
    average = swap(45.0, MARKET, volume, floating="month average")["swap settlement"]
    assert average == pytest.approx([-15, 55])  # the step of -10 has no volume


def _obligation(available, dropped, event=(0, 1, 0, 1)):
    return Obligation(
        obliged=np.ones(4),
        available_mw=np.array(available, float),
        event=np.array(event, float),
        dropped_mw=np.array(dropped, float),
        month=MONTH,
        step_h=np.ones(4),
    )


def test_demand_response_pays_for_capacity_and_energy():
    terms = ResponseTerms(10.0, usd_per_mw_hour=8.0, usd_per_mwh=200.0)
    found = demand_response(terms, _obligation([10, 12, 10, 9.6], [0, 12, 0, 9.6]), 2)
    assert found["capacity payment"] == pytest.approx([160, 160])
    assert found["availability deduction"] == pytest.approx([0, 0])  # 98 % is above the threshold of 95 %
    assert found["performance deduction"] == pytest.approx([0, 0])
    assert found["energy payment"] == pytest.approx([2000, 1920])  # at most the enrolled power


def test_at_the_threshold_nothing_is_deducted():
    found = demand_response(ResponseTerms(10.0, 8.0, threshold_frac=0.5), _obligation([5, 5, 5, 5], [0, 5, 0, 5]), 2)
    assert total_usd(found) == pytest.approx([160, 160])


def test_poor_availability_and_failed_tests_lower_the_capacity_payment():
    """Availability 80 %, and a test in which half of the power was dropped; then by the square, then suspended."""
    steps = _obligation([10, 10, 8, 8], [0, 10, 0, 5])
    found = demand_response(ResponseTerms(10.0, usd_per_mw_hour=8.0), steps, 2)
    assert found["availability deduction"] == pytest.approx([0, -32])
    assert found["performance deduction"] == pytest.approx([0, -64])
    squared = demand_response(ResponseTerms(10.0, 8.0, reduction_power=2.0), steps, 2)
    assert total_usd(squared) == pytest.approx([160, 160 * 0.64 * 0.25])
    assert total_usd(demand_response(ResponseTerms(10.0, 8.0, suspended_below_frac=0.6), steps, 2))[1] == 0.0


def test_four_peaks_of_a_year_are_billed_in_the_twelve_months_of_the_next():
    """20, 52, 0 and 40 MW at the peaks of 2026: 28 MW at 60 USD a kW and year, in twelve parts from January 2027 on."""
    months = Months.of(date(2026, 1, 1), 2)
    terms = PeakTerms(60.0, prior_kw=1000.0)
    found = coincident_peaks(terms, {2026: (20_000, 52_000, 0, 40_000)}, months)["transmission charge"]
    assert found[:12] == pytest.approx([-5000] * 12)
    assert found[12:] == pytest.approx([-28_000 * 5.0] * 12)
    new = coincident_peaks(PeakTerms(60.0), {2026: (52_000, 40_000)}, months)["transmission charge"]
    assert new[12] == pytest.approx(-92_000 / 4 * 5)  # a site that was not there in June and July


def test_a_minimum_take_is_settled_by_contract_year_and_may_be_made_up():
    """1,200 MWh a year, 80 % are due: 160 MWh short in the first year; 100 of them are taken in the second."""
    terms = TakeTerms(1200.0, 50.0, take_or_pay_frac=0.8, make_up_years=1, most_frac=1.2, surcharge_usd_per_mwh=7.0)
    taken = np.array([800.0 / 12] * 12 + [1060.0 / 12] * 12 + [1500.0 / 12] * 12)
    found = minimum_take(terms, taken_mwh=taken, in_force=np.ones(36), year=np.arange(36) // 12)
    assert found["deficiency payment"][[11, 23, 35]] == pytest.approx([-160 * 50, 0, 0])
    assert found["make-up credit"][[11, 23, 35]] == pytest.approx([0, 100 * 50, 0])  # the rest lapses after a year
    assert found["surcharge"][[11, 23, 35]] == pytest.approx([0, 0, -60 * 7])
    assert np.count_nonzero(total_usd(found)) == 3


def test_the_quantity_of_a_part_of_a_year_is_in_proportion():
    found = minimum_take(
        TakeTerms(1200.0, 50.0),
        taken_mwh=np.array([0.0, 100.0, 100.0, 0.0]),
        in_force=np.array([0.0, 1.0, 0.5, 0.0]),
        year=np.zeros(4, np.int64),
    )
    assert total_usd(found) == pytest.approx([0, 0, 0, 0])


@pytest.mark.parametrize(("years", "last_usd"), [(2, 200), (3, 250)])
def test_the_oldest_deficiency_is_made_up_first_and_what_lapses_is_lost(years, last_usd):
    """100 MWh a year at 10 USD: 30 and 20 short, then 25 and 40 above; 5 of the first year lapse after two years."""
    taken = np.repeat([70.0, 80.0, 125.0, 140.0], 12) / 12
    terms = TakeTerms(100.0, 10.0, make_up_years=years)
    found = minimum_take(terms, taken_mwh=taken, in_force=np.ones(48), year=np.arange(48) // 12)
    assert found["deficiency payment"][[11, 23, 35, 47]] == pytest.approx([-300, -200, 0, 0])
    assert found["make-up credit"][[11, 23, 35, 47]] == pytest.approx([0, 0, 250, last_usd])
