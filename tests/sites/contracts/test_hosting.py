"""Hosting, leases and GPU-hours against statements made by hand, and the laws that they obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.contracts.gpu_hours import GpuHourTerms, gpu_hours
from sites.contracts.hosting import HostedMonths, HostingTerms, fees, hosted, hosting
from sites.contracts.lease import LeaseTerms, lease
from sites.contracts.lines import total_usd

USD = st.floats(0, 1e7)


def _months(energy_kwh, revenue_usd, energy_usd, in_force=None, anniversaries=None):
    count = len(energy_kwh)
    return HostedMonths(
        energy_kwh=np.array(energy_kwh, float),
        revenue_usd=np.array(revenue_usd, float),
        energy_usd=np.array(energy_usd, float),
        in_force=np.ones(count) if in_force is None else np.array(in_force, float),
        anniversaries=np.zeros(count, np.int64) if anniversaries is None else np.array(anniversaries),
    )


def test_a_fee_per_kwh_with_a_share_of_revenue_and_a_minimum():
    """20 MW in a month of 744 hours: 14.88 GWh at 7.5 cents; a poor month is topped up to the minimum."""
    terms = HostingTerms(usd_per_kwh=0.075, revenue_share_frac=0.1, minimum_usd_per_month=900_000.0)
    found = fees(terms, _months([14_880_000, 10_000_000], [2_000_000, 900_000], [700_000, 450_000]))
    assert found["energy fee"] == pytest.approx([1_116_000, 750_000])
    assert found["revenue share"] == pytest.approx([200_000, 90_000])
    assert found["minimum top-up"] == pytest.approx([0, 60_000])
    assert total_usd(found) == pytest.approx([1_316_000, 900_000])


def test_a_fee_per_kw_month_is_due_for_the_days_in_force_and_rises_at_an_anniversary():
    terms = HostingTerms(usd_per_kw_month=60.0, contracted_kw=20_000, escalator_frac=0.03)
    found = fees(terms, _months([0, 0, 0], [0, 0, 0], [0, 0, 0], [14 / 28, 1, 1], [0, 0, 1]))
    assert found["capacity fee"] == pytest.approx([600_000, 1_200_000, 1_236_000])


def test_half_of_the_profit_after_energy_and_nothing_of_a_loss():
    """Revenue 1,000 less energy 600 is 400 of profit; the second month has a loss of 100."""
    terms = HostingTerms(profit_share_frac=0.5, energy_passed_through=True)
    months = _months([1, 1, 1], [1000, 500, 700], [600, 600, 600])
    assert fees(terms, months)["profit share"] == pytest.approx([200, 0, 50])
    carried = HostingTerms(profit_share_frac=0.5, energy_passed_through=True, losses_carried=True)
    assert fees(carried, months)["profit share"] == pytest.approx([200, 0, 0])
    more = _months([1, 1, 1, 1], [1000, 500, 650, 800], [600, 600, 600, 600])
    assert fees(carried, more)["profit share"] == pytest.approx([200, 0, 0, 75])  # 200 less the 50 that are left


@given(
    st.lists(st.tuples(USD, USD, USD), min_size=1, max_size=5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1e6),
    st.booleans(),
)
def test_host_and_customer_together_have_revenue_less_energy(rows, revenue_share, profit_share, minimum, passed):
    energy, revenue, cost = zip(*rows, strict=True)
    months = _months(energy, revenue, cost)
    terms = HostingTerms(0.05, 3.0, 100.0, revenue_share, profit_share, False, minimum, passed)
    net = months.revenue_usd - months.energy_usd  # what the statement of either site counts before the contract
    both = total_usd(hosting(terms, months)) + total_usd(hosted(terms, months)) + 2 * net
    assert both == pytest.approx(net, rel=1e-9, abs=1e-3)


@given(st.lists(st.tuples(USD, USD, USD), min_size=1, max_size=5), st.floats(0, 1))
def test_without_a_share_of_revenue_only_the_fixed_fee_is_due(rows, price):
    months = _months(*zip(*rows, strict=True))
    found = total_usd(fees(HostingTerms(usd_per_kwh=price, revenue_share_frac=0.0), months))
    assert found == pytest.approx(price * months.energy_kwh)


def test_a_lease_is_paid_for_the_power_drawn_but_at_least_the_taken_or_paid_share():
    """1,000 kW at 130 USD; 80 % are due in any case; a month of 500 kW, of 900, of 1,200, and half a month."""
    terms = LeaseTerms(1000.0, 130.0, take_or_pay_frac=0.8, escalator_frac=0.03, markup_frac=0.05)
    found = lease(
        terms,
        drawn_kw=np.array([500.0, 900.0, 1200.0, 500.0]),
        energy_usd=np.array([10_000.0, 20_000.0, 30_000.0, 5_000.0]),
        in_force=np.array([1.0, 1.0, 1.0, 0.5]),
        anniversaries=np.array([0, 0, 1, 1]),
    )
    assert found["rent"] == pytest.approx([104_000, 117_000, 133_900, 53_560])
    assert found["energy passed through"] == pytest.approx([10_500, 21_000, 31_500, 5_250])


def test_reserved_gpu_hours_are_paid_used_or_not_and_more_is_on_demand():
    """100 GPUs reserved at 1.80, a quarter paid upfront; use in months of 744 and 720 hours."""
    terms = GpuHourTerms(2.5, reserved_gpus=100, reserved_usd_per_gpu_hour=1.8, upfront_frac=0.25)
    found = gpu_hours(
        terms,
        used_h=np.array([60_000.0, 80_000.0]),
        unserved_h=np.array([0.0, 500.0]),
        hours=np.array([744.0, 720.0]),
        anniversaries=np.array([0, 0]),
    )
    assert found["on demand"] == pytest.approx([0, 20_000])
    assert found["reserved"] == pytest.approx([100_440, 97_200])
    assert found["reserved, paid upfront"] == pytest.approx([65_880, 0])
    assert found["credit for hours not served"] == pytest.approx([0, -900])
    assert found["reserved"].sum() + found["reserved, paid upfront"].sum() == pytest.approx(1.8 * 100 * 1464)


def test_gpu_hours_on_demand_are_those_used():
    found = gpu_hours(
        GpuHourTerms(2.5),
        used_h=np.array([10.0]),
        unserved_h=np.zeros(1),
        hours=np.array([744.0]),
        anniversaries=np.zeros(1, np.int64),
    )
    assert total_usd(found) == pytest.approx([25.0])
