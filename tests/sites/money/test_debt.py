"""Loans against hand-made schedules, and loans that are never repaid."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.hours.months import Months
from sites.money.btc_loan import BtcLoanTerms, btc_loan
from sites.money.debt import DebtTerms, debt
from sites.money.measures import irr_frac

MONTHS = Months.of(date(2026, 1, 1), 3)


def _loan(**changes):
    terms = {"name": "senior", "principal_usd": 1200.0, "interest_frac": 0.12, "drawn": date(2026, 1, 1), "months": 3}
    return DebtTerms(**(terms | changes))


def test_a_level_payment_by_hand():
    """1,200 USD at 1 % a month in three payments of 408.03: interest 12.00, 8.04, 4.04."""
    found = debt(_loan(), MONTHS)
    assert np.round(found.service[:4], 2).tolist() == [408.03, 408.03, 408.03, 0.0]
    assert np.round(found.interest[:3], 2).tolist() == [12.0, 8.04, 4.04]
    assert np.round(found.balance[:4], 2).tolist() == [803.97, 403.99, 0.0, 0.0]
    assert found.cash.sum() == pytest.approx(-24.08, abs=0.005)


def test_equal_principal_after_two_months_of_interest_only():
    found = debt(_loan(months=5, interest_only_months=2, repayment="equal principal", fee_frac=0.02), MONTHS)
    assert found.repaid[:6].tolist() == [0.0, 0.0, 400.0, 400.0, 400.0, 0.0]
    assert found.interest[:5] == pytest.approx([12, 12, 12, 8, 4])
    assert found.fee[0] == 24.0


def test_a_bullet_by_real_days():
    """Drawn on 16 January: 16 of 365 days of interest in January, 28 in February, 31 in March, and all is repaid."""
    found = debt(_loan(drawn=date(2026, 1, 16), repayment="bullet", day_count="actual/365"), MONTHS)
    assert found.interest[:4] == pytest.approx([144 * 16 / 365, 144 * 28 / 365, 144 * 31 / 365, 0])
    assert found.repaid[:4].tolist() == [0.0, 0.0, 1200.0, 0.0]
    by_360 = debt(_loan(repayment="bullet", day_count="actual/360"), MONTHS)
    assert by_360.interest[0] == pytest.approx(144 * 31 / 360)


@given(
    st.floats(1000, 1e9),
    st.floats(0, 1),
    st.integers(1, 36),
    st.sampled_from(["bullet", "level payment", "equal principal"]),
    st.sampled_from(["30/360", "actual/365", "actual/360"]),
)
def test_every_loan_ends_with_a_balance_of_0(principal, rate, months, repayment, day_count):
    terms = _loan(principal_usd=principal, interest_frac=rate, months=months, repayment=repayment, day_count=day_count)
    found = debt(terms, MONTHS)
    assert found.balance[-1] == pytest.approx(0.0, abs=1e-9 * principal)
    assert found.repaid.sum() == pytest.approx(principal)
    assert (found.balance >= -1e-9 * principal).all()
    if repayment == "level payment":
        paid = found.service[:months]
        assert paid == pytest.approx(np.full(months, paid[0]), rel=1e-9)


@given(st.floats(0.001, 0.6), st.sampled_from(["bullet", "level payment", "equal principal"]))
def test_the_internal_rate_of_a_loan_is_its_effective_rate(rate, repayment):
    found = debt(_loan(interest_frac=rate, months=24, repayment=repayment), MONTHS)
    cash = np.concatenate([[found.drawn.sum()], -found.service])
    assert irr_frac(cash, np.arange(cash.size) / 12) == pytest.approx((1 + rate / 12) ** 12 - 1, rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"payment_usd": 11.0}, "key payment_usd: expected above the interest of a month"),
        ({"principal_usd": 1600.0, "interest_frac": 0.75, "payment_usd": 100.0}, "interest of a month .100.00 USD."),
        ({"payment_usd": 100.0}, "never repaid"),
        ({"months": 37}, "key months: expected at most 36, because the horizon ends on 2028-12-31"),
        ({"drawn": date(2025, 12, 31)}, "key drawn: expected a day of 2026-01-01 to 2028-12-31, the horizon"),
        ({"interest_only_months": 3}, "key interest_only_months: expected fewer than 3"),
    ],
)
def test_a_loan_that_is_never_repaid_is_one_line(changes, message):
    with pytest.raises(InputError, match=message) as fault:
        debt(_loan(**changes), MONTHS)
    assert len(fault.value.faults) == 1
    assert str(fault.value).startswith("debt senior: ")


def test_what_is_owed_at_the_end_of_the_horizon_may_be_settled_there():
    found = debt(_loan(months=120, settled_at_end=True), MONTHS)
    assert found.balance[-1] == 0.0
    assert found.repaid[-1] > 900.0
    assert found.repaid.sum() == pytest.approx(1200.0)


def test_a_fixed_payment_ends_a_loan_early():
    found = debt(_loan(months=12, payment_usd=412.0), MONTHS)
    assert np.round(found.service[:4], 2).tolist() == [412.0, 412.0, 399.96, 0.0]


def _btc(**changes):
    terms = {
        "name": "btc", "principal_usd": 500.0, "collateral_btc": 10.0, "interest_frac": 0.0,
        "drawn": date(2026, 1, 1), "repaid": date(2026, 4, 30),
        "margin_call_ltv": 0.7, "liquidation_ltv": 0.8, "cured_ltv": 0.5,
    }  # fmt: skip
    return BtcLoanTerms(**(terms | changes))


def _prices(*first):
    return np.array([*first, *[first[-1]] * (36 - len(first))])


def test_a_margin_call_is_met_in_bitcoin():
    """500 USD on 10 BTC: at 70 USD the loan-to-value is 71 %; 4.2857 BTC more restore 50 %."""
    found = btc_loan(_btc(), MONTHS, _prices(100.0, 70.0, 70.0, 70.0))
    assert found.ltv[:4] == pytest.approx([0.5, 500 / 700, 0.5, 0.5])
    assert found.posted_btc[:4] == pytest.approx([10.0, 500 / 35 - 10, 0.0, -500 / 35])
    assert found.paid_usd[:4] == pytest.approx([0, 0, 0, 500])
    assert found.collateral_btc[:4] == pytest.approx([10, 500 / 35, 500 / 35, 0])


def test_a_margin_call_is_met_in_cash():
    found = btc_loan(_btc(met_in="usd"), MONTHS, _prices(100.0, 70.0))
    assert found.paid_usd[:4] == pytest.approx([0, 150, 0, 350])
    assert found.balance_usd[:4] == pytest.approx([500, 350, 350, 0])


def test_a_liquidation_sells_as_much_as_restores_the_loan_to_value():
    """At 60 USD the loan-to-value is 83 %: 6.667 BTC are sold for 400 USD; 100 USD on 3.333 BTC is 50 %."""
    found = btc_loan(_btc(), MONTHS, _prices(100.0, 60.0))
    assert found.sold_btc[1] == pytest.approx(20 / 3)
    assert found.sold_usd[1] == pytest.approx(400.0)
    assert found.balance_usd[1] / (found.collateral_btc[1] * 60.0) == pytest.approx(0.5)
    dear = btc_loan(_btc(sale_cost_frac=0.02), MONTHS, _prices(100.0, 60.0))
    assert dear.balance_usd[1] / (dear.collateral_btc[1] * 60.0) == pytest.approx(0.5)
    assert dear.sold_btc[1] > found.sold_btc[1]


def test_interest_is_paid_or_added_to_the_loan():
    paid = btc_loan(_btc(interest_frac=0.365), MONTHS, _prices(100.0))
    assert paid.paid_usd[:4] == pytest.approx([500 * 0.031, 500 * 0.028, 500 * 0.031, 500 * 0.030 + 500])
    added = btc_loan(_btc(interest_frac=0.365, interest_paid=False), MONTHS, _prices(100.0))
    assert added.paid_usd[:4] == pytest.approx([0, 0, 0, 500 * 1.031 * 1.028 * 1.031 * 1.030])


@given(st.lists(st.floats(55, 300), min_size=4, max_size=4), st.booleans())
def test_bitcoin_and_money_of_a_loan_add_up(prices, in_cash):
    try:
        found = btc_loan(_btc(met_in="usd" if in_cash else "btc", interest_frac=0.1), MONTHS, _prices(*prices))
    except InputError:
        return
    assert found.posted_btc.sum() == pytest.approx(found.sold_btc.sum(), abs=1e-9)  # what does not come back was sold
    assert found.drawn_usd.sum() + found.interest_usd.sum() == pytest.approx(
        found.paid_usd.sum() + found.sold_usd.sum()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"repaid": date(2029, 1, 1)},
            "key repaid: expected a day of 2026-01-01 to 2028-12-31, the horizon, else it is",
        ),
        ({"repaid": date(2025, 1, 1)}, "key repaid: expected a day from 2026-01-01 on"),
        ({"cured_ltv": 0.75}, "expected 0 < cured < margin call < liquidation"),
    ],
)
def test_terms_of_a_loan_against_bitcoin_that_cannot_be(changes, message):
    with pytest.raises(InputError, match=message):
        btc_loan(_btc(**changes), MONTHS, _prices(100.0))


def test_collateral_that_does_not_repay_the_loan_is_one_line():
    with pytest.raises(InputError, match="USD that are never repaid after all of it is sold at 40 USD/BTC") as fault:
        btc_loan(_btc(), MONTHS, _prices(100.0, 40.0))
    assert len(fault.value.faults) == 1
