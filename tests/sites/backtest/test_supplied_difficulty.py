"""Months after the bundled difficulty data: predicted by epochs that the user supplies."""

import dataclasses

import pytest

from hardware_profiles.errors import InputError
from sites.backtest.backtest import backtest
from sites.backtest.reports import Report
from sites.market.bitcoin import DifficultyPath, bundled_epochs


def report(month):
    return Report(2, "Miner", month, 31, None, 10.0, 100.0, "avg", "avg operating", "")


def later_epochs(count):
    """Return invented epochs after the bundled ones, of 13 days each and twice the last difficulty."""
    last = bundled_epochs()[-1]
    return tuple(
        dataclasses.replace(
            last,
            number=last.number + 1 + k,
            start_height=last.start_height + 2016 * (k + 1),
            start_unix=last.start_unix + 13 * 86_400 * (k + 1),
            hashes_per_block=2 * last.hashes_per_block,
            start_basis="header",
        )
        for k in range(count)
    )


def test_a_month_after_the_bundled_data_is_predicted_by_supplied_epochs():
    july = report("2026-07")
    assert backtest([july])[0].refused.startswith("after the difficulty data, which end 2026-06-28")
    (outcome,) = backtest([july], DifficultyPath(supplied=later_epochs(4)))
    seconds = 31 * 86_400
    expected = 10e18 * seconds * 3.125 / (2 * bundled_epochs()[-1].hashes_per_block)
    assert outcome.refused is None
    assert outcome.predicted_btc == pytest.approx(expected, rel=1e-12)
    assert outcome.start_basis == "header"


def test_supplied_epochs_that_leave_a_gap_are_refused():
    with pytest.raises(InputError, match="expected the one of height 955584 without a gap, got height 957600"):
        DifficultyPath(supplied=later_epochs(3)[1:])


def test_the_supplied_data_end_two_weeks_after_their_last_epoch():
    march = report("2027-03")
    path = DifficultyPath(supplied=later_epochs(4))
    assert backtest([march], path)[0].refused.startswith("after the difficulty data, which end 2026-08-19")
